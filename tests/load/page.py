"""One page as a browser holds it, without a browser: what the server sent of it, and what is sent back.

Speaks no network: `heard` takes the bytes of a message, `rerun` and its like make those of an answer.
Elements stand at their delta paths; a run of the script that ends takes away what it did not draw again, as
Streamlit's own front end does, and messages that the server need not send twice are kept and named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

Path = tuple[int, ...]
DONE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR)
RUNS_KEPT = 3
"""Runs of the script for which a message is kept that was not used in them."""


@dataclass
class Node:
    """An element or a block, and the run that drew it last."""

    kind: str
    proto: Any
    run: str
    fragment: str


@dataclass
class Page:
    """See the module's docstring.

    Attributes:
        query: the address as the server has it by now.
        url: of the page, as the browser shows it.
    """

    query: str
    url: str
    locale: str = "en-GB"
    script: str = ""
    """Hash of the page on show."""
    run: str = ""
    session: str = ""
    rests: bool = False
    """Whether no run of the script is under way, nor about to be."""
    runs_ended: int = 0
    """Whole runs of the script that came to their end."""
    nodes: dict[Path, Node] = field(default_factory=dict)
    values: dict[str, WidgetState] = field(default_factory=dict)
    every: dict[str, float] = field(default_factory=dict)
    """Fragments that run by themselves, and after how many seconds."""
    cache: dict[str, tuple[ForwardMsg, int]] = field(default_factory=dict)
    """Messages that may be named instead of sent, with the number of the run that used them last."""

    # ---- what comes

    def heard(self, data: bytes) -> ForwardMsg:
        """Take a message in; the message itself, never a reference."""
        message = ForwardMsg()
        message.ParseFromString(data)
        if message.WhichOneof("type") == "ref_hash":
            metadata = message.metadata
            known = self.cache[message.ref_hash][0]
            message = ForwardMsg()
            message.CopyFrom(known)
            message.metadata.CopyFrom(metadata)
        if message.metadata.cacheable:
            self.cache[message.hash] = (message, self.runs_ended)
        kind = message.WhichOneof("type") or ""
        if take := getattr(self, f"_take_{kind}", None):
            take(message)
        return message

    def _take_new_session(self, message: ForwardMsg) -> None:
        told = message.new_session
        self.run = message.metadata.run.script_run_id
        self.session = told.initialize.session_id or self.session
        if not message.metadata.run.fragment_ids:
            self.every.clear()
            self.rests = False

    def _take_navigation(self, message: ForwardMsg) -> None:
        self.script = message.navigation.page_script_hash

    def _take_page_info_changed(self, message: ForwardMsg) -> None:
        self.query = message.page_info_changed.query_string

    def _take_auto_rerun(self, message: ForwardMsg) -> None:
        self.every[message.auto_rerun.fragment_id] = message.auto_rerun.interval

    def _take_stop_auto_rerun(self, message: ForwardMsg) -> None:
        self.every.pop(message.stop_auto_rerun.fragment_id, None)

    def _take_delta(self, message: ForwardMsg) -> None:
        path, delta = tuple(message.metadata.delta_path), message.delta
        run = message.metadata.run.script_run_id or self.run
        which = delta.WhichOneof("type")
        if which == "new_transient":
            return
        if which == "add_block":
            old = self.nodes.get(path)
            if old is not None and not old.kind.startswith("block"):
                del self.nodes[path]
            kind = f"block {delta.add_block.WhichOneof('type') or ''}"
            self.nodes[path] = Node(kind, delta.add_block, run, delta.fragment_id)
            return
        for other in [one for one in self.nodes if one[: len(path)] == path and len(one) > len(path)]:
            del self.nodes[other]
        kind = delta.new_element.WhichOneof("type") or ""
        proto = getattr(delta.new_element, kind) if kind else None
        self.nodes[path] = Node(kind, proto, run, delta.fragment_id)
        if getattr(proto, "set_value", False):
            self.values.pop(proto.id, None)  # the script has put another value in its place

    def _take_script_finished(self, message: ForwardMsg) -> None:
        status, fragments = message.script_finished, set(message.metadata.run.fragment_ids)
        run = message.metadata.run.script_run_id or self.run
        if status in DONE:
            self.nodes = {path: node for path, node in self.nodes.items() if node.run == run}
            self.runs_ended += 1
            self.rests = True
            for name, (_, used) in list(self.cache.items()):
                if self.runs_ended - used > RUNS_KEPT:
                    del self.cache[name]
        elif status == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            self.nodes = {
                path: node
                for path, node in self.nodes.items()
                if node.run == run or node.fragment not in fragments
            }

    # ---- what is looked at

    def found(self, kind: str, key: str = "") -> Iterator[tuple[Path, Node]]:
        """Elements of a kind; with a key, those whose script gave them that key, or one that begins so."""
        for path, node in list(self.nodes.items()):
            if node.kind == kind and (not key or _key(node.proto).startswith(key)):
                yield path, node

    def element(self, kind: str, key: str = "") -> Any:
        """The first of them.

        Raises:
            LookupError: there is none.
        """
        for _, node in self.found(kind, key):
            return node.proto
        raise LookupError(f"no {kind} {key!r} on {self.url}?{self.query}: {self.texts()[:5]}")

    def has(self, kind: str, key: str = "") -> bool:
        return any(True for _ in self.found(kind, key))

    def data(self, key: str) -> dict[str, Any]:
        """What the component with this key is given to draw."""
        whole: dict[str, Any] = json.loads(self.element("bidi_component", key).json)
        return whole

    def texts(self, *kinds: str) -> list[str]:
        """Headings, paragraphs, captions and alerts, in the page's order."""
        wanted = kinds or ("heading", "markdown", "alert", "metric")
        return [
            str(node.proto.body)
            for _, node in sorted(self.nodes.items(), key=lambda one: one[0])
            if node.kind in wanted
        ]

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    # ---- what is sent

    def rerun(
        self, *, page: str = "", trigger: WidgetState | None = None, fragment: str = "", auto: bool = False
    ) -> bytes:
        """The script is to run again."""
        asked = BackMsg()
        state = asked.rerun_script
        state.query_string, state.fragment_id, state.is_auto_rerun = self.query, fragment, auto
        state.page_script_hash, state.page_name = ("", page) if page else (self.script, "")
        state.cached_message_hashes.extend(self.cache)
        there = {node.proto.id for node in self.nodes.values() if getattr(node.proto, "id", "")}
        state.widget_states.widgets.extend(value for name, value in self.values.items() if name in there)
        if trigger is not None:
            state.widget_states.widgets.append(trigger)
        about = state.context_info
        about.timezone, about.locale, about.url = "Europe/Berlin", self.locale, self.url
        about.color_scheme = "light"
        return asked.SerializeToString()

    def pressed(self, key: str) -> bytes:
        """The button with this key.

        Raises:
            LookupError: it is not on the page, or nobody can press it now.
        """
        for _, node in self.found("button", key):
            if node.proto.disabled:
                raise LookupError(f"the button {key!r} takes no press")
            return self.rerun(
                trigger=WidgetState(id=node.proto.id, trigger_value=True), fragment=node.fragment
            )
        raise LookupError(f"no button {key!r}: {[_key(node.proto) for _, node in self.found('button')]}")

    def posted(self, key: str, **state: Any) -> bytes:
        """The state that a component posts."""
        for _, node in self.found("bidi_component", key):
            self.values[node.proto.id] = WidgetState(id=node.proto.id, json_value=json.dumps(state))
            return self.rerun(fragment=node.fragment)
        raise LookupError(f"no component {key!r} on {self.url}?{self.query}")

    def chosen(self, key: str, option: str) -> bytes:
        """One option of a row of choices, by its text."""
        for _, node in self.found("button_group", key):
            options = [one.content for one in node.proto.options]
            if option not in options:
                raise LookupError(f"{option!r} is none of {options}")
            value = WidgetState(id=node.proto.id)
            value.string_array_value.data.append(option)
            self.values[value.id] = value
            return self.rerun(fragment=node.fragment)
        raise LookupError(f"no choices {key!r}")


def _key(proto: Any) -> str:
    """The key that the script gave an element; Streamlit's ids are "$$ID-hash-key"."""
    return str(getattr(proto, "id", "")).split("-", 2)[-1]
