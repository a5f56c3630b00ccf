"""Whatever a visitor, a link, a file or a model says is shown as plain text, in every message there is.

Markdown is read by an independent parser, markdown-it. What Streamlit does to text after that is written down
here as the patterns that it looks for; `tests/browser/test_hostile.py` asks Streamlit itself.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dashboard import wording
from dashboard.state import State
from dashboard.widgets.markup import Markdown, plain
from dashboard.wording import TEXTS, t, told
from probes.errors import CruxError
from probes.locale import LANGUAGES, Language
from probes.locale import TEXTS as PROBES
from probes.studies import STUDIES

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ALONE = re.compile(r":color\[(.)\]", re.DOTALL)
SECOND_LOOK = (
    re.compile(r"(https?://|www(?=\.))[-.\w]+", re.IGNORECASE),
    re.compile(r"[-.\w+]+@[-\w]+(\.[-\w]+)+"),
    re.compile(r":(\+1|-1|[\w-]+):"),
    re.compile(r":material[_/]\w+:"),
    re.compile(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)"),
)
"""Addresses, mail addresses, emoji, icons, arrows: in one piece of text, backslashes gone."""
HOSTILE = (
    "![x](http://evil.example/p.png)",
    "[sign in](http://evil.example) <http://evil.example> <a@evil.example> [a][b] ![c] [^1]",
    "http://evil.example/a https://evil.example www.evil.example WWW.evil.example me@evil.example",
    ":material/home: :material_home: :streamlit: :smile: :+1: :red[x] :red-badge[x] ::a[b]{c=d} :color[x]",
    "$x^2$ $$y$$ `a` ``b`` *c* _d_ **e** __f__ ~~g~~ <b>h</b> <img src=x onerror=y> <!-- z --> &amp; &#60;",
    "a -> b <- c <-> d -- e >= f <= g ~= h :-> i",
    "\\ \\\\ \\* \\[a](b) \\`c` end\\",
    "# a\n## b\n- c\n* d\n+ e\n1. f\n2) g\n> h\n\n    i\n```\nj\n```\n***\n===\n"
    "| a | b |\n|---|---|\n| 1 | 2 |  \nk",
    "[a]: http://evil.example 'b'",
    "“quoted” (it's) #1 50 % 2:1 C:\\path 走进“咖啡店”。",
)
IN_MESSAGES = ("\n".join(HOSTILE), HOSTILE[7])


@lru_cache(maxsize=8)
def tokens(source: str) -> list[Token]:
    flat: list[Token] = []
    for token in PARSER.parse(source):
        flat += [token, *(token.children or [])]
    return flat


def structure(source: str) -> list[str]:
    """The kinds of everything that is not text."""
    return [token.type for token in tokens(source) if token.type != "text"]


def pieces(source: str) -> list[str]:
    """The pieces of text that Streamlit looks through."""
    texts = [token.content for token in tokens(source) if token.type in ("text", "code_inline")]
    return [piece for text in texts for piece in ALONE.split(text)]


def shown(source: str) -> str:
    return "".join(pieces(source))


def one_line(text: str) -> str:
    return " ".join(text.split())


class Anywhere(str):
    """A text that can also stand where a number is formatted."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str(self)


def values(text: str, value: str) -> dict[str, object]:
    names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return {name: Anywhere(value) for name in names}


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_shown_as_it_is(value: str) -> None:
    for source in (plain(value), f"**{plain(value)}**", f"“{plain(value)}”, 1. {plain(value)}:"):
        assert set(structure(source)) <= {
            "paragraph_open", "inline", "paragraph_close", "strong_open", "strong_close",
        }  # fmt: skip
        assert one_line(value) in shown(source)
    assert shown(plain(value)) == one_line(value)
    assert not [(p, text) for p in SECOND_LOOK for text in pieces(plain(value)) if p.search(text)]
    assert "`" not in re.sub(r"\\`", "", plain(value))


def test_the_patterns_would_find_what_is_not_made_plain() -> None:
    raw = " ".join(HOSTILE[1:6])
    assert {"link_open", "image", "code_inline", "em_open", "strong_open", "s_open", "html_inline"} <= set(
        structure(" ".join(HOSTILE[:6]))
    )
    assert all(pattern.search(raw) for pattern in SECOND_LOOK)


def test_what_no_page_can_show_is_a_sign_instead() -> None:
    assert shown(plain("a\u0001b\u202ec\ud800d\uffff")) == "a\ufffdb\ufffdc\ufffdd\ufffd"
    plain("\u0001\ud800").encode()


def test_what_is_plain_already_stays() -> None:
    once = plain("*a*")
    assert plain(once) is once
    assert isinstance(once, Markdown)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_text_of_the_page(lang: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "current", lambda: State(lang=lang))
    keys = [key for key in list(TEXTS.keys()) if "{" in TEXTS.raw(key, lang)]
    assert len(keys) > 50
    for key in keys:
        raw = TEXTS.raw(key, lang)
        harmless = structure(t(key, **values(raw, "“x”")))
        for value in IN_MESSAGES:
            source = t(key, **values(raw, value))
            assert structure(source) == harmless, key
            assert one_line(value) in shown(source), key
            assert not [p for p in SECOND_LOOK[:4] for text in pieces(source) if p.search(text)], key


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("room", ["errors", "headline", *STUDIES])
def test_every_error_and_headline(room: str, lang: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "current", lambda: State(lang=lang))
    keys = [key for key in list(PROBES.keys()) if key.startswith(f"{room}.")]
    assert len(keys) > (3 if room in STUDIES else 25)
    for key in keys:
        for value in IN_MESSAGES:
            given, harmless = (values(PROBES.raw(key, lang), text) for text in (value, "“x”"))
            if room == "errors":  # ours is Markdown, with commands in backticks; theirs is not
                source = told(CruxError(key.removeprefix("errors."), **given))
                same = told(CruxError(key.removeprefix("errors."), **harmless))
            else:
                source, same = (plain(PROBES.say(key, lang, **some)) for some in (given, harmless))
            assert structure(source) == structure(same), key
            assert not given or one_line(value) in shown(source) or "!r}" in PROBES.raw(key, lang), key
            assert not [p for p in SECOND_LOOK for text in pieces(source) if p.search(text)], key


# ---- every place that reads Markdown is given nothing else

MARKDOWN = {
    "badge", "button", "caption", "checkbox", "error", "expander", "form_submit_button", "header", "info",
    "link_button", "markdown", "metric", "popover", "progress", "spinner", "subheader", "success", "tabs",
    "title", "toast", "toggle", "warning",
}  # fmt: skip
OURS = {"icon", "colour", "light(model.describe())[0]", r"body.replace('\n## ', '\n##### ')", "list(names)"}
"""The light of a self-check, the card that is kept beside the built-in model's weights, names of tabs."""


def makes_markdown(trees: Iterable[ast.AST]) -> set[str]:
    """Functions that say, and mypy checks, that they return Markdown."""
    defined = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {node.name for node in defined if node.returns and ast.unparse(node.returns) == "Markdown"}


def unsafe(
    node: ast.expr, assigned: dict[str, list[ast.expr]], safe: Collection[str], depth: int = 0
) -> list[str]:
    """The parts of an expression that are neither written out nor made plain."""
    if isinstance(node, ast.Constant) or ast.unparse(node) in OURS:
        return []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in safe:
        return []
    if isinstance(node, ast.Name) and node.id in assigned and depth < 4:
        return [bad for value in assigned[node.id] for bad in unsafe(value, assigned, safe, depth + 1)]
    parts: list[ast.expr] = []
    if isinstance(node, ast.JoinedStr):
        parts = [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, (ast.List, ast.Tuple)):
        parts = node.elts
    else:
        return [ast.unparse(node)]
    return [bad for part in parts for bad in unsafe(part, assigned, safe, depth)]


def readers(tree: ast.AST) -> list[tuple[int, ast.expr]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MARKDOWN:
            given = node.args[1:2] if node.func.attr == "progress" else node.args[:1]
            given += [k.value for k in node.keywords if k.arg in ("help", "label", "text", "body")]
            found += [(node.lineno, value) for value in given]
    return found


def test_markdown_is_given_nothing_that_was_not_made_plain() -> None:
    found, looked_at = [], 0
    files = sorted((Path(wording.__file__).parent).rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    safe = makes_markdown(trees)
    assert safe >= {"t", "told", "plain"}
    for path, tree in zip(files, trees, strict=True):
        assigned: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                assigned.setdefault(node.targets[0].id, []).append(node.value)
            elif isinstance(node, ast.arg) and node.annotation and ast.unparse(node.annotation) == "Markdown":
                assigned.setdefault(node.arg, [])  # mypy checks what it is called with
        for line, value in readers(tree):
            looked_at += 1
            found += [f"{path.name}:{line}: {bad}" for bad in unsafe(value, assigned, safe)]
    assert looked_at > 80
    assert not found, "\n".join(found)


PLAIN_PLACES = {"word_chips", "passage_marks", "Scores", "Arc"}
"""Our own components show characters as they are, and so do a chart's description and a list's entries."""


def test_no_backslash_goes_where_no_markdown_is_read() -> None:
    found = []
    for path in sorted((Path(wording.__file__).parent).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            ours = isinstance(node.func, ast.Name) and node.func.id in PLAIN_PLACES
            given = [k.value for k in node.keywords if ours or k.arg in ("alt", "placeholder", "format_func")]
            for value in [*given, *(node.args if ours else ())]:
                for call in ast.walk(value):
                    filled = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.keywords
                    if filled and call.func.id in ("t", "told", "plain"):  # type: ignore[attr-defined]
                        found.append(f"{path.name}:{call.lineno}")  # type: ignore[attr-defined]
    assert not found
