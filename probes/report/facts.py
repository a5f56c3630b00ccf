"""How a record was measured, as (what, value): from its own word on where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from probes.locale import note_text, say
from probes.numbers import figure
from probes.record.reference_wording import reference_text

Record = Mapping[str, Any]


def facts(data: Record, lang: str) -> list[tuple[str, str]]:
    """What there is to say, in the order it is read; what a record does not say is left out."""
    return [(say(f"report.fact_{name}", lang), value) for name, value in _facts(data, lang) if value]


def model_of(data: Record) -> str:
    """The model by its name."""
    return str(data["provenance"]["model"].get("model", "?"))


def _facts(data: Record, lang: str) -> Iterator[tuple[str, str]]:
    made, precision = data["provenance"], data.get("precision")
    model = made["model"]
    named = ("model", "revision", "architecture", "parameters", "dtype", "device")
    yield "model", " · ".join(str(model[name]) for name in named if model.get(name))
    yield "fingerprint", str(model.get("fingerprint") or "")
    yield "options", _options(made.get("options", {}))
    yield "template", str(data.get("clean", data).get("template") or "")
    yield "runs", _runs(made, lang)
    yield "noise", "" if data.get("noise_floor") is None else f"{figure(data['noise_floor'])} nat"
    yield "precision", f"±{figure(precision['nats'])} nat ({precision['dtype']})" if precision else ""
    yield "seconds", _seconds(made)
    yield "versions", _versions(made)
    yield "reference", reference_text(data, lang)
    for note in data.get("notes", ()):
        yield "note", note_text(note, lang)


def _options(options: Mapping[str, Any]) -> str:
    """As the command line has them; those that were given nothing are left out."""
    return " ".join(f"{name}={value}" for name, value in options.items() if value is not None)


def _runs(made: Record, lang: str) -> str:
    if "trials" not in made:
        return ""
    ways = dict.fromkeys(str(one["how"]) for one in [*made.get("engine", ()), *made.get("stored", ())])
    told = say("report.runs", lang, trials=made["trials"], stored=made.get("from_store", 0))
    return " · ".join([told, *ways])


def _seconds(made: Record) -> str:
    if "seconds" not in made:
        return ""
    cpu = f" · CPU {made['cpu_seconds']:.2f} s" if "cpu_seconds" in made else ""
    place = f" · {made['processor']}" if made.get("processor") else ""
    return f"{made['seconds']:.2f} s{cpu}{place}"


def _versions(made: Record) -> str:
    own = [("Crux", made.get("crux"))]
    return ", ".join(f"{name} {version}" for name, version in [*own, *made.get("versions", {}).items()])
