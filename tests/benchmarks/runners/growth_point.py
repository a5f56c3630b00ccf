"""What words and heads cost at one length, number of answers and size of model: `growth_point.py POINT.json`.

The model has random weights and the text random tokens: cost does not depend on either. Where all units would
take too long, so many and twice so many are run, evenly spread, and the difference is what each further one
costs; the record says so.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from meter import peak_memory, processor_seconds, spread
from plain import log_prob
from transformers import LlamaConfig, LlamaForCausalLM

from probes.engine.edits import Replace
from probes.engine.execute import Engine
from probes.engine.jobs import Job

TAIL = 22  # tokens of the question
TWO_TOKENS = 0.3  # share of words of two tokens, and of answers
FEWEST = 6


def main() -> None:
    """Print one line of JSON: a row for each study asked for."""
    point = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(point["threads"])
    torch.manual_seed(0)
    model: Any = LlamaForCausalLM(LlamaConfig(**point["config"])).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    started = processor_seconds()
    engine = Engine(model)
    set_up = processor_seconds() - started
    words, tail, answers = made_up(point["words"], point["answers"], model.config.vocab_size)
    job = Job(tuple(token for word in words for token in word) + tail, answers)
    plain = plain_forward(model, job)
    rows = {}
    for study in point["studies"]:
        units, run = prepare(study, engine, job, words, tail)
        rows[study] = scaled(run, units, point["operations"] / operations(model, len(job.ids)))
        rows[study]["plain_cpu_seconds"] = plain * (len(units) + 1) * len(answers)
        rows[study]["memory_bytes_peak"] = peak_memory()
    result = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "layers": model.config.num_hidden_layers,
        "heads": model.config.num_hidden_layers * model.config.num_attention_heads,
        "prompt_tokens": len(job.ids),
        "plain_forward_cpu_seconds": plain,
        "setup_cpu_seconds": set_up,
        "packed_linears": engine.linears is not None,
        "studies": rows,
    }
    sys.stdout.write("\n" + json.dumps(result) + "\n")


def made_up(
    words: int, answers: int, vocabulary: int
) -> tuple[list[tuple[int, ...]], tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Words, question and answers of random tokens."""
    draw = random.Random(0)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(draw.randrange(10, vocabulary) for _ in range(count))

    def length() -> int:
        return 2 if draw.random() < TWO_TOKENS else 1

    return (
        [tokens(length()) for _ in range(words)],
        tokens(TAIL),
        tuple(tokens(length()) for _ in range(answers)),
    )


def prepare(
    study: str, engine: Engine, job: Job, words: Sequence[tuple[int, ...]], tail: tuple[int, ...]
) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """All units of a study, and what runs some of them after the clean prompt; gives the run's report."""
    if study == "words":

        def run(units: Sequence[int]) -> Any:
            without = [[w for k, w in enumerate(words) if k != unit] for unit in units]
            ids = [tuple(token for word in kept for token in word) + tail for kept in without]
            scores = engine.run([job, *(Job(one, job.continuations) for one in ids)])
            list(scores)
            return scores.report

        return list(range(len(words))), run

    def ablate(units: Sequence[tuple[int, int]]) -> Any:
        edits = [(), *((Replace(layer, "head", head=head),) for layer, head in units)]
        scores = engine.run([replace(job, edits=edit) for edit in edits])
        list(scores)
        return scores.report

    layers = enumerate(engine.anatomy.layers)
    return [(index, head) for index, layer in layers for head in range(layer.heads or 0)], ablate


def scaled(run: Callable[[Sequence[Any]], Any], units: list[Any], affordable: float) -> dict[str, Any]:
    """Processor seconds of all units, from two samples where there are too many."""
    run(units[:1])
    half = max(FEWEST, int(affordable / 2))
    if 2 * half >= len(units):
        cpu, report = timed(run, units)
        return {"units": len(units), "cpu_seconds": cpu, "scaled_from": None, "how": report.how}
    few, _ = timed(run, spread(units, half))
    more, report = timed(run, spread(units, 2 * half))
    each = (more - few) / half
    cpu = more + (len(units) - 2 * half) * each
    return {"units": len(units), "cpu_seconds": cpu, "scaled_from": [half, 2 * half], "how": report.how}


def timed(run: Callable[[Sequence[Any]], Any], units: Sequence[Any]) -> tuple[float, Any]:
    """Processor seconds of one run, and its report."""
    started = processor_seconds()
    report = run(units)
    return processor_seconds() - started, report


def operations(model: Any, tokens: int) -> float:
    """About what one unit costs: half a forward."""
    config = model.config
    width = config.num_attention_heads * config.head_dim
    weights = sum(p.numel() for p in model.model.layers.parameters())
    return tokens * (2.0 * weights + 2.0 * config.num_hidden_layers * width * tokens) / 2


def plain_forward(model: Any, job: Job, rounds: int = 3) -> float:
    """Processor seconds of one forward of the plain loop, the least of a few."""
    log_prob(model, job.ids[:8], job.continuations[0])
    best = float("inf")
    for _ in range(rounds):
        started = processor_seconds()
        log_prob(model, job.ids, job.continuations[0])
        best = min(best, processor_seconds() - started)
    return best


if __name__ == "__main__":
    main()
