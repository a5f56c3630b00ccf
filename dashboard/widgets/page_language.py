"""The document's language, for screen readers and hyphenation, and Streamlit's own words in it.

Streamlit has no translations (1.67): its menu, uploader and toolbars are English. `texts/streamlit.toml` has
what of them a visitor meets; the script beside this file puts it in where it appears.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.wording import TEXTS
from probes.locale import Language

_HERE = Path(__file__).parent
_language = st.components.v2.component(  # once, at import: registering a name again warns
    "page_language", js=(_HERE / "page_language.js").read_text(encoding="utf-8")
)
TAGS = {"zh": "zh-CN", "en": "en"}


def page_language(lang: Language) -> None:
    """Say which language the page is in, and have Streamlit's words in it."""
    with st.container(key="page_language"):
        _language(data={"lang": TAGS[lang], "words": _words(lang)}, key="streamlit_words")


def _words(lang: Language) -> list[list[str]]:
    """Each as Streamlit has it, and in `lang`; `{n}` stands for what it fills in. English needs none."""
    if lang == "en":
        return []
    keys = [key for key in list(TEXTS.keys()) if key.startswith("streamlit.")]
    return [[TEXTS.say(key, "en", n="{n}"), TEXTS.say(key, lang, n="{n}")] for key in keys]
