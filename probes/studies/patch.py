"""Which states carry the difference between a passage and its minimal counterfactual?

Activation patching (Vig et al. 2020, arXiv 2004.12265; Meng et al. 2022, arXiv 2202.05262): the passage is
run as it stands and with a few words replaced by others of the same length in tokens; one state of the one
run is put into the other. *Denoising* puts clean states into the counterfactual run and asks what brings the
answer back; *noising* puts counterfactual states into the clean run and asks what breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.asking.interventions import Patch, Site
from probes.asking.question import Question, Swap
from probes.asking.trials import Mode, Trial
from probes.errors import InputError
from probes.locale import say
from probes.models.base import Outcome
from probes.numbers import head_label, percent, shared, shortened
from probes.studies.attention import units_of
from probes.studies.base import NATS, POINTS, TARGET, Asking, Extent, Option, Record, Steps, Study
from probes.studies.columns import Table, columns, effect_cells, flip_cell, note, word_of
from probes.studies.effects import ask_fields
from probes.studies.over_means import SMALLEST_DIFFERENCE
from probes.studies.over_telling import Over
from probes.studies.parts import block_places, head_places, moved
from probes.studies.shared_tokens import shared_tokens, sharing
from probes.studies.telling import joined, opening, quoted_text, quoted_units, says
from probes.text.passage import Span

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

CHANGE = Option("change", "text", None)
TO = Option("to", "text", None)
DIRECTION = Option("direction", "choice", "denoising", ("denoising", "noising"))
SITE = Option("site", "choice", "block", ("block", "attention", "mlp", "head"))


def steps(asking: Asking) -> Steps:
    """Yield the passage with other words, then every word and layer (and head) patched."""
    model, question, settings = asking.model, asking.question, asking.settings
    swaps = changed(question, settings)
    places = _places(asking.geometry, settings["site"])
    asking.refuse([(settings["site"], layer, head) for layer, head in places])
    others = yield [Trial(spans, Mode.REPLACE, text) for spans, text in swaps]
    own, target = asking.clean, asking.target
    (spans, text), counter = _of_one_length(own, swaps, others)
    denoising = settings["direction"] == "denoising"
    base, source = (counter, own) if denoising else (own, counter)
    units = [*question.passage.words, None]
    trials = []
    for layer, head in places:
        for unit in units:
            at = "answer" if unit is None else (unit.span,)
            patch = Patch(settings["site"], layer, at, head, None if denoising else (spans, text))  # type: ignore[arg-type]
            trials.append(Trial(spans, Mode.REPLACE, text, (patch,)) if denoising else Trial(inside=(patch,)))
    outcomes = yield trials
    scale = target.log(source.answers) - target.log(base.answers)
    found = iter(outcomes)
    rows = []
    for layer, head in places:
        for unit in units:
            now = next(found)
            back = target.log(now.answers) - target.log(base.answers)
            rows.append(
                {
                    "layer": layer,
                    "site": settings["site"],
                    "head": head,
                    "unit": "answer" if unit is None else unit.index,
                    "text": None if unit is None else unit.text,
                    "start": None if unit is None else unit.start,
                    "end": None if unit is None else unit.end,
                    "recovered": back / scale if scale and now.prepared.reaches else None,
                    **moved(asking, now, base),
                }
            )
    shares, notes = shared_tokens(model, question, question.passage.words)
    return {
        "base": ask_fields(question, base),
        "source": ask_fields(question, source),
        "counterfactual": {
            "text": _replaced(question.passage.text, spans, text),
            "changed": [list(span) for span in spans],
            "to": text,
            "prompt": counter.prepared.prompt,
        },
        "direction": settings["direction"],
        "site": settings["site"],
        "scale": scale,
        "geometry": asking.geometry,
        "units": sharing(units_of(question.passage.words), shares),
        "notes": notes,
        "rows": rows,
    }


Replaced = tuple[tuple[Span, ...], str]
"""Spans of the passage, and what is put in the place of each."""


def changed(question: Question, settings: Mapping[str, Any]) -> list[Replaced]:
    """What may be replaced by what: as told, else what comes with the question.

    Raises:
        InputError: nothing told and nothing suggested, only half told, or words that are not there.
    """
    change, to = settings["change"], settings["to"]
    if change is None and to is None:
        swaps: Sequence[Swap] = question.swaps
    else:
        swaps = [(change, to)] if change and to else []
    if not swaps:
        raise InputError("patch_nothing")
    return [(question.passage.find(words), text) for words, text in swaps]


def _of_one_length(
    own: Outcome, swaps: Sequence[Replaced], others: Sequence[Outcome]
) -> tuple[Replaced, Outcome]:
    """The first counterfactual with as many tokens as the passage itself, and another answer if one has.

    Raises:
        InputError: none is as long.
    """
    tokens = len(own.prepared.prompt_ids)
    pairs = zip(swaps, others, strict=True)
    alike = [(swap, other) for swap, other in pairs if len(other.prepared.prompt_ids) == tokens]
    for swap, other in alike:
        if other.answers.top != own.answers.top:
            return swap, other
    if alike:
        return alike[0]
    raise InputError("patch_lengths", base=tokens, source=len(others[0].prepared.prompt_ids))


def _places(geometry: Mapping[str, Any], site: Site) -> list[tuple[int, int | None]]:
    if site == "head":
        return list(head_places(geometry))
    if site == "block":
        return [(layer, None) for layer in range(geometry["layers"])]
    return [(layer, None) for layer, part in block_places(geometry) if part == site]


def _replaced(text: str, spans: tuple[Span, ...], new: str) -> str:
    for start, end in reversed(spans):
        text = text[:start] + new + text[end:]
    return text


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """What the other passage is answered, and which state carries most of the difference.

    Behind the last block the answer's place carries all of it, so of blocks the words are asked.
    """
    known = [row for row in data["rows"] if row["recovered"] is not None and not _at_the_answer(row)]
    other = data["base"] if data["direction"] == "denoising" else data["source"]
    to = quoted_text(shortened(data["counterfactual"]["to"]), lang)
    parts = [*opening(data, lang), says(data, other, lang, "patch.then_changed", what=to)]
    if known:
        best = max(known, key=lambda row: row["recovered"])
        what = _state_name(best, quoted_units(data, lang), lang)
        share = percent(max(0.0, best["recovered"]))
        parts.append(say(f"patch.patch_{data['direction']}", lang, what=what, share=share))
    return joined(parts, lang)


def _at_the_answer(row: Record) -> bool:
    return bool(row["unit"] == "answer" and row["site"] == "block")


def _state_name(row: Record, units: Mapping[int, str], lang: str) -> str:
    """Whose state, of which site and which layer or head."""
    words = say("patch.words_answer", lang) if row["unit"] == "answer" else units[row["unit"]]
    return say(f"patch.state_{row['site']}", lang, words=words, place=_place(row))


def _place(row: Record) -> str:
    return f"{row['layer']}" if row["head"] is None else head_label(row["layer"], row["head"])


def table(data: Record, lang: str) -> Table:
    """Every state that was put into the other run, those that carry most first."""
    cells = []
    for row in sorted(data["rows"], key=lambda r: -abs(r["recovered"] or 0)):
        answer = row["unit"] == "answer"
        where = say("cli.answer_position", lang) if answer else word_of(row["unit"], data)
        share = "" if row["recovered"] is None else shared(row["recovered"])
        cells.append([_place(row), where, share, *effect_cells(row), flip_cell(row, data)])
    names = ("layer", "state", "recovered", "nats", "points", "kl", "flips")
    return Table(columns("patch", lang, *names), cells, [note("cli.inside_note", data, lang)])


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Words by layers, each cell the share of the difference that its state carries."""
    from probes import charts

    return charts.patch_map(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """The other passages that may serve, then every place at every word and at the answer."""
    swaps = 1 if settings.get("change") else extent.swaps
    return swaps + len(_places(extent.geometry, settings["site"])) * (extent.words + 1)


def by_places(record: dict[str, Any], _question: Question) -> dict[str, Any]:
    """Rows with where their words stand to what was changed in the place of the words."""
    spans = record["counterfactual"]["changed"]
    return record | {"rows": [{**row, "words": _against(row, spans)} for row in record["rows"]]}


def _against(row: Record, changed: Sequence[Sequence[int]]) -> str:
    if row["unit"] == "answer":
        return "answer"
    if any(row["start"] < end and start < row["end"] for start, end in changed):
        return "changed"
    return "before" if row["end"] <= changed[0][0] else "after"


def _by_place(prefix: str) -> Callable[[Record, str], str]:
    def name(row: Record, lang: str) -> str:
        words = say(f"patch.{prefix}words_{row['words']}", lang)
        return say(f"patch.{prefix}state_{row['site']}", lang, words=words, place=_place(row))

    return name


OVER = Over(
    keys=("layer", "head", "words"),
    name=_by_place(""),
    short=_by_place("short_"),
    cell=lambda row, lang: f"{_place(row)} {say('patch.words_' + row['words'], lang)}",
    column="state",
    measure="recovered",
    first="recovered",
    share=True,
    strongest=lambda record: f"patch.over_strongest_{record['direction']}",
    placed=by_places,
    left_out=("patch_lengths", "patch_nothing", "word_not_found", "occurrence_unknown"),
    usable=lambda record: abs(record["scale"]) >= SMALLEST_DIFFERENCE,
    whole=lambda row, record: row["words"] == "answer" and record.get("site") == "block",
)
STUDY = Study(
    "patch",
    (CHANGE, TO, DIRECTION, SITE, TARGET, POINTS, NATS),
    steps,
    needs=("inside",),
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
    part=0.5,
)
