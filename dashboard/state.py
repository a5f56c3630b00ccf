"""What a visitor looks at: one frozen record, one table of parameters, and the link that holds it.

The link is the state: whatever a visitor chose is written into the page's address, and an address restores
it. Values come from whoever wrote the link, so each is checked as it is read; a bad one falls back to its
default and is named in a note.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard import values
from dashboard.values import LONGEST_TEXT_IN_LINK, Head
from probes.asking.question import TEMPLATES, presets
from probes.asking.trials import Mode
from probes.locale import LANGUAGES, Language
from probes.models.hubs import NAMES
from probes.studies import STUDIES
from probes.studies.base import UNIT
from probes.studies.parts import ABLATE_MODE
from probes.studies.patch import DIRECTION, SITE
from probes.text.segment import Span

OF_THE_PASSAGE: Final = (
    "question",
    "answers",
    "prefix",
    "instruction",
    "joins",
    "splits",
    "target",
    "reader",
    "budget",
    "swap",
    "swap_to",
    "find",
    "chosen",
)
"""Fields of the state that mean nothing with another passage."""
OF_THE_MODEL: Final = ("ablated", "look", "shown", "window")
"""Those that mean nothing with another model."""
UNITS: Final = UNIT.choices
DEVICES: Final = ("auto", "cpu", "cuda", "mps")
DTYPES: Final = ("auto", "float32", "float16", "bfloat16")
HOWS: Final = ABLATE_MODE.choices
PLACES: Final = ("all", "answer")
VIEWS: Final = ("head", "model")
LEVELS: Final = ("word", "token")
AROUNDS: Final = ("passage", "prompt")
MEASURES: Final = ("points", "nats")
FIRSTS: Final = ("keep", "blank", "share")
SETS: Final = (10, 20, 50)
"""Generated passages that a study may be run over."""
OVER_LAYERS: Final = ("layers", "patch")
"""Studies of the page Layers that run over a set."""
TABS: Final = (
    *("close", "together", "agree", "strongest", "writes", "parts", "patch", "one", "over"),
    *("order", "definition", "counterfactual", "frequency", "questions"),
)
"""Names of all pages' tabs; a page that lacks one opens its first."""
SCENES: Final = (
    *("L16", "L1", "L2", "L3", "L4", "L7", "L5", "L8", "L9", "L10", "L11", "L14", "L6", "L12", "L13", "L15"),
    "end",
)
"""The lecture's claims in the order that it tells them, and the reader's score."""
SITES: Final = SITE.choices
DIRECTIONS: Final = DIRECTION.choices


@dataclass(frozen=True)
class State:
    """All that decides what the page shows. `None` in a field of the question: as the preset has it."""

    lang: Language = "en"
    model: str = "builtin"
    revision: str = ""
    device: str = "auto"
    dtype: str = "auto"
    hub: str = ""
    """Where models that are not on this machine are asked for; none: the one asked by default."""
    preset: str = "coffee-en"
    text: str = ""
    """A passage of the visitor's own; the preset is not looked at where there is one."""
    question: str | None = None
    answers: str | None = None
    prefix: str | None = None
    instruction: str | None = None
    template: str = "auto"
    joins: tuple[Span, ...] = ()
    splits: tuple[int, ...] = ()
    mode: str = "delete"
    unit: str = "word"
    target: str = "top"
    groups: bool = False
    """Whether equal words are also ranked together."""
    find: int = 0
    """The strongest words alone are looked for, so many; 0: every word is measured."""
    measure: str = "points"
    """In what effects on Explore are drawn; of two answers against each other it is nats anyway."""
    out: frozenset[int] = frozenset()
    """Numbers of the units that are taken away together."""
    pin: frozenset[int] | None = None
    """A set kept to compare with."""
    ablated: tuple[Head, ...] = ()
    """Heads, as (layer, head), that are taken away together."""
    how: str = "zero"
    """What is put in the place of a head's output."""
    place: str = "all"
    """Where: at every position, or where the answer is read off."""
    part_how: str = "mean"
    """What is put in the place of a layer's attention or feed-forward part."""
    look: Head | None = None
    """The head whose reading is drawn on the passage."""
    reader: int | None = None
    """The word from which it reads; −1 is the answer's place; None: where the head's reading tells most."""
    shown: tuple[int, ...] = ()
    """Layers in the close-up of attention; none: that of the head looked at."""
    view: str = "head"
    level: str = "word"
    around: str = "passage"
    """Whether the close-up shows the passage alone, or the whole prompt."""
    first: str = "blank"
    """What becomes of the first position in it."""
    window: tuple[int, int] | None = None
    """Layers in which links are cut; None: all."""
    budget: int = 400
    """Pairs of words whose links are cut at most."""
    swap: str | None = None
    """Words of the passage that patching puts others in place of; None: as the preset suggests."""
    swap_to: str | None = None
    site: str = "block"
    direction: str = "denoising"
    over: int = 20
    """Passages that a set has."""
    many: str = "layers"
    """What is done in each of them on the page Layers."""
    study: str = "words"
    """The study that the page Studies shows."""
    told: tuple[tuple[str, str], ...] = ()
    """Its options that have another value than their default, as (name, value), by name."""
    chosen: tuple[tuple[str, str], ...] = ()
    """Options of the studies that have pages of their own, as (study.option, value), by name."""
    scene: str = ""
    """The scene of the page Lecture; none: its first."""
    tab: str = ""
    """The open tab of a page that has some; none: its first."""

    @property
    def cut(self) -> tuple[object, ...]:
        """What decides which units there are: numbers of units mean nothing under another cut."""
        passage = self.text or self.preset
        model = (self.model, self.revision, self.template) if self.unit == "token" else ()
        return (passage, self.joins, self.splits, self.unit, model)

    def but(self, **changes: Any) -> State:
        """This state with `changes`; what they make meaningless goes back to its default."""
        new = dataclasses.replace(self, **changes)
        if (new.text or new.preset) != (self.text or self.preset):
            plain: dict[str, Any] = {
                name: getattr(State(), name) for name in OF_THE_PASSAGE if name not in changes
            }
            new = dataclasses.replace(new, **plain)
        if (new.model, new.revision) != (self.model, self.revision):
            new = dataclasses.replace(
                new, **{name: getattr(State(), name) for name in OF_THE_MODEL if name not in changes}
            )
        if new.study != self.study and "told" not in changes:
            new = dataclasses.replace(new, told=())
        if new.cut != self.cut:
            new = dataclasses.replace(new, out=changes.get("out", frozenset()), pin=changes.get("pin"))
        return new


def fits_link(state: State) -> bool:
    """Whether a link can carry the visitor's own passage (presets travel by name)."""
    return len(values.packed(state.text)) <= LONGEST_TEXT_IN_LINK if state.text else True


# ---- the table


@dataclass(frozen=True)
class Parameter:
    """One field of `State` in a link: its name there, how it is read (ValueError: bad) and written."""

    field: str
    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    always: bool = False
    """Written even where it has its default, because the default is the visitor's language's."""


PARAMETERS: Final = (
    Parameter("lang", "lang", values.choice(*LANGUAGES), always=True),
    Parameter("model", "model", values.field),
    Parameter("revision", "revision", values.field),
    Parameter("device", "device", values.choice(*DEVICES)),
    Parameter("dtype", "dtype", values.choice(*DTYPES)),
    Parameter("hub", "hub", values.choice(*NAMES)),
    Parameter("preset", "passage", lambda name: values.choice(*presets())(name), always=True),
    Parameter("text", "text", values.unpacked, values.packed_if_short),
    Parameter("question", "q", values.field),
    Parameter("answers", "answers", values.field),
    Parameter("prefix", "prefix", values.field),
    Parameter("instruction", "instruction", values.field),
    Parameter("template", "template", values.choice(*TEMPLATES)),
    Parameter("joins", "joins", values.spans, lambda spans: ".".join(f"{a}-{b}" for a, b in spans)),
    Parameter(
        "splits",
        "splits",
        lambda t: tuple(sorted(values.numbers(t))),
        lambda s: values.write_numbers(frozenset(s)),
    ),
    Parameter("mode", "mode", values.choice(*(str(m) for m in Mode))),
    Parameter("unit", "unit", values.choice(*UNITS)),
    Parameter("target", "target", values.field),
    Parameter("groups", "groups", lambda t: bool(int(values.choice("0", "1")(t))), lambda on: str(int(on))),
    Parameter("find", "find", lambda t: int(values.choice("0", "10")(t))),
    Parameter("measure", "in", values.choice(*MEASURES)),
    Parameter("out", "out", values.numbers, values.write_numbers),
    Parameter("pin", "pin", values.numbers, values.write_numbers),
    Parameter("ablated", "heads", values.heads, values.write_heads),
    Parameter("how", "how", values.choice(*HOWS)),
    Parameter("part_how", "part", values.choice(*HOWS)),
    Parameter("place", "at", values.choice(*PLACES)),
    Parameter("look", "look", values.one_head, lambda head: values.write_heads([head]) if head else ""),
    Parameter(
        "reader",
        "reader",
        lambda t: -1 if t == "answer" else values.number(t),
        lambda reader: "" if reader is None else "answer" if reader < 0 else str(reader),
    ),
    Parameter(
        "shown",
        "layers",
        lambda t: tuple(sorted(values.numbers(t))),
        lambda s: values.write_numbers(frozenset(s)),
    ),
    Parameter("view", "view", values.choice(*VIEWS)),
    Parameter("level", "level", values.choice(*LEVELS)),
    Parameter("around", "around", values.choice(*AROUNDS)),
    Parameter("first", "first", values.choice(*FIRSTS)),
    Parameter("window", "window", values.window, lambda w: "-".join(map(str, w)) if w else ""),
    Parameter("budget", "budget", values.positive),
    Parameter("swap", "change", values.field),
    Parameter("swap_to", "to", values.field),
    Parameter("site", "site", values.choice(*SITES)),
    Parameter("direction", "direction", values.choice(*DIRECTIONS)),
    Parameter("many", "many", values.choice(*OVER_LAYERS)),
    Parameter("study", "study", lambda name: values.choice(*STUDIES)(name)),
    Parameter("told", "options", values.pairs, values.write_pairs),
    Parameter("chosen", "chosen", values.pairs, values.write_pairs),
    Parameter("scene", "scene", values.choice(*SCENES)),
    Parameter("tab", "tab", values.choice(*TABS)),
    Parameter("over", "over", lambda text: int(values.choice(*map(str, SETS))(text))),
)


VERSION: Final = "1"
"""Of the links that are written. One that names none is read in the same way; one of a later version is read
as far as it goes, and says so. tests/dashboard/earlier_links.toml has links of each."""


def from_link(query: Mapping[str, str], default: State) -> tuple[State, list[tuple[str, str]]]:
    """The state that a link asks for, and (name, value) of everything in it that could not be used.

    A link with a language and no passage starts at the coffee shop in that language.
    """
    known: dict[str, Any] = {}
    bad: list[tuple[str, str]] = []
    for parameter in PARAMETERS:
        if (value := query.get(parameter.name)) is None:
            continue
        try:
            known[parameter.field] = parameter.read(value)
        except ValueError:
            bad.append((parameter.name, value[:60]))
    if (version := query.get("v", VERSION)) != VERSION:
        bad.append(("v", version[:60]))
    if "lang" in known and "preset" not in known:
        known["preset"] = f"coffee-{known['lang']}"
    return dataclasses.replace(default, **known), bad


def to_link(state: State) -> dict[str, str]:
    """The query parameters that restore `state`: only what differs from the defaults."""
    plain = State()
    query = {}
    for parameter in PARAMETERS:
        value = getattr(state, parameter.field)
        if value == getattr(plain, parameter.field) and not parameter.always:
            continue
        if parameter.name == "passage" and state.text:
            continue
        if (written := parameter.write(value)) or parameter.field in ("prefix", "instruction"):
            query[parameter.name] = written
    return query | {"v": VERSION}


def default_state(locale: str | None) -> State:
    """Where a visitor starts: their browser's language, and the coffee shop in it."""
    lang: Language = "zh" if (locale or "").lower().startswith("zh") else "en"
    return State(lang=lang, preset=f"coffee-{lang}")


def within(numbers: frozenset[int] | None, units: Sequence[object]) -> frozenset[int]:
    """Those of `numbers` that are numbers of `units`."""
    return frozenset(n for n in numbers or () if n < len(units))
