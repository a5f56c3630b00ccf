"""Examples: a branch is exactly what its question would be alone; the presets are in none."""

from __future__ import annotations

import random

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from probes.generator.questions import PROMPTS
from probes.training.examples import OTHERS, Example, ExampleSource, batches, collate, encode
from probes.training.model import attention_mask
from probes.training.overlap import RUN, Forbidden, preset_texts, runs, units


def plain_states(model: LlamaForCausalLM, ids: list[int], hidden: list[int]) -> torch.Tensor:
    """The last hidden states of a prompt alone, by the textbook's loop over queries and keys."""
    length = len(ids)
    mask = torch.full((1, 1, length, length), torch.finfo(torch.float32).min)
    for query in range(length):
        for key in range(query + 1):
            if key not in hidden or key == query:
                mask[0, 0, query, key] = 0
    with torch.no_grad():
        return model.model(input_ids=torch.tensor([ids]), attention_mask=mask).last_hidden_state[0]


@pytest.mark.parametrize("seed", range(4))
def test_branches_are_questions_asked_alone(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, seed: int
) -> None:
    source = ExampleSource(seed, Forbidden([]))
    asked = [source.asked(2, 0.8) for _ in range(3)]
    examples = [encode(one, tokenizer) for one in asked]
    kept = [e for e in examples if e is not None]
    batch = collate(kept, tokenizer.pad_token_id)
    with torch.no_grad():
        states = model.model(
            input_ids=torch.from_numpy(batch.ids),
            attention_mask=attention_mask(batch),
            position_ids=torch.from_numpy(batch.position),
        ).last_hidden_state
    for row, example in enumerate(kept):
        for branch in range(1, max(example.branch) + 1):
            alone = [i for i, b in enumerate(example.branch) if b in (0, branch)]
            expected = plain_states(model, [example.ids[i] for i in alone], example.hidden)
            assert torch.allclose(states[row, alone], expected, atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_targets_follow_the_prompt_as_it_is_asked(tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
    source = ExampleSource(seed, Forbidden([]))
    for _ in range(5):
        asked = source.asked(2, 0.5)
        example = encode(asked, tokenizer)
        assert example is not None
        firsts = [(i, token) for i, token, _, first in example.targets if first]
        assert len(firsts) == len(asked.asked)
        for number, ((query, label), (index, token)) in enumerate(zip(asked.asked, firsts, strict=True), 1):
            prompt = PROMPTS[query.language].format(passage=asked.edited.text, question=query.text)
            ids = [i for i, b in zip(example.ids, example.branch, strict=True) if b in (0, number)]
            alone = tokenizer(prompt)["input_ids"]
            assert ids[: len(alone)] == alone
            assert example.branch[index] == number
            said = tokenizer(prompt + query.continuation(label))["input_ids"]
            assert said[len(alone)] == token
        assert all(0 <= label <= OTHERS for _, label in example.events)


def test_batches_lose_nothing_and_stay_within_their_tokens() -> None:
    made = [Example([1] * size, [0] * size, list(range(size))) for size in (5, 50, 9, 33, 7, 7, 21)]
    found = list(batches(made, 64, 0, random.Random(0)))
    assert sum(len(b.ids) for b in found) == len(made)
    assert sorted(int((b.branch[r] == 0).sum()) for b in found for r in range(len(b.ids))) == [
        5,
        7,
        7,
        9,
        21,
        33,
        50,
    ]
    assert all(b.ids.size <= 64 for b in found)


def test_no_training_passage_shares_a_run_with_a_preset() -> None:
    """Counted anew, by strings and not by the filter's sets."""
    texts = [" ".join(units(text)) for text in preset_texts()]
    assert len(texts) >= 4
    source = ExampleSource(3, Forbidden(preset_texts()))
    for _ in range(250):
        story = source.asked(2, 0.0).story
        found = units(story.text)
        for i in range(len(found) - RUN + 1):
            run = " ".join(found[i : i + RUN])
            assert not any(f" {run} " in f" {text} " for text in texts), run


@pytest.mark.parametrize(
    "text", ["I walked into the coffee shop and ordered a tea.", "后来我走进咖啡店点了一杯茶。"]
)
def test_the_filter_sees_a_planted_run(text: str) -> None:
    assert Forbidden([text.replace("tea", "cake").replace("茶", "水")]).hit(text)
    assert not Forbidden(["Nothing of the kind stands in these nine short words."]).hit(text)
    assert len(runs(text)) == len(units(text)) - RUN + 1
