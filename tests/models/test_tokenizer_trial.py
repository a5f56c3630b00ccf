"""A tokenizer whose rules take too much is stopped before it is opened; any other is let through."""

from __future__ import annotations

import json
import time
from pathlib import Path

import psutil
import pytest

from probes import AnswerSet, Passage, Question, run
from probes.errors import InputError, ModelError
from probes.models import load_model, tokenizer_process, tokenizer_trial
from probes.models.loading import load
from probes.models.source import BUILTIN, resolve


def split(pattern: str) -> dict[str, object]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def doubling(name: str) -> dict[str, object]:
    twice = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
    return {"type": "Sequence", name: [twice] * 40}


HOSTILE: dict[str, dict[str, object]] = {
    "repeats in repeats": {"pre_tokenizer": split("(a+)+$")},
    "repeats of what is spelled out": {"pre_tokenizer": split("((zq)+)+$")},
    "three repeats of a rare letter": {"pre_tokenizer": split("ß*ß*ß*$")},
    "a text that doubles": {"normalizer": doubling("normalizers")},
    "an answer that doubles": {"decoder": doubling("decoders")},
    "every part of a word without end": {
        "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None,
        "model": {"type": "WordPiece", "unk_token": "<s>", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 10**9, "vocab": {"a": 0, "##a": 1, "<s>": 257}},
    },
}  # fmt: skip


def with_rules(folder: Path, rules: dict[str, object]) -> Path:
    file = folder / "tokenizer.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **rules}))
    return folder


@pytest.mark.parametrize("kind", HOSTILE)
def test_rules_that_take_too_much_are_refused(kind: str, folder: Path) -> None:
    before, begun = psutil.Process().memory_info().rss, time.process_time()
    with pytest.raises(ModelError) as caught:
        load(resolve(str(with_rules(folder, HOSTILE[kind]))), device="cpu")
    assert caught.value.key in ("tokenizer_heavy", "tokenizer_broken")
    assert time.process_time() - begun < 1.5
    assert psutil.Process().memory_info().rss - before < 100 * 2**20


def test_what_real_tokenizers_do_is_far_below_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The built-in model's, at a quarter of the time."""
    monkeypatch.setattr(tokenizer_trial, "SECONDS", (0.25, 0.15))
    tokenizer_trial.try_out(BUILTIN, "builtin")


def test_gpt_2s_own_rule_holds(folder: Path) -> None:
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    letters = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    rules = {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [split(pattern), letters]}}
    tokenizer_trial.try_out(with_rules(folder, rules), "tiny")


def test_patterns_are_found_wherever_they_stand() -> None:
    part = {"a": [{"pattern": {"Regex": "x+"}}, {"pattern": {"String": "yz"}}], "String": 5}
    assert list(tokenizer_process.patterns(part)) == ["x+", "yz"]
    texts = list(tokenizer_process.texts([part]))
    assert "x" * tokenizer_process.LENGTH + "!" in texts
    assert "yz" * (tokenizer_process.LENGTH // 2) + "!" in texts


def test_a_rule_that_fails_at_a_passage_is_an_error_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the trial did not meet the text that a rule fails at."""
    monkeypatch.setattr(tokenizer_trial, "try_out", lambda folder, name: None)
    answers = AnswerSet.parse("1=once;2=twice")
    model = load_model(str(with_rules(folder, HOSTILE["repeats in repeats"])), device="cpu")
    with pytest.raises(InputError) as caught:
        run("ask", model, Question(Passage("I went " + "a" * 60 + "!"), "How often?", answers))
    assert caught.value.key == "tokenizer_gave_up"
