"""One visitor's state between reruns: the `State`, its link, and what was undone.

Widgets never own a value. Each is given its value from the state before it is drawn, and its `on_change`
puts the new one back, so a link, a button and a widget can all change the same thing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx

from dashboard.flights import Visitor
from dashboard.shelf import Choice
from dashboard.state import OF_THE_PASSAGE, State, default_state, from_link, to_link
from dashboard.values import Head
from probes.errors import CruxError

if TYPE_CHECKING:
    from probes.models.looking import Preview

_KEY = "visit"
LONGEST_HISTORY = 100
KEPT = 120.0
"""Seconds that Streamlit keeps the session of a connection that broke, in `MemorySessionStorage`."""


@dataclass
class Visit:
    """What is kept for one browser tab."""

    state: State
    linked: bool = False
    """Whether the address that the visitor came with was read."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """What the link asked for and could not have: (parameter, value)."""
    past: list[frozenset[int]] = field(default_factory=list)
    future: list[frozenset[int]] = field(default_factory=list)
    revision: int = 0
    """Raised when the removed words change by anything but a press on a chip."""
    stopped: set[object] = field(default_factory=set)
    """Runs that the visitor stopped and has not asked to go on."""
    effects: dict[object, dict[Any, float | None]] = field(default_factory=dict)
    """What runs that are not complete have found so far."""
    done: dict[object, int] = field(default_factory=dict)
    """How many of their model's runs are done, of runs that are not complete."""
    coming: Choice | None = None
    """The model that is being brought and loaded from the page Models; the one in use stays until then."""
    device: str = "auto"
    """Where the next model that is loaded from there is to run."""
    dtype: str = "auto"
    """In which number format."""
    previewed: tuple[Choice, Preview | CruxError] | None = None
    """What was found of a model before it is loaded."""
    agreed: set[object] = field(default_factory=set)
    """What was asked for before a long run or a download, and agreed to."""
    head_revision: int = 0
    """Raised when the heads taken away change by anything but a press on the map."""
    head_bases: dict[str, tuple[Head, ...]] = field(default_factory=dict)
    """Of each map on show, the heads that it began with; what is pressed since, the browser knows."""
    reader_sent: int | None = None
    """The word last pressed to read from, so that an older press does not undo a later choice."""
    own: State | None = None
    """The page as it was when a passage of the visitor's own was last left."""
    editing: bool = False
    """Whether the form for a passage of one's own is open."""
    guessing: bool = False
    """Whether words are pressed to guess what the answer hangs on, before any number is shown."""
    guess: tuple[int, ...] = ()
    """Units pressed for that, the first one first."""
    guess_revision: int = 0
    revealed: bool = False
    """Whether the guess is told how good it was."""
    welcomed: bool = False
    """Whether the sentence that says what Crux is was put away."""
    toured: int | None = None
    """The step of the tour that is on show; None: no tour is under way."""
    foreseen: dict[object, str | tuple[int, ...]] = field(default_factory=dict)
    """What the visitor predicted, a verdict or words, by model, passage and claim."""
    cutting: bool = False
    """Whether words are being joined and split by hand."""
    picked: frozenset[int] = frozenset()
    """Words chosen to be joined or split."""
    address: dict[str, str] | None = None
    """What the address of the page on show holds in the place of the state; None: the state."""
    problem: CruxError | None = None
    """Why a join or split could not be made."""


def visit() -> Visit:
    """This tab's."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Visit(default_state(st.context.locale))
    found: Visit = st.session_state[_KEY]
    return found


def visitor() -> Visitor:
    """Whose browser this is: all its tabs are one visitor's, so that many tabs get no larger share.

    While nobody is connected to the tab, its runs are given up like those of a tab that is closed; a tab that
    comes back within the time that the server keeps its session goes on from there; after it the script ends.
    """
    run = get_script_run_ctx()
    mine = run.session_id if run else ""
    lost: float | None = None

    def here() -> bool:
        nonlocal lost
        len(st.session_state)  # at any touch of it Streamlit may stop the script, for a press or a Stop
        if not Runtime.exists() or Runtime.instance().is_active_session(mine):
            lost = None
            return True
        lost = lost or time.monotonic()
        if time.monotonic() - lost > KEPT:
            raise StopException  # the server forgets the session, but not a script that waits for it
        return False

    def connected() -> bool:
        return Runtime.exists() and Runtime.instance().is_active_session(mine)

    return Visitor(_browser(st.context.cookies.get("_streamlit_xsrf", "")) or mine, here, connected)


def _browser(cookie: str) -> str:
    """What stays the same of the cookie that Streamlit gives each browser, "2|mask|masked token|time" with
    hexadecimal numbers; "" where it is none.
    """
    parts = cookie.split("|")
    try:
        mask, masked = (bytes.fromhex(part) for part in parts[1:3])
    except ValueError:
        return ""
    return bytes(a ^ mask[i % len(mask)] for i, a in enumerate(masked)).hex() if mask else ""


def current() -> State:
    return visit().state


def alone() -> bool:
    """Whether another page shows this one in a frame (`?embed=true`): without bar, menu and question."""
    return bool(st.context.is_embedded)


def read_link() -> None:
    """Take over the address: on the first visit, and on the browser's Back and Forward.

    At no other time: a press sends the address that the browser had then, which may be older than the one
    this page has written since.
    """
    mine, run = visit(), get_script_run_ctx()
    mine.address = None
    if mine.linked and not (run and run.is_history_navigation):
        return
    mine.linked = True
    state, mine.notes = from_link(st.query_params.to_dict(), default_state(st.context.locale))
    if state != mine.state:
        if state.ablated != mine.state.ablated:
            redraw_heads()
        _set(state)
        mine.past.clear()
        mine.future.clear()


def write_link() -> None:
    """Put the state into the address, where it has changed."""
    mine = visit()
    query = to_link(mine.state) if mine.address is None else mine.address
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)


def change(**changes: Any) -> None:
    """Change the state, in a callback or before anything that shows it is drawn."""
    mine = visit()
    mine.notes = []
    old = mine.state
    _set(old.but(**changes))
    if mine.state.cut != old.cut:
        mine.past.clear()
        mine.future.clear()
        mine.guess, mine.revealed = (), False
        mine.guess_revision += 1


def _set(state: State) -> None:
    mine = visit()
    if mine.state.text and state.text != mine.state.text:
        mine.own = mine.state
    if state.out != mine.state.out or state.cut != mine.state.cut:
        mine.revision += 1
    mine.state = state


def remove(numbers: frozenset[int], *, by_chip: bool = False) -> None:
    """Take away exactly these units; can be undone."""
    mine = visit()
    if numbers == mine.state.out:
        return
    mine.past = [*mine.past, mine.state.out][-LONGEST_HISTORY:]
    mine.future.clear()
    revision = mine.revision
    change(out=numbers)
    if by_chip:
        mine.revision = revision


def undo() -> None:
    mine = visit()
    if mine.past:
        mine.future.append(mine.state.out)
        change(out=mine.past.pop())


def redo() -> None:
    mine = visit()
    if mine.future:
        mine.past.append(mine.state.out)
        change(out=mine.future.pop())


def own_passage() -> State | None:
    """The visitor's own passage with all that was asked of it: the one on show, else the one left last."""
    return current() if current().text else visit().own


def back_to_own() -> None:
    """Show the passage of one's own that was left last, asked as it was; the rest of the page stays."""
    if (left := visit().own) is not None:
        kept = ("text", *OF_THE_PASSAGE)
        change(**{name: getattr(left, name) for name in kept})


def redraw_heads() -> None:
    """Let the map of heads begin anew from the state: it keeps what was pressed, and the heads have changed
    by something else.
    """
    mine = visit()
    mine.head_revision += 1
    mine.head_bases.clear()


def edit_passage() -> None:
    """Open the form for a passage of one's own."""
    visit().editing = True


def bound(field_name: str) -> dict[str, Any]:
    """`key` and `on_change` of a widget for one field of the state: `st.toggle(…, **bound("groups"))`."""
    key = f"w_{field_name}"
    st.session_state[key] = getattr(current(), field_name)
    return {"key": key, "on_change": _take_over, "args": (key, field_name)}


def _take_over(key: str, field_name: str) -> None:
    value = st.session_state[key]
    if value is not None:
        change(**{field_name: value})


def choose(
    field_name: str, options: Sequence[str], label: str, name: Callable[[str], str], **more: Any
) -> None:
    """A row of choices for one field of the state."""
    names = {option: name(option) for option in options}
    st.segmented_control(
        label, options, format_func=names.__getitem__, required=True, **bound(field_name), **more
    )
