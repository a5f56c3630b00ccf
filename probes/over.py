"""A study over a set of passages: means with intervals, since on one passage no single head may decide.

The set is generated (so every right answer is known), or the presets of the question's language, or a file.
Rows that stand for the same part of the model in every passage are averaged. Words differ from passage to
passage: links are averaged by the roles of their words, and patching has no such mean.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from probes.answers import AnswerSet
from probes.errors import InputError
from probes.locale import say
from probes.models.base import AnswerModel
from probes.numbers import percent, signed
from probes.passage import Passage, Span
from probes.question import ROLES, Question, preset, presets, standard_answers
from probes.ranks import mean_interval
from probes.results import SCHEMA, ProbeResult
from probes.runner import run
from probes.store import Store

KEYS: Mapping[str, tuple[str, ...]] = {
    "heads": ("layer", "head"),
    "attention": ("layer", "head"),
    "layers": ("layer", "part"),
    "lens": ("layer",),
    "links": ("from", "to"),
}
"""By study, what tells its rows apart in every passage; of links it is the roles of both words."""
OTHER = "other"
"""The role of a word that nobody gave one."""
_MEANS = (
    "attention",
    "effect_log_prob",
    "effect_probability",
    "kl",
    "direct_effect",
    "sink",
    "entropy",
    "distance",
    "rho",
)
_SHARES = ("flips", "agrees")
_KEPT = ("kv_head", "mode", "positions", "estimate", "reader")


def questions_of(source: str, base: Question, seed: int = 0) -> list[Question]:
    """The set that `source` names: a number of generated passages, "presets", or a file.

    A file is JSON Lines with `passage` and, where they differ from `base`, `question` and `right`; or plain
    text, its passages parted by blank lines, all asked what `base` asks.

    Raises:
        InputError: no such file, or nothing in it that could be asked.
    """
    if source.isdecimal():
        return _generated(int(source), base, seed)
    if source == "presets":
        chosen = [preset(name).question() for name in presets()]
        return [q for q in chosen if q.language == base.language and q.answers == base.answers]
    return _from_file(Path(source), base)


def _generated(count: int, base: Question, seed: int) -> list[Question]:
    from probes.generator import Composer, answer, queries
    from probes.generator.lexicon import Tables

    language = base.language if base.language in ("zh", "en") else "en"
    composer, rng = Composer(language, seed + 2_000_003), random.Random(seed)
    tables, answers = Tables(language), standard_answers("count", language)
    found: list[Question] = []
    while len(found) < count:
        story = composer.story()
        asked = next((q for q in queries(story, tables, rng) if q.is_count), None)
        right = answer(story, asked) if asked else None
        if asked and right is not None:
            found.append(
                replace(
                    base,
                    passage=Passage(story.text),
                    question=asked.text,
                    answers=answers,
                    right=right,
                    tempting=None,
                    preset=None,
                    roles=_roles(story, asked),
                    answer_prefix="",
                )
            )
    if not found:
        raise InputError("over_empty", source=count)
    return found


def _roles(story: Any, asked: Any) -> dict[str, tuple[Span, ...]]:
    """The generator's roles as spans, neighbours of one role joined: its words may be parts of ours."""
    from probes.generator import roles

    found: dict[str, list[Span]] = {}
    for (start, end), role in sorted(roles(story, asked).items()):
        spans = found.setdefault(str(role), [])
        if spans and not story.text[spans[-1][1] : start].strip():
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return {role: tuple(spans) for role, spans in found.items() if role in ROLES}


def _from_file(path: Path, base: Question) -> list[Question]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError("over_unreadable", path=path.name, reason=str(fault)[:120]) from fault
    plain = replace(base, right=None, tempting=None, preset=None, roles={})
    if path.suffix != ".jsonl":
        parts = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
        found = [replace(plain, passage=Passage(part)) for part in parts]
    else:
        found = [
            _from_line(number, line, plain)
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip()
        ]
    if not found:
        raise InputError("over_empty", source=path.name)
    return found


def _from_line(number: int, line: str, base: Question) -> Question:
    try:
        entry = json.loads(line)
        changes = {"passage": Passage(entry["passage"]), "question": entry.get("question", base.question)}
        if entry.get("answers"):
            changes["answers"] = AnswerSet.parse(entry["answers"])
        return replace(base, right=entry.get("right"), **changes)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as fault:
        raise InputError("over_line", line=number, reason=f"{type(fault).__name__}: {fault}"[:120]) from fault


def run_over(
    study: str,
    model: AnswerModel,
    questions: Sequence[Question],
    options: Mapping[str, Any] | None = None,
    *,
    source: str = "",
    store: Store | None = None,
    lang: str = "en",
    on_progress: Callable[[int, int], None] | None = None,
) -> ProbeResult:
    """One study on every question, and the means of its rows with 95 % bootstrap intervals.

    Raises:
        InputError: this study's rows are words, which have no mean over passages.
    """
    if study not in KEYS:
        raise InputError("over_words", study=study, studies=", ".join(KEYS))
    started, cpu, records = time.perf_counter(), time.process_time(), []
    for place, question in enumerate(questions):
        if on_progress:
            on_progress(place, len(questions))
        record = dict(run(study, model, question, options, store=store, lang=lang).data)
        records.append(_by_role(record, question) if study == "links" else record)
    rows = _averaged(study, records, seed=int((options or {}).get("seed") or 0))
    data = {
        "schema": SCHEMA,
        "study": study,
        "over": {"size": len(records), "source": source, "passages": [_told(r) for r in records]},
        "geometry": records[0].get("geometry"),
        "mode": records[0].get("mode"),
        "positions": records[0].get("positions"),
        "thresholds": records[0]["thresholds"],
        "noise_floor": max((r["noise_floor"] or 0.0 for r in records), default=None),
        "agreement": _agreements(records),
        "rows": rows,
        "provenance": {
            **{k: records[0]["provenance"][k] for k in ("crux", "model", "versions", "processor", "options")},
            "command_line": f"{records[0]['provenance']['command_line']} --over {source}",
            "seconds": time.perf_counter() - started,
            "cpu_seconds": time.process_time() - cpu,
        },
    }
    data["headline"] = _headline(data, lang)
    return ProbeResult(study, data)


def _by_role(record: dict[str, Any], question: Question) -> dict[str, Any]:
    """Rows of links with their words' roles in the place of the words."""

    def role(word: Any) -> str:
        if word == "answer":
            return "answer"
        return question.role_of((word["start"], word["end"])) or OTHER

    rows = [{**row, "from": role(row["from"]), "to": role(row["to"])} for row in record["rows"]]
    return record | {"rows": rows}


def _told(record: Mapping[str, Any]) -> dict[str, Any]:
    clean = record["clean"]
    return {name: clean[name] for name in ("passage", "question", "right", "top")}


def _averaged(study: str, records: Sequence[Mapping[str, Any]], seed: int) -> list[dict[str, Any]]:
    together: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for record in records:
        rhos = {(r["layer"], r["head"]): r["rho"] for r in (record.get("agreement") or {}).get("rows", [])}
        for row in record["rows"]:
            key = tuple(row[name] for name in KEYS[study])
            full = {**row, "rho": rhos.get(key), "agrees": row.get("top") == record["clean"]["top"]}
            together.setdefault(key, []).append(full)
    return [
        dict(zip(KEYS[study], key, strict=True)) | _mean(members, seed) for key, members in together.items()
    ]


def _mean(members: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    row: dict[str, Any] = {name: members[0][name] for name in _KEPT if name in members[0]}
    for name in _MEANS:
        values = [m[name] for m in members if m.get(name) is not None]
        if values:
            found = mean_interval(values, seed=seed)
            row |= {name: found["mean"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
    for name in _SHARES:
        known = [bool(m[name]) for m in members if m.get(name) is not None]
        if known:
            row[name] = sum(known) / len(known)
    return row | {"passages": len(members)}


def _agreements(records: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    found = [r["agreement"]["mean"]["rho"] for r in records if r.get("agreement")]
    known = [rho for rho in found if rho is not None]
    return mean_interval(known, seed=0) if known else None


def _headline(data: Mapping[str, Any], lang: str) -> str:
    size = data["over"]["size"]
    told = [p for p in data["over"]["passages"] if p["right"] is not None]
    right = sum(p["top"] == p["right"] for p in told)
    parts = [
        say("headline.over_right" if told else "headline.over", lang, size=size, right=right, told=len(told))
    ]
    known = [row for row in data["rows"] if row.get("effect_log_prob") is not None]
    if known:
        least = min(known, key=lambda row: row["effect_log_prob"])
        name = _named(least, lang)
        low, high = (signed(least[f"effect_log_prob_{end}"] or 0.0) for end in ("low", "high"))
        numbers = {"nats": signed(least["effect_log_prob"]), "low": low, "high": high}
        parts.append(
            say(
                "headline.over_strongest",
                lang,
                what=name,
                flips=percent(least.get("flips") or 0.0),
                **numbers,
            )
        )
    if data["agreement"]:
        mean = data["agreement"]
        numbers = {
            "rho": signed(mean["mean"]),
            "low": signed(mean["low"] or 0),
            "high": signed(mean["high"] or 0),
        }
        parts.append(say("headline.over_agreement", lang, **numbers))
    return (" " if lang == "en" else "").join(parts)


def _named(row: Mapping[str, Any], lang: str) -> str:
    """A row's part of the model as a sentence names it."""
    if "head" in row:
        return say("headline.head_name", lang, head=f"{row['layer']}.{row['head']}")
    if "part" in row:
        return say(f"headline.part_{row['part']}", lang, layer=row["layer"])
    reader, read = (say(f"headline.role_{row[name]}", lang) for name in ("from", "to"))
    return say("headline.link_roles", lang, reader=reader, to=read)
