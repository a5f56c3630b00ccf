"""What a model folder answers: probabilities of candidate answers, by plain forwards of many passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from probes.generator.questions import PROMPTS
from probes.models.quiet import quiet
from probes.text.segment import Span
from probes.training.examples import Example, collate
from probes.training.model import attention_mask


@dataclass(frozen=True, slots=True)
class Item:
    """One question put to the model: `candidates` maps labels to the strings that say them."""

    passage: str
    question: str
    language: str
    candidates: tuple[tuple[str, str], ...]
    hidden: tuple[Span, ...] = ()


class Scorer:
    """A causal model of Hugging Face with its tokenizer, in single precision."""

    def __init__(self, folder: Path, tokens: int = 8192):
        from transformers import AutoModelForCausalLM, AutoTokenizer

        with quiet():
            self.model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=torch.float32, attn_implementation="sdpa"
            ).eval()
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.tokens = tokens

    def _encode(self, item: Item) -> tuple[Example, list[int]]:
        """The prompt with every candidate as a branch, and where the branches begin."""
        text = PROMPTS[item.language].format(passage=item.passage, question=item.question)
        prompt = self.tokenizer(text, return_offsets_mapping=True)
        ids = list(prompt["input_ids"])
        size = len(ids)
        example = Example(ids, [0] * size, list(range(size)))
        example.hidden = [
            i
            for i, (a, b) in enumerate(prompt["offset_mapping"])
            if a < b and any(a < e and s < b for s, e in item.hidden)
        ]
        starts = []
        for number, (_, string) in enumerate(item.candidates, 1):
            tokens = self.tokenizer(string, add_special_tokens=False)["input_ids"]
            starts.append(len(example.ids))
            example.ids += tokens
            example.branch += [number] * len(tokens)
            example.position += range(size, size + len(tokens))
        return example, [size, *starts, len(example.ids)]

    @torch.no_grad()
    def probabilities(self, items: Sequence[Item]) -> list[dict[str, float]]:
        """For each item the probability of every candidate's string, not renormalised."""
        encoded = [self._encode(item) for item in items]
        order = sorted(range(len(items)), key=lambda i: len(encoded[i][0]))
        found: list[dict[str, float]] = [{} for _ in items]
        group: list[int] = []
        for index in order:
            if group and len(encoded[index][0]) * (len(group) + 1) > self.tokens:
                self._run(group, items, encoded, found)
                group = []
            group.append(index)
        if group:
            self._run(group, items, encoded, found)
        return found

    def _run(
        self,
        group: list[int],
        items: Sequence[Item],
        encoded: list[tuple[Example, list[int]]],
        found: list[dict[str, float]],
    ) -> None:
        batch = collate([encoded[i][0] for i in group], self.tokenizer.pad_token_id)
        states = self.model.model(
            input_ids=torch.from_numpy(batch.ids),
            attention_mask=attention_mask(batch),
            position_ids=torch.from_numpy(batch.position),
            use_cache=False,
        ).last_hidden_state
        for row, index in enumerate(group):
            example, (size, *starts) = encoded[index]
            log_probs = self.model.lm_head(states[row, size - 1 : len(example)]).log_softmax(-1)
            for (label, _), start, end in zip(items[index].candidates, starts, starts[1:], strict=False):
                ids = example.ids[start:end]
                at = [0, *range(start - size + 1, end - size)]
                total = sum(log_probs[place, token].item() for place, token in zip(at, ids, strict=True))
                found[index][label] = float(torch.tensor(total).exp())


def best(probabilities: dict[str, float]) -> str:
    """The likeliest label."""
    return max(probabilities, key=probabilities.__getitem__)
