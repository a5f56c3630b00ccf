"""Every study on decoders of unusual builds: a record that holds, or a refusal that says why."""

from __future__ import annotations

import json

import pytest
import torch

from probes.asking.answers import AnswerSet
from probes.asking.interventions import Reference
from probes.asking.question import Question
from probes.cli import main
from probes.commands import shared
from probes.engine.window import window_of
from probes.errors import CapabilityError, LimitError
from probes.running.runner import run
from probes.text.passage import Passage
from tests.arch.odd import ODD, WINDOW, WINDOWS, odd

STUDIES = (
    ("ask", {}),
    ("ask", {"drop": "shop", "mode": "hide"}),
    ("words", {"mode": "delete"}),
    ("heads", {"control": 0, "cumulative": False}),
    ("heads", {"estimate": True}),
    ("lens", {}),
    ("layers", {"ablate_mode": "zero"}),
    ("layers", {"ablate_mode": "mean", "reference_size": 1}),
    ("patch", {"site": "mlp"}),
    ("links", {"budget": 1}),
    ("attention", {}),
)
WITHOUT_HEADS = {
    **dict.fromkeys(("heads", "layers", "patch", "attention"), "heads_none"),
    **dict.fromkeys(("hide", "links"), "hide_unsupported"),
}


def question() -> Question:
    return Question(
        Passage("I saw the shop."),
        "How many?",
        AnswerSet.parse("once;twice"),
        template="plain",
        swaps=(("shop", "park"),),
    )


@pytest.mark.parametrize("name", ODD)
def test_every_study_gives_a_record_or_a_reason(name):
    model, refused, too_long = odd(name), {}, {}
    for study, options in STUDIES:
        try:
            record = run(study, model, question(), options)
        except CapabilityError as fault:
            refused[study if options.get("mode") != "hide" else "hide"] = fault.key
            continue
        except LimitError as fault:  # passages to take from are longer than some of these models read
            too_long[options.get("ablate_mode")] = fault.key
            continue
        data = json.loads(record.to_json(), parse_constant=pytest.fail)
        assert data.get("rows", True)
        if study == "lens":  # the last row is the model's own answer
            own = [answer["probability"] for answer in data["clean"]["answers"]]
            last = [answer["probability"] for answer in data["rows"][-1]["answers"]]
            assert last == pytest.approx(own, rel=1e-3)
    attends = name not in ("mamba", "rwkv")
    assert refused == ({} if attends else WITHOUT_HEADS)
    assert too_long == ({"mean": "window_references"} if attends else {})
    assert bool(model.engine.anatomy.attention_layers) == attends


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("jetmoe", {"heads", "layers", "patch", "patch --site head", "attention", "links"}),
        ("longcat_flash", {"heads", "layers", "patch", "patch --site head", "attention", "links"}),
        ("gemma3n_text", {"lens", "patch"}),
        ("nemotron_h", set()),
    ],
)
def test_what_is_not_recognised_is_refused_with_exit_code_5(name, refused, tmp_path, monkeypatch, capsys):
    """By the command line, and said to be what Crux does not recognise; all else ends well."""
    path = tmp_path / "passage.txt"
    path.write_text("I saw the shop.", encoding="utf-8")
    monkeypatch.setattr(shared, "load", lambda *_: odd(name))
    asked = ["--passage", str(path), "--question", "How many?", "--answers", "once;twice", "--no-cache"]
    changes = ["--change", "shop", "--to", "park"]
    commands = {
        "heads": ["--no-cumulative", "--control", "0"],
        "layers": ["--ablate-mode", "zero"],
        "lens": [],
        "patch": changes,
        "patch --site head": changes,
        "attention": [],
        "links": ["--budget", "1"],
    }
    for command, options in commands.items():
        code = 0
        try:
            main([*command.split(), *options, *asked, "--template", "plain", "--lang", "en"])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr().err
        assert code == (5 if command in refused else 0), (command, said)
        assert ("recognise" in said) == (command in refused)


def test_layers_that_are_attention_or_feed_forward_have_that_part_alone():
    """Each is taken away, against a plain forward in which a hook zeroes the layer's one module."""
    model, asked = odd("nemotron_h"), question()
    mixers = [layer.mixer for layer in model.engine.model.model.layers]
    found = [(layer.attention, layer.feed_forward) for layer in model.engine.anatomy.layers]
    names = [f"model.layers.{i}.mixer" for i in range(5)]
    assert found == [(None, None), (names[1], None), (None, names[2]), (names[3], None), (None, names[4])]
    rows = run("layers", model, asked, {"ablate_mode": "zero"}).data["rows"]
    assert [(row["layer"], row["part"]) for row in rows] == [
        (1, "attention"),
        (2, "mlp"),
        (3, "attention"),
        (4, "mlp"),
    ]
    layout = model.layout(asked)
    for row in rows:
        wanted = []
        for tokens in layout.continuations:
            hook = mixers[row["layer"]].register_forward_hook(_zeroed)
            with torch.no_grad():
                logits = model.engine.model(torch.tensor([[*layout.ids, *tokens]])).logits[0]
            hook.remove()
            chances = logits[len(layout.ids) - 1 : -1].double().log_softmax(-1)
            wanted.append(float(chances[range(len(tokens)), tokens].sum()))
        got = [answer["log_prob"] for answer in row["answers"]]
        assert got == pytest.approx(wanted, abs=1e-4)


def _zeroed(_module, _given, out):
    return (out[0] * 0, *out[1:]) if isinstance(out, tuple) else out * 0


@pytest.mark.parametrize("name", ODD)
def test_the_window_is_what_the_model_reads(name):
    model = ODD[name].build()
    window = window_of(model)
    assert window == WINDOWS.get(name, WINDOW)
    if window is None or name == "rwkv":  # a recurrent model has no table that ends
        return
    ids = torch.arange(window + 1)[None] + 3
    model(ids[:, :-1], use_cache=False)
    with pytest.raises((IndexError, RuntimeError)):
        model(ids, use_cache=False)


@pytest.mark.parametrize("name", ["roberta", "opt", "bart"])
def test_a_prompt_that_just_fits_is_answered_and_gone_on_with(name):
    """Going on by itself stops at the window's end."""
    model, asked = odd(name), question()
    layout = model.layout(asked)
    room = model.window - len(layout.ids) - max(map(len, layout.continuations))
    longer = Question(
        Passage(asked.passage.text + "a" * room), "How many?", AnswerSet.parse("once;twice"), template="plain"
    )
    record = run("ask", model, longer)
    assert len(record.data["prompt_ids"]) + max(map(len, layout.continuations)) == model.window
    longer = Question(
        Passage(longer.passage.text + "a"), "How many?", AnswerSet.parse("once;twice"), template="plain"
    )
    with pytest.raises(LimitError, match=str(model.window)):
        run("ask", model, longer)


def test_reference_passages_are_those_that_the_window_holds(monkeypatch):
    model, asked, four = odd("mamba"), question(), Reference(4, 0)
    free, none_left_out = model.inside.references.prompts(asked, four)
    assert none_left_out == 0
    longest = max(map(len, model.layout(asked).continuations))
    lengths = sorted(len(prompt.encode()) + longest for prompt in free)
    monkeypatch.setattr(model, "window", lengths[1])
    held, passed_over = model.inside.references.prompts(asked, four)
    assert passed_over >= 2
    assert [p for p in free if p in held] == [p for p in free if len(p.encode()) + longest <= lengths[1]]
    assert all(len(prompt.encode()) + longest <= lengths[1] for prompt in held)
    monkeypatch.setattr(model, "window", len(model.layout(asked).ids))
    with pytest.raises(LimitError, match="do not fit"):
        model.inside.references.prompts(asked, four)
