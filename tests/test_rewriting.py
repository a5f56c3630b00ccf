"""Trials that rewrite the passage or ask otherwise, against the same text asked about from the start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.interventions import Ablation, Cut
from probes.asking.question import Question
from probes.asking.rewriting import as_asked, moved
from probes.asking.trials import CLEAN, Mode, Pieces, Trial, Wording, in_order, with_text
from probes.errors import InputError
from probes.models.base import AnswerModel, Outcome
from probes.models.local import LocalModel
from probes.record.store import Store
from probes.studies import STUDIES, Asking, Study
from probes.studies.base import Steps
from probes.studies.effects import run_fields
from probes.text.passage import Passage
from tests.fake_models import Counting
from tests.oracle import log_prob, log_prob_hidden

TEXT = "I walked into the shop. Then I went home. On Monday I was at the shop again."


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return load_model("builtin")


@pytest.fixture(scope="module")
def question() -> Question:
    return replace(preset("coffee-en").question(), passage=Passage(TEXT), preset=None, roles={})


def outcomes(model: AnswerModel, question: Question, trials: list[Trial]) -> list[Outcome]:
    prepared = model.prepare(question, [CLEAN, *trials])
    found = dict(iter(model.score(prepared)))
    return [model.outcome(question, one, found[i]) for i, one in enumerate(prepared)][1:]


def as_text(pieces: Pieces) -> str:
    return "".join(piece if isinstance(piece, str) else TEXT[slice(*piece)] for piece in pieces)


# ---- texts


def test_sentences_in_another_order_and_text_around_them() -> None:
    spans = [unit.span for unit in Passage(TEXT).sentences]
    turned = "On Monday I was at the shop again. Then I went home. I walked into the shop."
    assert as_text(in_order(TEXT, spans, (2, 1, 0))) == turned
    assert as_text(in_order(TEXT, spans, (0, 1, 2))) == TEXT
    assert as_text(with_text(TEXT, before="A shop sells. ", after=" So.")) == f"A shop sells. {TEXT} So."
    with pytest.raises(ValueError, match="order"):
        in_order(TEXT, spans, (0, 0, 1))


pieces = st.lists(
    st.text("xy ", min_size=1, max_size=3)
    | st.tuples(st.integers(0, 40), st.integers(1, 9)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    min_size=1,
    max_size=6,
).map(tuple)


@given(pieces, st.sets(st.integers(0, len(TEXT) - 1), max_size=20))
def test_characters_are_followed_to_where_they_went(made: Pieces, chosen: set[int]) -> None:
    """Each character of the passage by itself, the slow way."""
    spans = [(i, i + 1) for i in sorted(chosen)]
    expected, at = set(), 0
    for piece in made:
        if isinstance(piece, str):
            at += len(piece)
            continue
        for i in range(*piece):
            if i in chosen:
                expected.add(at)
            at += 1
    found = moved(made, spans)
    assert {i for start, end in found for i in range(start, end)} == expected
    assert all(a < b for a, b in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))


def test_words_made_by_hand_go_along() -> None:
    passage = Passage(TEXT, joins=[(2, 13)], splits=[20])  # "walked into", "s|hop"
    asked = Question(passage, "How often?", preset("coffee-en").question().answers)
    whole = as_asked(asked, Trial(pieces=with_text(TEXT, before="Well. ")))[0].passage
    assert [word.text for word in whole.words][1:] == [word.text for word in passage.words]
    apart = as_asked(asked, Trial(pieces=((0, 6), " ", (6, len(TEXT)))))[0].passage
    assert "walked into" not in [word.text for word in apart.words]


# ---- numbers

SENTENCES = [unit.span for unit in Passage(TEXT).sentences]
TURNED = in_order(TEXT, SENTENCES, (2, 0, 1))
SHOP = (TEXT.rindex("shop"), TEXT.rindex("shop") + 4)
WALKED = (TEXT.index("walked"), TEXT.index("walked") + 6)
CUT = Cut(None, (SHOP,))
ZEROED = Ablation("head", 1, 2, at=(SHOP,))


def kinds() -> Iterator[tuple[str, Trial, str]]:
    """(name, trial, the passage it should come to)."""
    turned = as_text(TURNED)
    yield "order", Trial(pieces=TURNED), turned
    yield (
        "before",
        Trial(pieces=with_text(TEXT, before="A shop sells things. ")),
        f"A shop sells things. {TEXT}",
    )
    yield "rewritten", Trial(pieces=((0, 2), "ran", (8, 23))), "I ran into the shop."
    yield "deleted there", Trial((WALKED,), pieces=TURNED), turned.replace("walked ", "")
    gone = Trial((WALKED, SHOP), Mode.REPLACE, ("ran", "bar"), pieces=TURNED)
    yield "other words there", gone, turned.replace("walked", "ran").replace("shop", "bar", 1)
    yield (
        "other words",
        Trial((WALKED, SHOP), Mode.REPLACE, ("ran", "bar")),
        (TEXT.replace("walked", "ran").replace("at the shop", "at the bar")),
    )


@pytest.mark.parametrize(("trial", "text"), [(t, x) for _, t, x in kinds()], ids=[n for n, *_ in kinds()])
def test_numbers_are_those_of_the_text_it_comes_to(
    trial: Trial, text: str, model: LocalModel, question: Question
) -> None:
    (found,) = outcomes(model, question, [trial])
    ids = model.layout(replace(question, passage=Passage(text))).ids
    assert text in found.prepared.prompt
    assert found.prepared.prompt_ids == ids
    assert found.prepared.reaches
    for term, value in zip(found.answers.terms, found.answers.log_probs, strict=True):
        assert value == pytest.approx(log_prob(model.loaded.model, ids, term.ids), abs=1e-4)


def test_words_are_hidden_where_they_went(model: LocalModel, question: Question) -> None:
    (found,) = outcomes(model, question, [Trial((SHOP,), Mode.HIDE, pieces=TURNED)])
    turned = as_text(TURNED)
    layout = model.layout(replace(question, passage=Passage(turned)))
    start = turned.index("shop")
    (tokens,) = layout.tokens_of([(start, start + 4)])
    assert found.prepared.hidden_positions == tuple(range(*tokens))
    for term, value in zip(found.answers.terms, found.answers.log_probs, strict=True):
        expected = log_prob_hidden(model.loaded.model, layout.ids, term.ids, range(*tokens))
        assert value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("one", [CUT, ZEROED], ids=["cut", "zeroed"])
def test_what_is_done_inside_follows_the_words(
    one: Cut | Ablation, model: LocalModel, question: Question
) -> None:
    turned = as_text(TURNED)
    there = (turned.index("shop"), turned.index("shop") + 4)
    same = replace(one, read=(there,)) if isinstance(one, Cut) else replace(one, at=(there,))
    (found,) = outcomes(model, question, [Trial(inside=(one,), pieces=TURNED)])
    (plain,) = outcomes(model, replace(question, passage=Passage(turned)), [Trial(inside=(same,))])
    assert found.answers.log_probs == pytest.approx(plain.answers.log_probs, abs=1e-4)


@pytest.mark.parametrize("template", ["plain", "builtin"])
def test_another_question_is_that_question(template: str, model: LocalModel, question: Question) -> None:
    wording = Wording(question="How often did I go home?", template=template)
    (found,) = outcomes(model, question, [Trial((WALKED,), wording=wording)])
    asked = replace(question, question="How often did I go home?", template=template)
    (plain,) = outcomes(model, asked, [Trial((WALKED,))])
    assert found.prepared.prompt == plain.prepared.prompt
    assert found.answers.log_probs == pytest.approx(plain.answers.log_probs, abs=1e-4)
    assert found.prepared.put.template == template


def test_what_changes_nothing_reaches_nothing(model: LocalModel, question: Question) -> None:
    whole, same, gone = outcomes(
        model,
        question,
        [
            Trial(pieces=with_text(TEXT)),
            Trial(wording=Wording(question=question.question)),
            Trial((WALKED,), pieces=((24, len(TEXT)),)),  # the word went with its sentence
        ],
    )
    assert not whole.prepared.reaches
    assert not same.prepared.reaches
    assert gone.prepared.reaches
    assert "walked" not in gone.prepared.prompt


def test_what_cannot_be_is_refused(model: LocalModel, question: Question) -> None:
    for trial, key in (
        (Trial(pieces=()), "passage_empty"),
        (Trial(pieces=((0, 999),)), "span_outside"),
        (Trial(pieces=with_text(TEXT, before="</s>")), "text_control"),
        (Trial((WALKED,), Mode.REPLACE, ("</s>",)), "text_control"),
        (Trial(wording=Wording(template="nonsense")), "template_unknown"),
    ):
        with pytest.raises(InputError) as caught:
            model.prepare(question, [trial])
        assert caught.value.key == key
    with pytest.raises(ValueError, match="fillers"):
        Trial((WALKED, SHOP), Mode.REPLACE, ("ran",))


# ---- through a study


def otherwise(asking: Asking) -> Steps:
    """Every kind of trial at once."""
    trials = [trial for _, trial, _ in kinds()]
    trials.append(Trial(wording=Wording(question="How often did I go home?")))
    found = yield trials
    return {"rows": [{**asking.effect(one), **run_fields(one)} for one in found]}


@pytest.mark.parametrize("source", ["builtin", "counting"])
def test_a_study_may_ask_all_of_it(
    source: str, model: LocalModel, question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STUDIES, "otherwise", Study("otherwise", (), otherwise))
    asked = model if source == "builtin" else Counting()
    question = replace(question, answers=AnswerSet.parse("0=never;1=once;2=twice"), tempting=None)
    store = Store(tmp_path / "trials.sqlite")
    first = run("otherwise", asked, question, store=store)
    again = run("otherwise", asked, question, store=store)
    assert first.rows == again.rows
    assert again.data["provenance"]["from_store"] == again.data["provenance"]["trials"]
    rows = first.rows
    assert rows[0]["pieces"] == [list(piece) if isinstance(piece, tuple) else piece for piece in TURNED]
    assert rows[-1]["wording"] == {"question": "How often did I go home?"}
    assert "pieces" not in rows[5]
    for row, (_, _, text) in zip(rows, kinds(), strict=False):
        assert text in row["prompt"]
    first.to_json()
    first.to_csv()
