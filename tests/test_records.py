"""Records against plain forwards: every number of a row can be had again from what the row itself names.

Nothing of the engine is used here, only the stock model, `prompt_ids`, `scored.ids` and `hidden_positions`.
"""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.cli import main
from probes.errors import InputError, LimitError
from probes.models.fillers import NEUTRAL, blank_token, choose
from probes.models.local import LocalModel
from probes.record.results import ProbeResult
from probes.record.store import Store
from probes.text.passage import Passage
from tests.oracle import log_prob, log_prob_hidden

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return load_model("builtin")


FEW = {"en": "0=never;1=once=one=one time;3=three times", "zh": "0=零次;1=一次=一;3=三次"}


def small(name: str = "coffee-en", sentences: int = 2, **changes: Any) -> Question:
    """A preset's first sentences and few strings: little enough to be checked one forward at a time."""
    question = preset(name).question()
    end = question.passage.sentences[sentences - 1].end
    passage = Passage(question.passage.text[:end], dictionary=question.passage.dictionary)
    few = AnswerSet.parse(FEW[question.language])
    return replace(question, **{"passage": passage, "preset": None, "roles": {}, "answers": few, **changes})


def check_answers(model: LocalModel, row: Mapping[str, Any], hidden: tuple[int, ...] = ()) -> None:
    """Recompute every string's log-probability, and each answer from its strings by hand."""
    stock = model.loaded.model
    assert row["prompt_ids"] == model.tokenizer(row["prompt"], add_special_tokens=False).input_ids
    for answer in row["answers"]:
        total = 0.0
        for term in answer["scored"]:
            if hidden:
                plain = log_prob_hidden(stock, row["prompt_ids"], term["ids"], hidden)
            else:
                plain = log_prob(stock, row["prompt_ids"], term["ids"])
            assert term["log_prob"] == pytest.approx(plain, abs=TOLERANCE)
            total += term["sign"] * math.exp(plain)
        assert answer["probability"] == pytest.approx(total, rel=TOLERANCE, abs=1e-9)
    assert row["coverage"] == pytest.approx(sum(a["probability"] for a in row["answers"]))


@pytest.mark.parametrize("mode", ["delete", "hide", "replace"])
@pytest.mark.parametrize("name", ["coffee-en", "coffee-zh"])
def test_every_row_can_be_checked_by_plain_forwards(model: LocalModel, name: str, mode: str) -> None:
    result = run("words", model, small(name), {"mode": mode})
    data = result.data
    check_answers(model, data["clean"])
    for row in [*data["rows"][::9], *data["groups"][:2]]:
        check_answers(model, row, tuple(row["hidden_positions"]))
        assert row["mode"] == mode
        clean = {a["answer"]: a for a in data["clean"]["answers"]}
        now = {a["answer"]: a for a in row["answers"]}
        label = data["target"]["label"]
        assert row["effect_log_prob"] == pytest.approx(now[label]["log_prob"] - clean[label]["log_prob"])
        moved = now[label]["probability"] - clean[label]["probability"]
        assert row["effect_probability"] == pytest.approx(moved)
        assert row["flips"] == (row["top"] != data["clean"]["top"])


def test_a_deleted_row_is_the_text_without_the_word(model: LocalModel) -> None:
    data = run("words", model, small(), {"mode": "delete"}).data
    text, prompt = data["clean"]["passage"], data["clean"]["prompt"]
    before, after = prompt.split(text)
    for row in data["rows"]:
        (span,) = row["removed"]
        assert row["prompt"] == before + text[: span[0]] + text[span[1] :] + after
        assert text[span[0] : span[1]].strip() == row["text"]


def test_a_hidden_row_names_the_tokens_of_its_word_and_leaves_the_text(model: LocalModel) -> None:
    data = run("words", model, small(), {"mode": "hide"}).data
    ids = data["clean"]["prompt_ids"]
    for row in data["rows"]:
        assert row["prompt_ids"] == ids
        seen = model.tokenizer.decode([ids[i] for i in row["hidden_positions"]]).strip()
        assert row["text"] in seen


def test_a_replaced_row_has_the_filler_there_and_says_whether_the_length_changed(model: LocalModel) -> None:
    data = run("words", model, small(), {"mode": "replace"}).data
    chosen = run("words", model, small(), {"mode": "replace", "filler": "a very long filler"}).data
    for row in data["rows"]:
        assert row["length_changed"] == (len(row["prompt_ids"]) != len(data["clean"]["prompt_ids"]))
        assert row["filler"] in row["prompt"]
        assert not row["length_changed"], "the mask token keeps the length"
    assert all(row["length_changed"] and row["filler"] == "a very long filler" for row in chosen["rows"])


def test_a_mask_token_is_a_filler_only_where_it_says_nothing(model: LocalModel) -> None:
    """Gemma's tokenizer has one that its model never read: its vector is as untrained as it was drawn."""
    embeddings = torch.eye(5)
    tokenizer = SimpleNamespace(mask_token="<mask>", mask_token_id=3)
    assert blank_token(tokenizer, embeddings) is None
    embeddings[3] = 0
    assert blank_token(tokenizer, embeddings) == "<mask>"
    assert blank_token(SimpleNamespace(mask_token="<mask>", mask_token_id=5), embeddings) is None
    assert blank_token(SimpleNamespace(mask_token=None, mask_token_id=None), embeddings) is None
    own = model.tokenizer.mask_token
    assert {row["filler"] for row in run("words", model, small(), {"mode": "replace"}).data["rows"]} >= {own}
    layout, span = model.layout(small()), small().passage.words[0].span
    english, chinese = (
        choose(small().passage.text, [span], layout, model.tokenizer, language) for language in ("en", "zh")
    )
    assert english[0] in NEUTRAL["en"]
    assert chinese[0] in NEUTRAL["zh"]


@pytest.mark.parametrize("unit", ["sentence", "paragraph", "token"])
def test_other_units(model: LocalModel, unit: str) -> None:
    data = run("words", model, small(), {"unit": unit}).data
    text = data["clean"]["passage"]
    assert all(text[r["start"] : r["end"]] == r["text"] for r in data["rows"])
    for row in data["rows"][:3]:
        check_answers(model, row)
    if unit == "token":
        assert {r["tokens"] for r in data["rows"]} == {1}
        assert "".join(r["text"] for r in data["rows"]) == text


def test_the_reference_engine_says_the_same(model: LocalModel) -> None:
    plain = LocalModel(model.loaded, how="reference")
    for mode in ("delete", "hide"):
        fast, slow = (run("words", m, small(), {"mode": mode}).data for m in (model, plain))
        assert slow["provenance"]["engine"][0]["how"] == "reference"
        for one, other in zip(fast["rows"], slow["rows"], strict=True):
            assert one["effect_log_prob"] == pytest.approx(other["effect_log_prob"], abs=TOLERANCE)


def test_targets(model: LocalModel) -> None:
    question = small()
    by_name = {t: run("words", model, question, {"target": t}).data for t in ("top", "right", "3", "1:3")}
    for name, data in by_name.items():
        row, clean = data["rows"][7], data["clean"]

        def value(run: Mapping[str, Any], name: str = name, clean: Mapping[str, Any] = clean) -> float:
            logs = {a["answer"]: a["log_prob"] for a in run["answers"]}
            if name == "1:3":
                return logs["1"] - logs["3"]
            return logs[{"top": clean["top"], "right": "1"}.get(name, name)]

        assert row["effect_log_prob"] == pytest.approx(value(row) - value(clean))
    with pytest.raises(InputError, match="not known"):
        run("words", model, question, {"target": "7"})
    with pytest.raises(InputError, match="no right answer"):
        run("words", model, small(right=None), {"target": "right"})


def test_dropping_words_together_is_read_against_random_sets(model: LocalModel) -> None:
    question = preset("coffee-en").question()
    data = run("ask", model, question, {"drop": "walked,into", "control": 10}).data
    check_answers(model, data)
    check_answers(model, data["clean"])
    assert "walked" not in data["prompt"].split("Question")[0]
    assert data["taken"]["texts"] == ["walked", "into"]
    assert data["taken"]["occurrences"] == [[1, 1], [1, 1]]
    assert data["control"]["n"] == 10
    assert data["control"]["tokens"] == data["taken"]["tokens"]
    assert sorted(data["control"]["effects"]) == data["control"]["effects"]


def test_what_is_in_the_store_is_not_run_again_and_says_the_same(model: LocalModel, tmp_path: Any) -> None:
    store = Store(tmp_path / "trials.sqlite")
    first = run("words", model, small(), store=store).data
    second = run("words", model, small(), store=store).data
    assert second["provenance"]["engine"] == []
    assert second["provenance"]["from_store"] == second["provenance"]["trials"]
    assert second["rows"] == first["rows"]
    assert second["noise_floor"] == first["noise_floor"]
    assert second["clean"] == first["clean"]


def test_a_record_from_the_store_keeps_how_it_was_first_measured(model: LocalModel, tmp_path: Any) -> None:
    store = Store(tmp_path / "trials.sqlite")
    first = run("words", model, small(), store=store).data["provenance"]
    assert first["stored"] == []
    second = run("words", model, small(), store=store).data["provenance"]
    (report,), (known,) = first["engine"], second["stored"]
    assert report["forwards"] > 0
    assert {name: known[name] for name in report} == report
    assert {name: known[name] for name in ("crux", "versions", "processor")} == {
        name: first[name] for name in ("crux", "versions", "processor")
    }
    again = run("words", model, small(), {"mode": "hide"}, store=store).data["provenance"]
    assert again["engine"][0]["forwards"] > 0
    assert again["stored"] == second["stored"]  # of the clean run


class Stop(BaseException):
    """As Streamlit's own: no Exception."""


def test_a_stop_keeps_what_was_done_and_the_next_run_goes_on(model: LocalModel, tmp_path: Any) -> None:
    store = Store(tmp_path / "trials.sqlite")
    question = preset("coffee-en").question()
    calls = []

    def stop(done: int, total: int) -> None:
        calls.append((done, total))
        if 0 < done < total:
            raise Stop

    with pytest.raises(Stop):
        run("words", model, question, store=store, on_progress=stop)
    rest = run("words", model, question, store=store).data
    assert 0 < rest["provenance"]["from_store"] < rest["provenance"]["trials"]
    assert len(rest["provenance"]["stored"]) == 1
    assert rest["provenance"]["stored"][0]["forwards"] > 0
    untouched = run("words", model, question).data
    for one, other in zip(rest["rows"], untouched["rows"], strict=True):
        assert one["effect_log_prob"] == pytest.approx(other["effect_log_prob"], abs=TOLERANCE)


def test_a_passage_beyond_the_window_is_refused_with_both_numbers(model: LocalModel) -> None:
    question = small()
    long = Question(Passage("word " * 2000), question.question, question.answers)
    with pytest.raises(LimitError, match=r"20\d\d tokens.*reads \d+ at most"):
        run("ask", model, long)


@pytest.mark.parametrize(
    "text", ["Hi </script><img src=x onerror=alert(1)>", "😀👩‍👩‍👧 went 🇨🇳 home", "שלום עולם hello", "…!?。"]
)
def test_nasty_text(model: LocalModel, text: str) -> None:
    question = Question(Passage(text), "How often?", small().answers)
    if not question.passage.words:
        with pytest.raises(InputError, match="no word"):
            run("words", model, question)
        return
    data = run("words", model, question).data
    assert data["clean"]["passage"] == text
    assert json.loads(ProbeResult("words", data).to_json()) == data


def test_the_record_survives_json_and_csv(model: LocalModel) -> None:
    result = run("words", model, small(), {"control": 5})
    assert json.loads(result.to_json()) == json.loads(json.dumps(dict(result.data)))
    table = list(csv.DictReader(io.StringIO(result.to_csv())))
    assert len(table) == len(result.rows) + len(result.data["groups"])
    assert float(table[0]["effect_log_prob"]) == result.rows[0]["effect_log_prob"]
    assert float(table[0]["p(1)"]) == result.rows[0]["answers"][1]["probability"]


def test_the_command_line_in_the_record_makes_it_again(
    model: LocalModel, monkeypatch: Any, capsys: Any
) -> None:
    question = preset("coffee-zh").question()
    result = run("ask", model, question, {"drop": "走进", "mode": "hide", "target": "1:3"})
    words = shlex.split(result.data["provenance"]["command_line"])
    main([*words[1:], "--json", "--no-cache", "--quiet"])
    again = json.loads(capsys.readouterr().out)
    assert again["effect_log_prob"] == pytest.approx(result.data["effect_log_prob"], abs=1e-6)
    assert again["prompt"] == result.data["prompt"]


def test_a_command_line_with_signs_and_line_ends_makes_its_record_again(
    model: LocalModel, monkeypatch: Any, capsys: Any, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("passage.txt").write_bytes(b"I went to the bar.\r\nI left.\r\n")
    question = Question(
        Passage("I went to the bar.\r\nI left.\r\n"),
        "--how; often=?",
        AnswerSet.of({"1=": ["x=1;", " once"], "2": ["twice\\"]}),
        language="zh",
        template="plain",
        answer_prefix="- a\nb",
    )
    question = replace(question, answers=replace(question.answers, endings=("|", "\n", "\\n")))
    result = run("ask", model, question, {"drop": "bar", "target": "1=", "control": 0}).data
    _, *words = shlex.split(result["provenance"]["command_line"])
    main([*words, "--json", "--no-cache", "--quiet"])
    again = json.loads(capsys.readouterr().out)
    assert again["prompt"] == result["prompt"]
    assert again["effect_log_prob"] == pytest.approx(result["effect_log_prob"], abs=1e-6)
    assert [a["strings"] for a in again["answers"]] == [a["strings"] for a in result["answers"]]
    assert again["endings"] == result["endings"]


def test_what_the_model_says_by_itself_stands_beside_each_run(model: LocalModel) -> None:
    question = preset("coffee-en").question()
    cut = run("ask", model, question, {"drop": "walked,into", "control": 0}).data
    assert cut["greedy"].strip() == "never"
    assert cut["clean"]["greedy"].strip() == "once"
    hidden = run("ask", model, question, {"drop": "walked,into", "mode": "hide", "control": 0}).data
    assert hidden["greedy"] is None
    assert hidden["clean"]["greedy"].strip() == "once"


def test_the_record_names_what_the_template_used(model: LocalModel) -> None:
    data = run("ask", model, replace(preset("coffee-en").question(), system="Be brief.")).data
    assert (data["template"], data["answer_prefix"], data["system"]) == ("builtin", "", None)
    plain = run("ask", model, replace(preset("coffee-en").question(), template="plain")).data
    assert plain["answer_prefix"] == "I went to the coffee shop"
    assert plain["prompt"].endswith(plain["answer_prefix"])


ASK = {
    *("passage", "question", "template", "prompt", "prompt_ids", "answers", "coverage", "other", "top"),
    *("greedy", "headline", "provenance"),
}
ROW = {
    *("text", "occurrence", "spans", "token_spans", "mode", "filler", "hidden_positions", "prompt"),
    *("prompt_ids", "answers", "effect_log_prob", "effect_probability", "kl", "top", "flips", "no_change"),
    "retokenised",
}
WORDS = {"clean", "target", "rows", "groups", "noise_floor", "control", "headline", "provenance", "schema"}


def test_the_fields_of_schema_1_are_all_there(model: LocalModel) -> None:
    ask = run("ask", model, small()).data
    words = run("words", model, small()).data
    assert set(ask) >= ASK
    assert set(words["clean"]) >= ASK - {"headline", "provenance"}
    assert set(words) >= WORDS
    for row in [*words["rows"], *words["groups"]]:
        assert set(row) >= ROW
    for answer in ask["answers"]:
        assert {"answer", "strings", "scored", "probability", "log_prob", "share"} <= set(answer)
        assert all({"string", "ids", "log_prob", "sign"} <= set(term) for term in answer["scored"])


@pytest.mark.parametrize("sign", ["<s>", "</s>", "<pad>"])
def test_control_tokens_in_answers_and_fillers_are_refused(model: LocalModel, sign: str) -> None:
    with pytest.raises(InputError, match="control token"):
        run("ask", model, small(answers=AnswerSet.parse(f"0={sign};1=once")))
    with pytest.raises(InputError, match="control token"):
        run("words", model, small(), {"mode": "replace", "filler": sign})


def test_endings_narrow_an_answer(model: LocalModel) -> None:
    question = small()
    ended = replace(question, answers=replace(question.answers, endings=("</s>",)))
    free, bound = (run("ask", model, q).data for q in (question, ended))
    assert bound["endings"] == ["</s>"]
    assert all(t["string"].endswith("</s>") for a in bound["answers"] for t in a["scored"])
    for one, other in zip(free["answers"], bound["answers"], strict=True):
        assert other["probability"] <= one["probability"] + 1e-6


def test_a_chinese_passage_is_asked_in_chinese() -> None:
    question = Question(Passage("我走进了书店。"), "几次？", AnswerSet.parse("0=零次;1=一次"))
    assert question.language == "zh"
