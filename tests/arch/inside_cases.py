"""What is asked of the inside of every tiny architecture, and the oracle's answers."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from probes.engine.edits import Knockout, Replace
from probes.engine.execute import Engine
from probes.engine.jobs import Job
from probes.engine.tree import fan_of
from tests import inside_oracle as oracle
from tests.arch.cases import CLEAN, replaced
from tests.arch.configs import CONFIGURATIONS, LAYERS, Tiny, built
from tests.inside_oracle import Cut, Put

# Two answers begin alike: nodes 22 (token 40) and 23 (token 7) are theirs, in the fork as well.
ANSWERS = ((11,), (40, 9), (40, 7, 5))
JOB, ONE, FORK = Job(CLEAN, ANSWERS), Job(CLEAN, ANSWERS[:1]), Job(CLEAN, ANSWERS[1:])
LAST, FAN = len(CLEAN) - 1, len(CLEAN)  # the position read for the first token; the first node after it
OTHER = (*replaced(9, 77)[:15], 78, *CLEAN[16:])  # as long as the clean prompt
SITES = ("head", "attention", "mlp", "block")
TOLERANCE = 1e-4  # in units of the logits' spread, which is one nat or more here

PER_HEAD = ("one head knocked out", "heads of two layers knocked out")
ONE_ANSWER = {  # seen in one answer already; the others are asked for two that fork
    *("block zeroed, last layer", "block patched", "block patched at the answer", "mlp zeroed, first layer"),
    *("mlp zeroed, last layer", "attention zeroed, first layer", "head zeroed, last layer"),
    *("head zeroed at the answer", "two heads zeroed", "one pair knocked out"),
}
FOR_FEW = {  # what goes wrong in the engine rather than in a model
    *("block patched at the answer", "mlp zeroed in two layers", "two heads of a layer zeroed"),
    *("head and feed-forward zeroed", "head zeroed inside the answers", "head zeroed, other answers"),
    *("head zeroed in another prompt", "head zeroed and a position hidden", "last layer knocked out"),
    *("all that came before knocked out", "heads of two layers knocked out", "knocked out and a head zeroed"),
    "knocked out and a block patched",
}
NO_MASK_PER_HEAD = {"xglm", "doge"}  # their masks have one row for all query heads, or one a key head
NO_EDIT = {"mamba"}  # nothing in it could be proved at load
NO_WEIGHTS = {"falcon", "falcon:alibi"}  # asked for its weights it computes something else, and is found out
BY_LENGTH = {"llama:rope-dynamic-outgrown", "phi3:longrope"}  # a longer text changes what was said before
EDITABLE = [name for name in CONFIGURATIONS if name not in NO_EDIT]
# One of each way to be special: for what need not be asked everywhere.
FEW = ["gpt2", "opt", "bloom", "mpt", "gpt_neo", "falcon", "mistral", "gemma4_text", "gpt_oss", "deepseek_v3"]
FEW += ["llama:rope-dynamic", "phi3:longrope", "qwen3_next", "falcon_h1"]


def fresh(tiny: Tiny):
    """The model, asked for the first time where an earlier forward would matter."""
    return tiny.build() if tiny.stateful else built(tiny.name)


@functools.cache
def engine_of(name: str) -> Engine:
    """One with small chunks, where it matters that most job lists take several."""
    return Engine(built(name), chunk_tokens=48 if name in FEW else 400)


@functools.cache
def attending(name: str) -> list[int]:
    """Layers with softmax attention."""
    if not CONFIGURATIONS[name].attends:
        return []
    found = oracle.attention(fresh(CONFIGURATIONS[name]), CLEAN)
    return [layer for layer, weights in enumerate(found) if weights is not None]


@functools.cache
def sites(name: str) -> set[tuple[str, int]]:
    """(site, layer) of all that can be changed: without softmax there are no heads."""
    model = fresh(CONFIGURATIONS[name])
    softmax = {(site, layer) for site in ("head", "attention") for layer in attending(name)}
    others = {(site, layer) for site in ("mlp", "block") for layer in range(LAYERS)}
    return softmax | {(site, layer) for site, layer in others if oracle.has(model, site, layer)}


@functools.cache
def cases(name: str) -> Mapping[str, Job]:
    """Everything one model is asked."""
    tiny, layers = CONFIGURATIONS[name], attending(name)
    model = fresh(tiny)
    edits: dict[str, tuple[Replace | Knockout, ...]] = {
        "block zeroed at a position, first layer": (Replace(0, "block", positions=(9,)),),
        "block zeroed, last layer": (Replace(LAYERS - 1, "block", positions=(4, LAST)),),
        "block patched": (Replace(1, "block", positions=(9, LAST), value=taken(name, "block", 1, 9, LAST)),),
        "block patched at the answer": (
            Replace(2, "block", positions=(LAST,), value=taken(name, "block", 2, LAST)[0]),
        ),
        "block replaced, answers included": (
            Replace(
                2, "block", positions=(18, FAN, FAN + 1), value=drawn(3, oracle.width(model, "block", 2))
            ),
        ),
    }
    if oracle.has(model, "mlp", 0):
        edits |= _feed_forward_cases(name)
    if layers:
        edits |= _head_cases(name, layers) | _cut_cases(layers)
    asked = {"clean": JOB, "clean, one answer": ONE, "clean, forked": FORK}
    for case, changes in edits.items():
        asked[case] = replace(ONE if case in ONE_ANSWER else FORK, edits=changes)
    if layers:
        head = asked["head zeroed, first layer"].edits
        asked["head zeroed in another prompt"] = replace(Job(CLEAN[:17], ANSWERS), edits=head)
        asked["head zeroed, other answers"] = replace(Job(CLEAN, ((64, 65), (11,), (11,))), edits=head)
        asked["head zeroed and a position hidden"] = replace(Job(CLEAN, ANSWERS, frozenset({18})), edits=head)
    return {case: inside for case, inside in asked.items() if name in FEW or case not in FOR_FEW}


def _feed_forward_cases(name: str) -> dict[str, tuple[Replace, ...]]:
    return {
        "mlp zeroed, first layer": (Replace(0, "mlp"),),
        "mlp zeroed, last layer": (Replace(LAYERS - 1, "mlp"),),
        "mlp patched": (Replace(1, "mlp", positions=(15, LAST), value=taken(name, "mlp", 1, 15, LAST)),),
        "mlp zeroed in two layers": (Replace(1, "mlp"), Replace(3, "mlp", positions=(LAST,))),
    }


def _head_cases(name: str, layers: list[int]) -> dict[str, tuple[Replace, ...]]:
    first, last = layers[0], layers[-1]
    width = oracle.width(fresh(CONFIGURATIONS[name]), "head", first)
    return {
        "attention zeroed, first layer": (Replace(first, "attention"),),
        "attention zeroed, last layer": (Replace(last, "attention"),),
        "attention patched": (
            Replace(first, "attention", positions=(9, 18), value=taken(name, "attention", first, 9, 18)),
        ),
        "head zeroed, first layer": (Replace(first, "head", head=1),),
        "head zeroed, last layer": (Replace(last, "head", head=2),),
        "head zeroed at positions": (Replace(first, "head", head=1, positions=(14, 17, 18, 20)),),
        "head zeroed at the answer": (Replace(first, "head", head=1, positions=(LAST,)),),
        "head zeroed inside the answers": (Replace(first, "head", head=1, positions=(FAN,)),),
        "two heads zeroed": (Replace(first, "head", head=0), Replace(last, "head", head=3)),
        "two heads of a layer zeroed": (Replace(last, "head", head=0), Replace(last, "head", head=3)),
        "head replaced": (Replace(first, "head", head=3, value=drawn(width)),),
        "head replaced at positions": (
            Replace(first, "head", head=0, positions=(18, LAST, FAN), value=drawn(3, width)),
        ),
        "head and feed-forward zeroed": (Replace(last, "head", head=1), Replace(last, "mlp")),
    }


def _cut_cases(layers: list[int]) -> dict[str, tuple[Replace | Knockout, ...]]:
    first, last = layers[0], layers[-1]
    answers, before = (LAST, FAN, FAN + 1), (15, 16, 17, 18)
    return {
        "one pair knocked out": (Knockout((LAST,), (18,)),),
        "spans knocked out": (Knockout((10, 11, 12, 20, LAST), (8, 9, 10, 19)),),
        "answers knocked out": (Knockout(answers, (17, 18, LAST, FAN)),),
        "all that came before knocked out": (Knockout((LAST,), tuple(range(LAST + 1))),),
        "one layer knocked out": (Knockout(answers, before, layers=(first,)),),
        "last layer knocked out": (Knockout(answers, before, layers=(last,)),),
        "one head knocked out": (Knockout(answers, before, layers=(first,), heads=(2,)),),
        "heads of two layers knocked out": (
            Knockout(answers, before, layers=(first,), heads=(0, 3)),
            Knockout((LAST,), (18,), layers=(last,), heads=(1,)),
        ),
        "knocked out and a head zeroed": (Knockout((LAST,), before), Replace(first, "head", head=1)),
        "knocked out and a block patched": (
            Knockout(answers, before, layers=(last,)),
            Replace(0, "block", positions=(9,)),
        ),
    }


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7))


def taken(name: str, site: str, layer: int, *positions: int) -> Tensor:
    """What the other prompt has there."""
    found = oracle.values(fresh(CONFIGURATIONS[name]), OTHER, [(site, layer)])
    return found[site, layer][list(positions)]


def told(job: Job, k: int, edits: tuple[Replace | Knockout, ...]) -> list[Put | Cut]:
    """The same in positions of one text: the prompt and continuation `k`."""
    place = places(job, k)
    changes: list[Put | Cut] = [Cut(tuple(place.values()), tuple(sorted(job.hidden)))] if job.hidden else []
    for edit in edits:
        if isinstance(edit, Knockout):
            queries, keys = (
                [place[node] for node in nodes if node in place] for nodes in (edit.queries, edit.keys)
            )
            changes.append(Cut(tuple(queries), tuple(keys), edit.layers, edit.heads))
            continue
        value, at = edit.value, None
        if edit.positions is not None:
            rows = [row for row, node in enumerate(edit.positions) if node in place]
            at = tuple(place[edit.positions[row]] for row in rows)
            value = value if value is None or value.dim() == 1 else value[rows]
        changes.append(Put(edit.site, edit.layer, edit.head, at, value))
    return changes


def places(job: Job, k: int) -> dict[int, int]:
    """Node number to position in the text of continuation `k`."""
    n = len(job.ids)
    return {i: i for i in range(n)} | {
        n + node: n + i for i, node in enumerate(fan_of(job.continuations).path(k))
    }


@functools.cache
def expected(name: str) -> dict[str, tuple[float, ...]]:
    return {case: truth(CONFIGURATIONS[name], asked) for case, asked in cases(name).items()}


def truth(tiny: Tiny, asked: Job) -> tuple[float, ...]:
    return tuple(
        oracle.log_prob(fresh(tiny), asked.ids, continuation, told(asked, k, asked.edits))
        for k, continuation in enumerate(asked.continuations)
    )


def possible(tiny: Tiny) -> dict[str, Job]:
    """What this architecture does not refuse."""
    refused = PER_HEAD if tiny.name in NO_MASK_PER_HEAD else ()
    return {case: inside for case, inside in cases(tiny.name).items() if case not in refused}


@functools.cache
def tolerance(name: str) -> float:
    with torch.no_grad():
        logits = fresh(CONFIGURATIONS[name])(torch.tensor([CLEAN]), use_cache=False).logits[0, -1]
    return TOLERANCE * max(1.0, logits.std().item())


def wrong(name: str, found: Mapping[str, tuple[float, ...]]) -> list[str]:
    """One line a case that is missing or further from the truth than rounding explains."""
    lines = []
    for case, got in found.items():
        off = np.abs(np.subtract(got, expected(name)[case])).max()
        if not off <= tolerance(name):
            lines.append(f"{case}: engine {got}, oracle {expected(name)[case]}, off by {off:.2e}")
    return lines


def ran(engine: Engine, asked: Mapping[str, Job], how: str = "auto") -> dict[str, tuple[float, ...]]:
    """The engine's numbers; each case once."""
    run = engine.run(list(asked.values()), how=how)
    names, pairs = list(asked), list(run)
    assert sorted(index for index, _ in pairs) == list(range(len(names)))
    assert run.report.how == how if how != "auto" else run.report.how in ("tree", "batches")
    assert run.report.why is None or run.report.why.key != "way_failed", run.report.why
    return {names[index]: tuple(numbers) for index, numbers in pairs}
