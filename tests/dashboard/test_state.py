"""The link: what is chosen comes back, what is wrong falls back and is named."""

from __future__ import annotations

import base64
import dataclasses
import tomllib
import zlib
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import state, values
from dashboard.state import PARAMETERS, State, default_state, fits_link, from_link, to_link, within
from probes.asking.question import TEMPLATES, presets
from probes.locale import LANGUAGES

numbers = st.frozensets(st.integers(0, 3000), max_size=40)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
spans = st.lists(st.tuples(st.integers(0, 400), st.integers(401, 900)), max_size=3).map(tuple)
heads = st.tuples(st.integers(0, 90), st.integers(0, 90))
states = st.builds(
    State,
    lang=st.sampled_from(LANGUAGES),
    model=st.sampled_from(["builtin", "smollm2", "/a folder/with ünïcode", "Qwen/Qwen3-0.6B"]),
    revision=st.sampled_from(["", "main"]),
    device=st.sampled_from(state.DEVICES),
    dtype=st.sampled_from(state.DTYPES),
    preset=st.sampled_from(presets()),
    question=st.none() | texts.filter(bool),
    answers=st.none() | texts.filter(bool),
    prefix=st.none() | texts,
    instruction=st.none() | texts,
    template=st.sampled_from(TEMPLATES),
    joins=spans,
    splits=st.frozensets(st.integers(0, 900), max_size=5).map(lambda found: tuple(sorted(found))),
    mode=st.sampled_from(["delete", "hide", "replace"]),
    unit=st.sampled_from(state.UNITS),
    target=st.sampled_from(["top", "right", "1", "1:3"]),
    groups=st.booleans(),
    out=numbers,
    pin=st.none() | numbers,
    ablated=st.frozensets(heads, max_size=6).map(lambda found: tuple(sorted(found))),
    how=st.sampled_from(state.HOWS),
    part_how=st.sampled_from(state.HOWS),
    place=st.sampled_from(state.PLACES),
    look=st.none() | heads,
    reader=st.none() | st.integers(-1, 900),
    tab=st.sampled_from(("", *state.TABS)),
    around=st.sampled_from(state.AROUNDS),
    shown=st.frozensets(st.integers(0, 90), max_size=5).map(lambda found: tuple(sorted(found))),
    view=st.sampled_from(state.VIEWS),
    level=st.sampled_from(state.LEVELS),
    first=st.sampled_from(state.FIRSTS),
    window=st.none() | st.tuples(st.integers(0, 40), st.integers(41, 90)),
    budget=st.integers(1, 90_000),
    swap=st.none() | texts.filter(bool),
    swap_to=st.none() | texts.filter(bool),
    site=st.sampled_from(state.SITES),
    direction=st.sampled_from(state.DIRECTIONS),
)


def through_an_address(chosen: State) -> tuple[State, list[tuple[str, str]]]:
    """What a browser makes of a link: quoted, sent, unquoted."""
    address = urlencode(to_link(chosen))
    return from_link(dict(parse_qsl(address, keep_blank_values=True)), State())


@given(states)
def test_a_link_restores_everything(chosen: State) -> None:
    assert through_an_address(chosen) == (chosen, [])


@given(texts.filter(lambda text: bool(text.strip())))
def test_a_short_passage_travels_in_the_link(text: str) -> None:
    restored, bad = through_an_address(State(text=text, out=frozenset({1})))
    assert (restored.text, restored.out, bad) == (text, {1}, [])


def test_a_long_passage_does_not_and_the_page_can_tell() -> None:
    long = State(text="".join(chr(0x4E00 + 7919 * i % 20000) for i in range(3000)))
    assert not fits_link(long)
    assert "text" not in to_link(long)
    assert fits_link(State(text="short"))
    assert fits_link(State())


def test_every_field_of_the_state_has_its_parameter() -> None:
    assert {p.field for p in PARAMETERS} == {field.name for field in dataclasses.fields(State)}
    assert len({p.name for p in PARAMETERS}) == len(PARAMETERS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lang", "fr"),
        ("passage", "../../etc/passwd"),
        ("mode", "DELETE"),
        ("unit", ""),
        ("template", "jinja"),
        ("device", "cuda:999999"),
        ("out", "1,2"),
        ("out", "-5"),
        ("out", "9-3"),
        ("out", "0-99999999"),
        ("out", "²"),
        ("joins", "3"),
        ("joins", "a-b"),
        ("groups", "2"),
        ("heads", "5"),
        ("heads", "5.3,"),
        ("heads", ",".join(f"{n}.0" for n in range(500))),
        ("heads", "-1.3"),
        ("look", "5.3,7.1"),
        ("reader", "-1"),
        ("layers", "3,4"),
        ("window", "7-3"),
        ("window", "7"),
        ("site", "everything"),
        ("how", "delete"),
        ("text", "not base64 at all!"),
        ("text", "aGVsbG8"),
        ("q", "x" * 5000),
        ("q", "nul\0"),
    ],
)
def test_a_bad_value_falls_back_and_is_named(name: str, value: str) -> None:
    default = default_state("en")
    restored, bad = from_link({name: value, "mode": "hide"} if name != "mode" else {name: value}, default)
    assert bad == [(name, value[:60])]
    assert restored == (default if name == "mode" else dataclasses.replace(default, mode="hide"))


def test_a_packed_bomb_is_refused_without_being_unpacked() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b"a" * 50_000_000, 9)).decode()
    restored, bad = from_link({"text": bomb}, State())
    assert restored.text == ""
    assert [name for name, _ in bad] == ["text"]


def test_a_link_with_a_language_alone_starts_in_it() -> None:
    english = default_state("en")
    assert from_link({"lang": "zh"}, english)[0].preset == "coffee-zh"
    assert from_link({"lang": "zh", "passage": "crux-en"}, english)[0].preset == "crux-en"
    assert from_link({"mode": "hide"}, english)[0].preset == "coffee-en"


def test_a_visitor_starts_in_the_browsers_language() -> None:
    assert default_state("zh-CN") == State(lang="zh", preset="coffee-zh")
    assert default_state("de-AT") == State(lang="en", preset="coffee-en")
    assert default_state(None) == State(lang="en", preset="coffee-en")


def test_another_passage_forgets_what_meant_the_old_one() -> None:
    old = State(
        question="How often?",
        prefix="I",
        target="3",
        joins=((0, 4),),
        out=frozenset({3}),
        pin=frozenset(),
        mode="hide",
    )
    new = old.but(preset="coffee-zh")
    assert new == State(preset="coffee-zh", mode="hide")


def test_another_model_forgets_what_was_chosen_inside_the_old_one() -> None:
    old = State(ablated=((5, 3),), look=(5, 3), shown=(5,), window=(2, 4), how="mean", reader=3)
    assert old.but(model="smollm2") == State(model="smollm2", how="mean", reader=3)
    assert old.but(preset="coffee-zh") == State(
        preset="coffee-zh", ablated=((5, 3),), look=(5, 3), shown=(5,), window=(2, 4), how="mean"
    )


def test_another_unit_forgets_numbers_only() -> None:
    old = State(question="How often?", out=frozenset({3}), pin=frozenset({1}))
    assert old.but(unit="sentence") == State(question="How often?", unit="sentence")


def test_mode_and_target_keep_the_words_that_are_out() -> None:
    old = State(out=frozenset({3}), pin=frozenset({1}))
    assert old.but(mode="replace", target="1").out == {3}


def test_numbers_beyond_the_passage_are_dropped() -> None:
    assert within(frozenset({0, 4, 5, 900}), range(5)) == {0, 4}
    assert within(None, range(5)) == frozenset()


# ---- links that were made before


def test_links_of_every_version_still_open() -> None:
    kept = tomllib.loads((Path(__file__).parent / "earlier_links.toml").read_text(encoding="utf-8"))["link"]
    assert {one["version"] for one in kept} == {0, int(state.VERSION)}
    for one in kept:
        query = dict(parse_qsl(one["query"], keep_blank_values=True, strict_parsing=True))
        found, bad = from_link(query, default_state("en"))
        assert not bad, one["query"]
        told = {name: repr(value) for name, value in dataclasses.asdict(found).items()}
        plain = dataclasses.asdict(State())
        assert {name: value for name, value in told.items() if value != repr(plain[name])} == one["state"]
        if one["version"] == int(state.VERSION):  # a link that is written otherwise needs another version
            assert urlencode(to_link(found)) == one["query"]


def test_a_link_of_a_later_version_is_read_as_far_as_it_goes() -> None:
    restored, bad = from_link({"mode": "hide", "v": "99"}, State())
    assert (restored.mode, bad) == ("hide", [("v", "99")])


def test_2000_characters_of_chinese_prose_travel() -> None:
    told = tomllib.loads(
        (Path(__file__).parents[1] / "generator" / "free_zh.toml").read_text(encoding="utf-8")
    )
    text = "".join(one["text"] for one in told["passage"])[:2000]
    assert len(text) == 2000
    assert len(values.packed(text)) < values.LONGEST_TEXT_IN_LINK
    assert through_an_address(State(text=text))[0].text == text


def test_what_unpacks_to_more_than_a_passage_is_refused() -> None:
    within_bytes = values.packed("a" * (values.LONGEST_LINKED_PASSAGE + 1))
    assert from_link({"text": within_bytes}, State())[1]
    assert from_link({"text": "A" * (values.LONGEST_LINKED_PASSAGE + 1)}, State())[1]
    fits = "ab " * (values.LONGEST_LINKED_PASSAGE // 3)
    assert from_link({"text": values.packed(fits)}, State())[0].text == fits
