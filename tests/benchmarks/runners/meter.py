"""What every way shares: the task it is given, the model it runs, how it is measured.

A way is a script of its own, run by the Python of its own virtual environment: nothing here may import more
than torch, transformers and the standard library. It is called as `script.py TASK.json` and prints one line
of JSON, its last.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

CLEAN = "clean"
Numbers = dict[str, list[float]]
Found = dict[str, Numbers]
"""One kind of numbers ("log_probs", "effects" or "scores"), for each unit one number an answer."""


@dataclass
class Task:
    """What is to be done, as `case.py` wrote it, and what was noted on the way.

    Attributes:
        folder: the model, for `from_pretrained`; `spec` names it to this project's own command.
        before, passage, after: the prompt in three parts.
        answers: each with its `text` and token `ids`.
        words: each with the characters `start`, `end` of the passage and the spans `removed` with it.
        prompts: the clean one first, then one a word: `text` and `ids`.
        heads: pairs of layer and query head.
        study: "words" or "heads".
        sample: so many words, heads, layers or answers only; None for all. `done` and `of`: how many ran, and
            how many there are.
        options: of the command, for the way that runs it.
    """

    folder: str
    spec: str
    template: str
    before: str
    passage: str
    after: str
    answers: list[dict[str, Any]]
    words: list[dict[str, Any]]
    prompts: list[dict[str, Any]]
    heads: list[tuple[int, int]]
    study: str
    rounds: int
    budget: float
    threads: int
    sample_unit: str
    sample: int | None
    options: list[str] = field(default_factory=list)
    done: int = 0
    of: int = 0
    loaded_bytes: int = 0
    loaded_cpu: float = 0.0
    calls: dict[str, int] = field(default_factory=lambda: {"forwards": 0, "tokens": 0})
    notes: dict[str, Any] = field(default_factory=dict)
    warm_up: bool = True

    @classmethod
    def read(cls, path: str) -> Task:
        """From the file named on the command line; samples already taken."""
        task = cls(**json.loads(Path(path).read_text(encoding="utf-8")))
        task.heads = [(layer, head) for layer, head in task.heads]
        parts: Any = {
            "answers": task.answers,
            "words": task.words,
            "heads": task.heads,
            "layers": sorted({layer for layer, _ in task.heads}),
        }[task.sample_unit]
        chosen = spread(parts, task.sample)
        task.done, task.of = len(chosen), len(parts)
        if task.sample_unit == "layers":
            task.heads = [pair for pair in task.heads if pair[0] in set(chosen)]
        elif task.sample_unit == "words":
            kept = spread(range(len(parts)), task.sample)
            task.prompts = [task.prompts[0], *(task.prompts[i + 1] for i in kept)]
            task.words = chosen
        else:
            setattr(task, task.sample_unit, chosen)
        if task.sample_unit == "answers":
            task.notes["answers_run"] = spread(range(len(parts)), task.sample)
        return task

    @property
    def clean_ids(self) -> list[int]:
        """Tokens of the clean prompt."""
        return list(self.prompts[0]["ids"])

    @property
    def continuations(self) -> list[list[int]]:
        """Tokens of each answer."""
        return [answer["ids"] for answer in self.answers]

    def prompt_without(self, words: Sequence[int]) -> str:
        """The prompt with several words deleted: for surrogates that need more than one at a time."""
        cut = bytearray(len(self.passage))
        for index in words:
            for start, end in self.words[index]["removed"]:
                cut[start:end] = b"\1" * (end - start)
        kept = "".join(char for char, gone in zip(self.passage, cut, strict=True) if not gone)
        return self.before + kept + self.after

    def loaded(self, first_block: torch.nn.Module) -> None:
        """Call once the model is there: what follows is set-up. Counts forwards and tokens from here on."""
        self.loaded_bytes, self.loaded_cpu = peak_memory(), processor_seconds()

        def count(_module: object, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
            states = inputs[0] if inputs else named["hidden_states"]
            self.calls["forwards"] += 1
            self.calls["tokens"] += states.shape[0] * states.shape[1]

        first_block.register_forward_pre_hook(count, with_kwargs=True)


def spread(items: Sequence[Any], count: int | None) -> list[Any]:
    """`count` of the items, evenly spaced; all where there are no more."""
    if count is None or count >= len(items):
        return list(items)
    return [items[(2 * k + 1) * len(items) // (2 * count)] for k in range(count)]


def load(task: Task) -> tuple[Any, Any]:
    """The model in float32 and its tokenizer, as any of these libraries would get them."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(task.folder)
    model = AutoModelForCausalLM.from_pretrained(task.folder, dtype=torch.float32).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    task.loaded(model.model.layers[0])
    return model, tokenizer


def measure(way: Callable[[Task], Callable[[], Found]]) -> None:
    """Run a way: once for `warm_up`, then `rounds` times or until `budget` processor seconds are used."""
    task = Task.read(sys.argv[1])
    torch.set_num_threads(task.threads)
    run = way(task)
    set_up = processor_seconds() - task.loaded_cpu
    if task.warm_up:  # first calls allocate
        kept = task.prompts, task.words, task.heads
        task.prompts, task.words, task.heads = task.prompts[:2], task.words[:1], task.heads[:1]
        run()
        task.prompts, task.words, task.heads = kept
    found: Found = {}
    cpu: list[float] = []
    wall: list[float] = []
    while len(cpu) < task.rounds and (not cpu or sum(cpu) + cpu[0] <= task.budget):
        task.calls.update(forwards=0, tokens=0)
        started, clock = processor_seconds(), time.perf_counter()
        found = run()
        cpu.append(processor_seconds() - started)
        wall.append(time.perf_counter() - clock)
    result = {
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "setup_cpu_seconds": set_up,
        "memory_bytes_loaded": task.loaded_bytes,
        "memory_bytes_peak": peak_memory(),
        "threads": torch.get_num_threads(),
        **task.calls,
        **task.notes,
        "done": task.done,
        "of": task.of,
        "found": found,
    }
    sys.stdout.write("\n" + json.dumps(result) + "\n")


def processor_seconds() -> float:
    """User and system time of this process and its finished children, all threads."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_memory() -> int:
    """Largest resident size so far, in bytes, of this process or the largest of its children.

    Not `ru_maxrss` where there is a better word: on Linux a process begins with that of whoever started it.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text().splitlines()
        own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    else:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = max(own, children)
    return peak if sys.platform == "darwin" else peak * 1024
