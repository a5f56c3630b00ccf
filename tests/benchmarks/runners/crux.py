"""This project's engine: `crux.py TASK.json`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from meter import CLEAN, Found, Task, load, measure

from probes.engine.edits import Replace
from probes.engine.execute import Engine
from probes.engine.jobs import Job


def way(task: Task) -> Callable[[], Found]:
    """All prompts (words) or all heads of the clean prompt (heads), the engine's own checks included."""
    model, _ = load(task)
    engine = Engine(model)
    task.notes["packed_linears"] = engine.linears is not None
    continuations = tuple(tuple(ids) for ids in task.continuations)

    def score() -> Found:
        if task.study == "words":
            names = [CLEAN, *(str(word["index"]) for word in task.words)]
            run = engine.run([Job(tuple(prompt["ids"]), continuations) for prompt in task.prompts])
        else:
            names = [CLEAN, *(f"{layer}.{head}" for layer, head in task.heads)]
            job = Job(tuple(task.clean_ids), continuations)
            edits = [(), *((Replace(layer, "head", head=head),) for layer, head in task.heads)]
            run = engine.run([replace(job, edits=edit) for edit in edits])
        found = {names[index]: list(values) for index, values in run}
        task.notes["how"] = run.report.how
        task.notes["tokens_run"] = run.report.tokens_run
        task.notes["forwards_run"] = run.report.forwards
        return {"log_probs": found}

    return score


if __name__ == "__main__":
    measure(way)
