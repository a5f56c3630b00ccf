"""The browser keeps who somebody is in a class, so that a reload keeps a pupil in and a teacher in front.

In the browser's own store, not in the address: a link that is passed on, or stands on the wall, is nobody's
identity. And not in a cookie, which would travel with every request. Two tabs of one browser are one pupil.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.classroom.codes import LONGEST_TOKEN

_keeper = st.components.v2.component(  # once, at import: registering a name again warns
    "class_keeper", html="<i></i>", js=Path(__file__).with_name("class_keeper.js").read_text(encoding="utf-8")
)
LEAD = "lead"
"""What the teacher's token is kept under; a pupil's is kept under the room's code."""


def kept(name: str) -> str | None:
    """The token kept under `name`: "" where there is none, None where the browser has not said yet."""
    mine: dict[str, str] = st.session_state.setdefault("class_tokens", {})
    if mine.get(name):
        return mine[name]
    sent: Any = (st.session_state.get(_key(name)) or {}).get("kept")
    if not isinstance(sent, str):
        return None
    mine[name] = sent if len(sent) <= LONGEST_TOKEN else ""
    return mine[name]


def keep(name: str, token: str) -> None:
    """From now on this is kept; "" forgets it."""
    st.session_state.setdefault("class_tokens", {})[name] = token


def keeper(name: str) -> None:
    """Draws nothing; tells what the browser keeps, and has it keep what is kept here."""
    token = st.session_state.get("class_tokens", {}).get(name)
    _keeper(key=_key(name), data={"name": name, "token": token}, on_kept_change=lambda: None)


def _key(name: str) -> str:
    return f"keeper_{name}"
