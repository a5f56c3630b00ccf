"""One way on one model, measured in this process: WAY SPEC TEMPLATE ROUNDS -> JSON on the last line."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from typing import Any

import torch

from probes.answers import AnswerSet
from probes.engine.jobs import Job
from probes.models import load_model
from probes.models.local import LocalModel
from probes.question import preset
from probes.trials import Trial
from tests.benchmarks.ways import WAYS

PRESET = "coffee-en"
ANSWERS = {"0": ["never"], "1": ["once"], "2": ["twice"], "3": ["three times"]}


def measure(way: str, spec: str, template: str, rounds: int) -> dict[str, Any]:
    """Processor seconds, wall seconds, peak memory and the numbers of one way on one model."""
    model = load_model(spec, device="cpu", dtype="float32")
    loaded = peak_memory()
    jobs = leave_one_out(model, template)
    started = processor_seconds()
    run = WAYS[way](model.loaded.model)
    set_up = processor_seconds() - started
    run(jobs[:1])  # first calls allocate
    numbers, cpu, wall = [], [], []
    for _ in range(rounds):
        started, clock = processor_seconds(), time.perf_counter()
        numbers = run(jobs)
        cpu.append(processor_seconds() - started)
        wall.append(time.perf_counter() - clock)
    return {
        "way": way,
        "prompts": len(jobs),
        "answers": len(ANSWERS),
        "prompt_tokens": len(jobs[0].ids),
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "setup_cpu_seconds": set_up,
        "memory_bytes_loaded": loaded,
        "memory_bytes_peak": peak_memory(),
        "threads": torch.get_num_threads(),
        "log_probs": numbers,
    }


def leave_one_out(model: LocalModel, template: str) -> list[Job]:
    """The clean passage and the passage without each word in turn, as the product puts them to the model."""
    question = replace(preset(PRESET).question(), answers=AnswerSet.of(ANSWERS), template=template)
    trials = [Trial(), *(Trial((word.span,)) for word in question.passage.words)]
    return [prepared.work.job for prepared in model.prepare(question, trials)]


def processor_seconds() -> float:
    """User and system time of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_memory() -> int:
    """Largest resident size so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    way, spec, template, rounds = sys.argv[1:]
    sys.stdout.write(json.dumps(measure(way, spec, template, int(rounds))) + "\n")
