"""How numbers came about, as (what, value) for a reader who wants to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.session import current
from dashboard.widgets.markup import Markdown, plain
from dashboard.wording import t
from probes.locale import say
from probes.record.results import ProbeResult


def reason_text(reason: Mapping[str, Any]) -> str:
    """Why something is refused or was done another way, in words."""
    values = {name: value for name, value in reason.items() if name != "key"}
    return say(f"errors.{reason['key']}", current().lang, **values)


def measured_facts(result: ProbeResult) -> list[tuple[str, str]]:
    """(what, value) for a reader who wants to know how the numbers came about."""
    made = result.data["provenance"]
    model = made["model"]
    stored: list[dict[str, Any]] = made.get("stored", [])
    engine: list[dict[str, Any]] = [*made["engine"], *stored]
    reasons = [reason_text(report["why"]) for report in engine if report.get("why")]
    noise = result.data["noise_floor"]
    facts = [
        (
            "model",
            " · ".join(str(model[n]) for n in ("model", "architecture", "dtype", "device") if n in model),
        ),
        ("fingerprint", str(model.get("fingerprint", ""))[:16]),
        ("mode", _way(made["options"])),
        ("runs", t("details.runs_value", trials=made["trials"], stored=made["from_store"])),
        ("engine", ", ".join(dict.fromkeys(report["how"] for report in engine)) or t("details.from_store")),
        ("work", t("details.work_first" if stored else "details.work_value", **_work(engine))),
        ("noise", "–" if noise is None else f"{noise:.1e} nat"),
        ("first", _first(stored)),
        ("seconds", f"{made['seconds']:.2f} s · CPU {made['cpu_seconds']:.2f} s · {made['processor']}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in made["versions"].items())),
        ("crux", made["crux"]),
    ]
    if reasons:
        facts.insert(5, ("why", "; ".join(dict.fromkeys(reasons))))
    return [(t(f"details.fact_{name}"), value) for name, value in facts if value]


def _first(stored: list[dict[str, Any]]) -> str:
    """How long what comes from the store took when it was measured, and on what; "" where nothing does."""
    if not stored:
        return ""
    wall, cpu = (sum(report[name] for report in stored) for name in ("seconds", "cpu_seconds"))
    where = ", ".join(dict.fromkeys(f"{r['processor']} · Crux {r['crux']}" for r in stored))
    return f"{wall:.2f} s · CPU {cpu:.2f} s · {where}"


def listed(facts: Sequence[tuple[str, str]]) -> Markdown:
    """Facts, one a line."""
    return Markdown("\n".join(f"- {plain(name)}: {plain(value)}" for name, value in facts))


def _way(options: Mapping[str, Any]) -> str:
    """How words or parts of the model were taken away."""
    if ("ablate_mode" in options and "mode" not in options) or options.get("ablate_heads"):
        return f"{t('inside.how_' + options['ablate_mode'])} · {t('inside.at_' + options['positions'])}"
    return t(f"bar.mode_{options['mode']}") if "mode" in options else ""


def _work(engine: list[dict[str, Any]]) -> dict[str, int]:
    return {
        name: sum(report[name] for report in engine) for name in ("forwards", "tokens_run", "tokens_plain")
    }
