"""Small records of the studies that look inside, written by hand: what pictures and views are drawn from."""

from __future__ import annotations

import math
import random
from typing import Any

from probes.record.results import ProbeResult
from probes.studies import study_named

ANSWERS = (("0", "never"), ("1", "once"), ("2", "twice"))
WORDS = ("Yesterday", "I", "walked", "into", "the", "coffee", "shop", "the", "coffee", "</script>", "咖啡店")


def answers(*shares: float) -> list[dict[str, Any]]:
    return [
        {
            "answer": label,
            "name": name,
            "strings": [name],
            "probability": p,
            "log_prob": math.log(p),
            "share": p,
        }
        for (label, name), p in zip(ANSWERS, shares, strict=True)
    ]


def run_of(nats: float | None, **more: Any) -> dict[str, Any]:
    """A row's fields of one run, in which the log-probability of "once" moves by `nats`."""
    p = 0.96 * math.exp(min(nats, 0.03)) if nats is not None else 1e-9
    shares = (0.99 - p, p, 0.005)
    flips = p < 0.99 - p
    return {
        "answers": answers(*shares),
        "coverage": sum(shares),
        "other": 1 - sum(shares),
        "effect_log_prob": nats,
        "effect_probability": p - 0.96,
        "kl": 0.1,
        "top": "0" if flips else "1",
        "flips": flips,
        "no_change": nats is not None and abs(nats) < 0.05,
        "estimate": False,
        **more,
    }


def shared(study: str) -> dict[str, Any]:
    """Fields that every record has."""
    clean = {
        "answers": answers(0.03, 0.96, 0.005),
        "coverage": 0.995,
        "other": 0.005,
        "top": "1",
        "passage": " ".join(WORDS),
        "question": "How often?",
        "prompt": " ".join(WORDS),
        "prompt_ids": [1, 2, 3],
        "template": "plain",
        "answer_prefix": "",
        "right": "1",
        "greedy": "once",
    }
    return {
        "schema": 1,
        "study": study,
        "clean": clean,
        "target": {"kind": "answer", "label": "1", "text": "once", "against": None, "name": "top"},
        "thresholds": {"points": 1.0, "nats": 0.05},
        "noise_floor": 1e-6,
        "headline": "The model says “once”.",
    }


def units() -> list[dict[str, Any]]:
    found, at = [], 0
    for index, text in enumerate(WORDS):
        before, all_of = WORDS[:index].count(text), WORDS.count(text)
        span = {"start": at, "end": at + len(text)}
        found.append({"index": index, "text": text, "occurrence": before + 1, "occurrences": all_of, **span})
        at += len(text) + 1
    return found


def heads(
    layers: int = 6, count: int = 6, groups: int = 2, *, without: int | None = 3, seed: int = 0
) -> ProbeResult:
    """A map of heads: one flips the answer, one gains, most do nothing; every fifth is an estimate."""
    rng = random.Random(seed)
    rows = []
    for layer in range(layers):
        for head in range(count if layer != without else 0):
            nats = rng.choice([0.0, 0.01, -0.02, -0.3, 0.2, -0.9])
            nats = -4.2 if (layer, head) == (1, 2) else 0.9 if (layer, head) == (2, 5) else nats
            row = run_of(nats, estimate=(layer * count + head) % 5 == 4)
            if row["estimate"]:
                unknown = ("effect_probability", "kl", "top", "flips", "no_change", "coverage", "other")
                row |= {"answers": [], **dict.fromkeys(unknown)}
            place = {"layer": layer, "head": head, "kv_head": head // (count // groups), "mode": "zero"}
            rows.append({**place, "positions": "all", "direct_effect": -nats / 2, **row})
    steps = [-0.1, -1.5, -4.0, -4.5, -5.0]
    gained = [-5.0, -3.0, -0.7, -0.1, 0.0]
    data = {
        **shared("heads"),
        "rows": rows,
        "geometry": {
            "layers": layers,
            "heads": [None if n == without else count for n in range(layers)],
            "kv_heads": [None if n == without else groups for n in range(layers)],
        },
        "reference": None,
        "cumulative": {
            "order": [[1, 2], [2, 5]],
            "remove": [{"k": k + 1, "layer": 1, "head": k, **run_of(n)} for k, n in enumerate(steps)],
            "keep": [{"k": 2**k, **run_of(n)} for k, n in enumerate(gained)],
            "flips_at": 2,
            "holds_from": 4,
        },
        "control": {"size": 2, "sets": 20, "effects": [-0.1, 0.1], "band": [-0.2, 0.1]},
    }
    return ProbeResult("heads", data)


def links(seed: int = 1) -> ProbeResult:
    """Links between all words and from the answer: a few strong, most nothing."""
    rng, found = random.Random(seed), units()

    def end(n: int) -> dict[str, Any]:
        return {name: found[n][name] for name in ("index", "text", "start", "end")}

    rows = []
    for reader in [*range(len(found)), "answer"]:
        for read in range(len(found) if reader == "answer" else int(reader)):
            nats = rng.choice([0.0, 0.0, 0.0, 0.01, -0.02, -0.5, 0.4])
            if (reader, read) == ("answer", 6):
                nats = -3.5
            ends = {"from": "answer" if reader == "answer" else end(int(reader)), "to": end(read)}
            rows.append({**ends, "layers": None, "attention": rng.random() / 5, **run_of(nats)})
    return ProbeResult(
        "links", {**shared("links"), "units": found, "rows": rows, "left_out": 3, "budget": 70}
    )


def attention(layers: int = 4, count: int = 4) -> ProbeResult:
    """What each head reads from the answer and from every word."""
    rng, found = random.Random(2), units()
    rows, rhos = [], []
    for layer in range(layers):
        for head in range(count):
            for reader in [*range(len(found)), "answer"]:
                raw = [rng.random() ** 6 for _ in found]
                if reader != "answer":
                    raw = [w if n <= int(reader) else 0.0 for n, w in enumerate(raw)]
                whole = sum(raw) + 1.0
                weights = [w / whole for w in raw]
                place = {"layer": layer, "head": head, "reader": reader, "weights": weights}
                rows.append(
                    {**place, "sink": 0.6 / whole, "rest": 0.4 / whole, "entropy": 1.2, "distance": 8.0}
                )
            rhos.append({"layer": layer, "head": head, "rho": rng.uniform(-0.4, 0.8), "found": 1.0})
    agreement = {
        "words": 53,
        "changing": 4,
        "rows": rhos,
        "best_by_chance": 0.45,
        "mean": {"rho": 0.38, "found": 1.0, "p": 0.04},
        "rollout": {"rho": 0.3, "found": 0.5, "p": 0.2},
    }
    data = {"units": found, "reader": "answer", "rows": rows, "rollout": [0.1] * len(found)}
    return ProbeResult("attention", {**shared("attention"), **data, "agreement": agreement})


def layers(count: int = 6) -> ProbeResult:
    """Attention and feed-forward of each layer taken away."""
    rng = random.Random(3)
    rows = []
    for layer in range(count):
        for part in ("attention", "mlp"):
            nats = rng.choice([0.01, -0.2, 0.4, -2.5])
            place = {"layer": layer, "part": part, "mode": "mean", "positions": "all"}
            rows.append({**place, "direct_effect": rng.uniform(-1, 2), **run_of(nats)})
    return ProbeResult("layers", {**shared("layers"), "rows": rows})


def lens(count: int = 6) -> ProbeResult:
    """The answer appears two layers before the end."""
    rows = []
    for layer in range(count + 1):
        late = layer >= count - 2
        shares = (0.2, 0.3 + 0.1 * (layer - count + 3), 0.1) if late else (0.2 + 0.02 * layer, 0.05, 0.1)
        rows.append({"layer": layer, "answers": answers(*shares), "top": "1" if late else "0"})
    parts: list[dict[str, Any]] = [{"layer": None, "part": "embedding", "contribution": 0.2}]
    parts += [
        {"layer": layer, "part": part, "contribution": (layer - 2) * (0.3 if part == "mlp" else -0.1)}
        for layer in range(count)
        for part in ("attention", "mlp")
    ]
    contrast = {"string": " once", "against": " never", "token": 0}
    data = {"rows": rows, "contributions": parts, "contrast": contrast, "settled_at": count - 2}
    return ProbeResult("lens", {**shared("lens"), **data, "geometry": {"layers": count}})


def patch(count: int = 6, heads: int = 0) -> ProbeResult:
    """The word that differs carries the difference in early layers, the answer's place in late layers."""
    found, rows = units(), []
    for layer in range(count):
        for head in range(heads) if heads else [None]:
            for unit in [*found, None]:
                early, late = (
                    unit is not None and unit["index"] == 2 and layer < 3,
                    unit is None and layer >= 3,
                )
                share = 0.95 if early or late else -0.2 if unit and unit["index"] == 5 else 0.01
                names = ("text", "start", "end")
                at = {"unit": "answer" if unit is None else unit["index"]}
                words = dict.fromkeys(names) if unit is None else {name: unit[name] for name in names}
                place = {"layer": layer, "site": "head" if heads else "block", "head": head, **at, **words}
                rows.append({**place, "recovered": share, **run_of(-4 * share)})
    other = {"text": "Yesterday I walked past", "prompt": "x", "to": "past", "changed": [[12, 18]]}
    ends = {"base": {**shared("ask")["clean"], "top": "0"}, "source": shared("ask")["clean"]}
    data = {"counterfactual": other, "direction": "denoising", "site": "block", "units": found, "rows": rows}
    return ProbeResult("patch", {**shared("patch"), **data, **ends})


def over(study: str) -> ProbeResult:
    """A set of four passages: one part that matters for sure, one that may not, one without an interval."""
    over = study_named(study).over
    assert over is not None
    measure = over.measure
    places: dict[str, list[dict[str, Any]]] = {
        "heads": [{"layer": 0, "head": n} for n in range(3)],
        "attention": [{"layer": 0, "head": n} for n in range(3)],
        "layers": [{"layer": n, "part": "mlp"} for n in range(3)],
        "lens": [{"layer": n} for n in range(3)],
        "links": [{"from": name, "to": "key"} for name in ("answer", "key", "other")],
        "patch": [{"layer": n, "head": None, "words": "changed", "site": "block"} for n in range(3)],
    }
    numbers = ((-0.5, -0.7, -0.2), (-0.3, -0.8, 0.1), (0.2, None, None))
    each = {"flips": 0.25, "passages": 4, "median": -0.1, "skew": -1.2, "carried_by": 3}
    rows = [
        {**place, measure: mean, f"{measure}_low": low, f"{measure}_high": high, **each}
        | {"values": [mean, 2 * mean, None, 0.0]}
        for place, (mean, low, high) in zip(places[study], numbers, strict=True)
    ]
    removal = study not in ("attention", "lens")
    passages = [{"passage": "I went.", "question": "How often?", "right": "1", "top": "1"}] * 4
    data = {
        "study": study,
        "over": {"size": 4, "left_out": 1, "source": "5", "passages": passages},
        "thresholds": {"points": 1.0, "nats": 0.05},
        "direction": "denoising",
        "site": "block",
        "agreement": None,
        "rows": rows,
        "strongest": {**rows[-1], "passages": 2, "chosen_on": 2} if removal else None,
    }
    return ProbeResult(study, data)
