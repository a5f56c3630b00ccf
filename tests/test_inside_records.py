"""Records of what happens inside a model against the oracle: every row by a whole plain forward."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.interventions import How, Reference
from probes.asking.question import Question
from probes.asking.trials import CLEAN, Mode, Trial
from probes.cli import main
from probes.errors import CapabilityError, InputError, LimitError
from probes.models.local import LocalModel
from probes.ranks import spearman
from probes.text.passage import Passage
from tests import inside_oracle
from tests.inside_oracle import Cut, Put
from tests.inside_rows import check_row, everywhere, log_probs, tokens

FEW = {"en": "0=never;1=once;3=three times", "zh": "0=零次;1=一次;3=三次"}


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return load_model("builtin")


@pytest.fixture(scope="module", params=["coffee-en", "coffee-zh"])
def question(request: pytest.FixtureRequest) -> Question:
    """The first two sentences of a preset and one string an answer."""
    full = preset(request.param).question()
    end = full.passage.sentences[1].end
    passage = Passage(full.passage.text[:end], dictionary=full.passage.dictionary)
    few = AnswerSet.parse(FEW[full.language])
    return replace(full, passage=passage, preset=None, roles={}, answers=few)


@pytest.fixture
def only(question: Question) -> Question:
    """The English one, where one language is enough."""
    if question.language != "en":
        pytest.skip("one language is enough")
    return question


def test_heads_zeroed(model: LocalModel, question: Question) -> None:
    data = run("heads", model, question, {"control": 3}).data
    sizes = model.loaded.model.config
    layers, heads = sizes.num_hidden_layers, sizes.num_attention_heads
    expected = [(layer, head) for layer in range(layers) for head in range(heads)]
    assert [(r["layer"], r["head"]) for r in data["rows"]] == expected
    for row in data["rows"][::3]:
        check_row(row, data["clean"], log_probs(model, question, Put("head", row["layer"], row["head"])))
    cumulative = data["cumulative"]
    assert (
        cumulative["order"][0]
        == min(([r["effect_log_prob"], [r["layer"], r["head"]]] for r in data["rows"]), key=lambda x: x[0])[1]
    )
    two = next(row for row in cumulative["remove"] if row["k"] == 2)
    puts = [Put("head", *place) for place in cumulative["order"][:2]]
    check_row(two, data["clean"], log_probs(model, question, *puts))
    kept = next(row for row in cumulative["keep"] if row["k"] == 8)
    check_row(
        kept, data["clean"], log_probs(model, question, *(Put("head", *p) for p in cumulative["order"][8:]))
    )
    flipping = [row["k"] for row in cumulative["remove"] if row["flips"]]
    assert cumulative["flips_at"] == min(flipping, default=None)


def test_one_head_alone_has_no_random_heads_beside_it(model: LocalModel) -> None:
    """Of single heads the strongest is first by construction; of sets, random ones say something."""
    for name, alone in (("bookshop-zh", True), ("library-en", False)):
        data = run("heads", model, preset(name).question(), {"control": 3}).data
        size = data["cumulative"]["flips_at"]
        assert (size == 1) is alone
        assert (data["control"] or {}).get("size") == (None if alone else size)


def test_heads_at_the_answer_alone(model: LocalModel, only: Question) -> None:
    data = run("heads", model, only, {"positions": "answer", "cumulative": False, "control": 0}).data
    layout = model.layout(only)
    at = tuple(i for i in everywhere(model, only) if i >= len(layout.ids) - 1)
    for row in data["rows"][::6]:
        for answer, term in zip(row["answers"], sorted(layout.terms, key=lambda t: t.answer), strict=True):
            inside = tuple(i for i in at if i < len(layout.ids) + len(term.ids) - 1)
            put = Put("head", row["layer"], row["head"], inside)
            wanted = inside_oracle.log_prob(model.loaded.model, layout.ids, term.ids, [put])
            assert math.log(answer["probability"]) == pytest.approx(wanted, abs=2e-4)


def test_heads_at_some_words(model: LocalModel, question: Question) -> None:
    name = "walked" if question.language == "en" else "走进"
    data = run("heads", model, question, {"positions": name, "cumulative": False, "control": 0}).data
    (span,) = question.passage.find(name)
    at = tokens(model, question, *span)
    for row in data["rows"][::6]:
        check_row(row, data["clean"], log_probs(model, question, Put("head", row["layer"], row["head"], at)))
    with pytest.raises(InputError, match="nowhere"):
        run("heads", model, question, {"positions": "nowhere"})


def test_a_record_that_does_not_fit_is_refused(
    model: LocalModel, only: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probes.engine.edited.free_bytes", lambda: 1_000_000)
    longer = replace(only, passage=Passage(only.passage.text + " I sat down."))
    with pytest.raises(LimitError, match="GB"):
        run("heads", model, longer, {})


def test_pooled_mean_is_the_mean_of_the_references(model: LocalModel, only: Question) -> None:
    options = {"ablate_mode": "mean", "reference_positions": "pooled", "reference_size": 3}
    data = run("heads", model, only, {**options, "cumulative": False, "control": 0}).data
    prompts = data["reference"]["prompts"]
    assert (prompts, 0) == model.inside.references.prompts(only, Reference(3, 0, "pooled"))
    assert len(set(prompts)) == 3
    assert all(prompt.endswith(model.layout(only).frame.after) for prompt in prompts)
    width, means = 32, []
    for prompt in prompts:
        ids = model.tokenizer(prompt, add_special_tokens=False).input_ids
        seen = inside_oracle.values(model.loaded.model, ids, [("head", 2)])["head", 2]
        means.append(seen[1:].mean(0))
    mean = torch.stack(means).mean(0)
    row = next(r for r in data["rows"] if (r["layer"], r["head"]) == (2, 1))
    put = Put("head", 2, 1, None, mean[width : 2 * width])
    check_row(row, data["clean"], log_probs(model, only, put))
    strings = replace(only, answers=AnswerSet.parse("0=never;1=once=one time=only once;3=three times"))
    for asked in (only, strings):  # the tokens of the answers that happen to be listed are in no mean
        work = model.prepare(asked, [CLEAN])[0].work
        pooled = model.inside.references.values(work, How.MEAN, Reference(3, 0, "pooled"))["head"][2]
        assert pooled is not None
        torch.testing.assert_close(pooled, mean.expand_as(pooled), rtol=1e-5, atol=1e-6)


def test_layers_zeroed(model: LocalModel, only: Question) -> None:
    data = run("layers", model, only, {"ablate_mode": "zero"}).data
    assert len(data["rows"]) == 2 * model.loaded.model.config.num_hidden_layers
    for row in data["rows"][::3]:
        check_row(row, data["clean"], log_probs(model, only, Put(row["part"], row["layer"])))


def test_links_are_knockouts(model: LocalModel, question: Question) -> None:
    data = run("links", model, question, {"budget": 12}).data
    words = len(data["units"])
    assert len(data["rows"]) == words + 12
    assert data["left_out"] == words * (words - 1) // 2 - 12
    every, start = everywhere(model, question), len(model.layout(question).ids) - 1
    for row in [*data["rows"][:words:7], *data["rows"][words::4]]:
        keys = tokens(model, question, row["to"]["start"], row["to"]["end"])
        if row["from"] == "answer":
            queries = tuple(i for i in every if i >= start)
        else:
            queries = tokens(model, question, row["from"]["start"], row["from"]["end"])
        check_row(row, data["clean"], log_probs(model, question, Cut(queries, keys)))


def test_links_in_a_window_of_layers(model: LocalModel, only: Question) -> None:
    data = run("links", model, only, {"budget": 3, "layers": "1-2"}).data
    row = data["rows"][-1]
    queries = tokens(model, only, row["from"]["start"], row["from"]["end"])
    keys = tokens(model, only, row["to"]["start"], row["to"]["end"])
    check_row(row, data["clean"], log_probs(model, only, Cut(queries, keys, layers=(1, 2))))
    with pytest.raises(InputError, match="layers"):
        run("links", model, only, {"layers": "3-9"})


def test_lens_ends_with_the_answer(model: LocalModel, question: Question) -> None:
    data = run("lens", model, question, {}).data
    layout = model.layout(question)
    for term in layout.terms:
        truth = inside_oracle.lens(model.loaded.model, layout.ids, term.ids)
        for row, wanted in zip(data["rows"], truth, strict=True):
            found = row["answers"][term.answer]["probability"]
            assert math.log(found) == pytest.approx(sum(wanted), abs=2e-4)
    last = [a["probability"] for a in data["rows"][-1]["answers"]]
    assert last == pytest.approx([a["probability"] for a in data["clean"]["answers"]], rel=1e-4)
    assert data["rows"][data["settled_at"]]["top"] == data["clean"]["top"]
    numbers = [None, *range(data["geometry"]["layers"])]
    assert [row["after_layer"] for row in data["rows"]] == numbers, "numbered as layers are everywhere else"
    assert data["settled_after"] == numbers[data["settled_at"]]


def test_patching_both_ways(model: LocalModel, question: Question) -> None:
    change, to = ("walked into", "walked past") if question.language == "en" else ("走进", "路过")
    stock, clean_ids = model.loaded.model, list(model.layout(question).ids)
    other = replace(question, passage=Passage(question.passage.text.replace(change, to, 1)))
    other_ids = list(model.layout(other).ids)
    assert len(clean_ids) == len(other_ids)
    for direction, base, source in (("denoising", other_ids, clean_ids), ("noising", clean_ids, other_ids)):
        data = run("patch", model, question, {"change": change, "to": to, "direction": direction}).data
        rows = [r for r in data["rows"] if r["unit"] != "answer" and r["layer"] in (0, 3)]
        strongest = sorted(rows, key=lambda r: -abs(r["recovered"]))[:3]
        for row in [*strongest, rows[0]]:
            at = tokens(model, question, row["start"], row["end"])
            states = inside_oracle.values(stock, source, [("block", row["layer"])])["block", row["layer"]]
            put = Put("block", row["layer"], None, at, states[list(at)])
            check_row(row, data["base"], log_probs(model, question, put, ids=base))
        assert data["base"]["prompt_ids"] == base
        assert data["source"]["prompt_ids"] == source


def test_patching_needs_equal_lengths(model: LocalModel, only: Question) -> None:
    with pytest.raises(InputError, match="tokens long"):
        run("patch", model, only, {"change": "walked into", "to": "went by bus all the way to"})
    with pytest.raises(InputError, match="which words"):
        run("patch", model, replace(only, swaps=()), {})


def test_attention_by_words(model: LocalModel, only: Question) -> None:
    data = run("attention", model, only, {}).data
    layout = model.layout(only)
    weights = inside_oracle.attention(model.loaded.model, layout.ids)
    row = next(r for r in data["rows"] if (r["layer"], r["head"]) == (3, 2))
    found = weights[3]
    assert found is not None
    for unit, share in zip(data["units"], row["weights"], strict=True):
        keys = tokens(model, only, unit["start"], unit["end"])
        assert share == pytest.approx(float(found[2, -1, list(keys)].sum()), abs=1e-5)
    assert row["sink"] == pytest.approx(float(found[2, -1, 0]), abs=1e-5)
    assert sum(row["weights"]) + row["sink"] + row["rest"] == pytest.approx(1, abs=1e-5)
    rho = next(r["rho"] for r in data["agreement"]["rows"] if (r["layer"], r["head"]) == (3, 2))
    assert rho == pytest.approx(spearman(row["weights"], [abs(e) for e in data["effects"]]))
    agreement = data["agreement"]
    assert agreement["words"] == len(data["units"])
    removed = run("words", model, only, {}).data["rows"]
    assert data["effects"] == pytest.approx([r["effect_log_prob"] for r in removed], abs=1e-4)
    assert agreement["changing"] == sum(not r["no_change"] for r in removed) > 0


def test_rollout_and_rho_are_those_of_the_word_that_reads(model: LocalModel, only: Question) -> None:
    """By an oracle's attention, layer by layer by hand; a word reads nothing that comes later."""
    data = run("attention", model, only, {"reader": "7"}).data
    assert data["reader"] == 7
    assert all(sum(row["weights"][8:]) == 0 for row in data["rows"])
    unit = data["units"][7]
    words = [tokens(model, only, unit["start"], unit["end"]) for unit in data["units"]]
    (read_from,) = words[7]
    flow = torch.eye(len(model.layout(only).ids))
    for layer in inside_oracle.attention(model.loaded.model, model.layout(only).ids):
        assert layer is not None
        flow = (layer.mean(0) + torch.eye(len(flow))) / 2 @ flow
    wanted = [float(flow[read_from, list(keys)].sum()) for keys in words]
    assert data["rollout"] == pytest.approx(wanted, abs=1e-5)
    assert sum(data["rollout"][8:]) == 0 < data["rollout"][7]
    sizes = [abs(effect) for effect in data["effects"][:8]]
    agreement = data["agreement"]
    assert agreement["words"] == 8
    for name in ("mean", "rollout"):
        assert agreement[name]["rho"] == pytest.approx(spearman(data[name][:8], sizes))
    for row, told in zip(data["rows"], agreement["rows"], strict=True):
        rho = spearman(row["weights"][:8], sizes)
        assert told["rho"] == (None if rho is None else pytest.approx(rho))
    assert "“" + unit["text"] in data["headline"]
    few = run("attention", model, only, {"reader": "2"}).data
    assert few["agreement"] is None, "three words have no ranks to compare"


def test_estimates_are_marked_and_near_for_small_changes(model: LocalModel, only: Question) -> None:
    exact = run("heads", model, only, {"cumulative": False, "control": 0}).data
    quick = run("heads", model, only, {"estimate": True}).data
    assert all(row["estimate"] for row in quick["rows"])
    assert not any(row["estimate"] for row in exact["rows"])
    pairs = zip(exact["rows"], quick["rows"], strict=True)
    small = [
        (a["effect_log_prob"], b["effect_log_prob"]) for a, b in pairs if abs(a["effect_log_prob"]) < 0.01
    ]
    assert small
    assert all(abs(a - b) < 0.02 for a, b in small)


@pytest.mark.parametrize("template", ["builtin", "plain"])
def test_an_estimate_is_of_the_quantity_it_stands_for(
    model: LocalModel, only: Question, template: str
) -> None:
    """A head's output grown and shrunk by a hundredth gives the slope of the target's log-probability, not of
    its share among the listed answers; carried to zero output along the log-odds, it is the estimate.
    """
    asked = replace(only, template=template)
    data = run("heads", model, asked, {"estimate": True}).data
    assert (data["clean"]["coverage"] < 0.9) is (template == "plain")
    place = [a["answer"] for a in data["clean"]["answers"]].index(data["target"]["label"])
    log = data["clean"]["answers"][place]["log_prob"]
    term = next(t for t in model.layout(asked).terms if t.answer == place)
    text = [*model.layout(asked).ids, *term.ids[:-1]]
    stock, width, step = model.loaded.model, inside_oracle.width(model.loaded.model, "head", 0), 0.01
    for row in data["rows"][1::6]:
        layer, head = row["layer"], row["head"]
        own = inside_oracle.values(stock, text, [("head", layer)])["head", layer]
        own = own[:, head * width : (head + 1) * width]
        less, more = (
            log_probs(model, asked, Put("head", layer, head, tuple(range(len(text))), own * scale))[place]
            for scale in (1 - step, 1 + step)
        )
        odds = log - math.log(-math.expm1(log))
        now = odds - (more - less) / (2 * step) / -math.expm1(log)
        expected = math.log1p(math.exp(-odds)) - math.log1p(math.exp(-now))
        assert row["effect_log_prob"] == pytest.approx(expected, rel=0.03, abs=2e-3), (layer, head)


def test_direct_effects_add_up_to_the_last_block(model: LocalModel, only: Question) -> None:
    """Heads and bias make the attention block; with the norm's factor held they simply add up."""
    heads = run("heads", model, only, {"cumulative": False, "control": 0}).data
    layers = run("layers", model, only, {"ablate_mode": "zero"}).data
    for layer in range(5):
        parts = sum(r["direct_effect"] for r in heads["rows"] if r["layer"] == layer)
        whole = next(r for r in layers["rows"] if (r["layer"], r["part"]) == (layer, "attention"))
        assert parts == pytest.approx(whole["direct_effect"], abs=1e-3)


def test_contributions_add_up_to_the_logit_difference(model: LocalModel, only: Question) -> None:
    """The embedding's with those of all parts, under an RMS norm without biases."""
    data = run("lens", model, only, {}).data
    first, *parts = data["contributions"]
    assert (first["layer"], first["part"]) == (None, "embedding")
    layout = model.layout(only)
    ids = {term.string: term.ids for term in layout.terms}
    one, other = (ids[data["contrast"][name]] for name in ("string", "against"))
    common = data["contrast"]["token"]
    stock = model.loaded.model
    with torch.no_grad():
        logits = stock(torch.tensor([[*layout.ids, *one[:common]]])).logits[0, -1].double()
    total = sum(row["contribution"] for row in [first, *parts])
    assert total == pytest.approx(float(logits[one[common]] - logits[other[common]]), abs=2e-3)
    assert abs(first["contribution"]) > 10 * 2e-3, "without it they would not"


def test_ask_without_heads_and_words(model: LocalModel, only: Question) -> None:
    data = run("ask", model, only, {"ablate_heads": "4.2,3.1", "drop": "walked"}).data
    ids = data["prompt_ids"]
    check_row(data, data["clean"], log_probs(model, only, Put("head", 4, 2), Put("head", 3, 1), ids=ids))
    assert data["ablated"]["heads"] == [[4, 2], [3, 1]]
    for wrong in ("9.1", "4.7", "x", "4"):
        with pytest.raises(InputError, match=r"ablate|value"):
            run("ask", model, only, {"ablate_heads": wrong})


def test_clean_runs_are_equal_whatever_was_done_between(model: LocalModel, only: Question) -> None:
    first = run("ask", model, only, {}).data["answers"]
    run("heads", model, only, {})
    run("links", model, only, {"budget": 5})
    with pytest.raises(KeyboardInterrupt):
        run("heads", model, only, {}, on_progress=_stop)
    assert run("ask", model, only, {}).data["answers"] == first


def _stop(done: int, total: int) -> None:
    if done > 3:
        raise KeyboardInterrupt


def test_a_model_that_answers_from_elsewhere_is_refused(only: Question) -> None:
    with pytest.raises(CapabilityError, match="elsewhere"):
        run("heads", object(), only, {})  # type: ignore[arg-type]


@pytest.mark.parametrize("study", ["heads", "links", "attention", "layers", "lens", "patch"])
def test_the_command_line_shows_it(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    extra = ["--budget", "5"] if study == "links" else ["--no-cumulative"] if study == "heads" else []
    lang = "zh" if study in ("heads", "lens", "patch") else "en"
    main([study, "--preset", "coffee-en", "--no-cache", "--lang", lang, *extra])
    out = capsys.readouterr().out
    assert "once" in out
    assert "{" not in out


def test_what_is_remembered_of_a_question_is_that_questions(model: LocalModel) -> None:
    """Layouts and the runs that patches take from, of two questions and two swaps asked in turn."""
    fresh = LocalModel(model.loaded)
    questions = [preset(name).question() for name in ("coffee-en", "bakery-en")]
    for question in questions * 2:
        assert model.layout(question) == fresh._laid_out(question)
        span = question.passage.words[3].span
        for other in (None, ((span,), "tea"), ((span,), "cold tea"), None):
            trial = CLEAN if other is None else Trial(other[0], Mode.REPLACE, other[1])
            expected = fresh.prepare(question, [trial])[0].work.job
            assert model.inside.source(question, other) == expected
