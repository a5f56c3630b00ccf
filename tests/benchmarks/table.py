"""Markdown made from `results/*.json`, kept between two markers in both pages of benchmarks."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.growth import points
from tests.benchmarks.processes import HERE, ROOT, Way, ways
from tests.benchmarks.study import RESULTS

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
PAGES = {"en": ROOT / "docs" / "benchmarks.md", "zh": ROOT / "docs" / "benchmarks.zh.md"}
TEXTS = tomllib.loads((HERE / "texts.toml").read_text(encoding="utf-8"))
OURS = ("crux", "crux-command", "crux-command-all")


def write() -> list[Path]:
    """Put the tables into the pages; the files changed."""
    changed = []
    for language, path in PAGES.items():
        old = path.read_text(encoding="utf-8")
        before, _, rest = old.partition(BEGIN)
        _, found, after = rest.partition(END)
        if not found:
            raise ValueError(f"{path.name} lacks the markers {BEGIN} and {END}")
        new = f"{before}{BEGIN}\n{render(language)}{END}{after}"
        if new != old:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed


def render(language: str) -> str:
    """Everything between the markers."""
    text = {name: value[language] for name, value in TEXTS.items()}
    words, heads, growth = (read(name) for name in ("words", "heads", "growth"))
    parts = [introduction(words, text), *study(words, language, text), *study(heads, language, text)]
    parts += [arithmetic([words, heads], text), *grown(growth, words["machine"], text)]
    if (RESULTS / "find.json").is_file():
        parts += strongest(read("find"), text)
    return "\n".join(parts) + "\n"


def read(name: str) -> dict[str, Any]:
    """A record."""
    record: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return record


def introduction(record: dict[str, Any], text: dict[str, str]) -> str:
    """What was run, on what."""
    machine = record["machine"]
    models = text["between"].join(
        text["model"].format(
            name=label(entry["model"], text),
            template=entry["template"],
            tokens=entry["prompt_tokens"],
            threads=entry["threads"],
        )
        for entry in record["models"]
    )
    answers = len(record["models"][0]["answers"])
    return text["introduction"].format(models=models, answers=answers, **machine)


def study(record: dict[str, Any], language: str, text: dict[str, str]) -> Iterator[str]:
    """The table of one study: a row a way, two columns a model."""
    entries = record["models"]
    names = [label(entry["model"], text) for entry in entries]
    sizes = " / ".join(dict.fromkeys(str(entry[record["benchmark"]]) for entry in entries))
    yield "\n" + text[record["benchmark"]].format(count=sizes) + "\n"
    titles = [text["way"]]
    for name in names:
        titles += [f"{name}, {text['cpu']}", text["less"], text["memory"]]
    yield "| " + " | ".join([*titles, text["gives"]]) + " |"
    yield "|---" + "|---:" * (3 * len(names)) + "|---|"
    for way in (way for way in ways() if way.study == record["benchmark"]):
        rows = [found(entry, way.key) for entry in entries]
        if not any(rows):
            continue
        cells = [named(way, rows, language)]
        for entry, row in zip(entries, rows, strict=True):
            cells += cost(row, found(entry, "plain"), text, bold=way.key in OURS)
        yield "| " + " | ".join([*cells, text["between"].join(remarks(way, rows, language, text))]) + " |"


def label(model: str, text: dict[str, str]) -> str:
    """A model's name in the reader's language."""
    return text["builtin"] if model == "built-in model" else model.removesuffix("-Instruct")


def found(entry: dict[str, Any], key: str) -> dict[str, Any] | None:
    """A way's row of one model."""
    return next((row for row in entry["ways"] if row["key"] == key), None)


def named(way: Way, rows: Sequence[dict[str, Any] | None], language: str) -> str:
    """The way, with the version of its library."""
    version = next((row["version"] for row in rows if row and row.get("version")), "")
    name = way.name[language].format(version=version)
    return f"**{name}**" if way.key in OURS else name


def cost(
    row: dict[str, Any] | None, plain: dict[str, Any] | None, text: dict[str, str], bold: bool
) -> list[str]:
    """Seconds, how many times less than the plain loop, and peak memory."""
    if row is None or row["status"] != "ok":
        return ["–", "–", "–"]
    about = "≈ " if row["scaled_from"] else ""
    seconds = about + number(row["cpu_seconds_total"])
    ratio = ""
    if plain and plain["status"] == "ok" and row is not plain:
        times = plain["cpu_seconds_total"] / row["cpu_seconds_total"]
        ratio = text["times"].format(times=number(times))
    memory = f"{row['memory_bytes_peak'] / 1e6:,.0f}"
    return [f"**{cell}**" if bold and cell else cell for cell in (seconds, ratio)] + [memory]


def remarks(
    way: Way, rows: Sequence[dict[str, Any] | None], language: str, text: dict[str, str]
) -> Iterator[str]:
    """What the way computes, how well it agrees, what was scaled, and why a number is missing."""
    yield way.differs[language]
    done = [row for row in rows if row and row["status"] == "ok"]
    differences = [row["max_difference"] for row in done if "max_difference" in row]
    if differences and way.key != "plain":
        largest = max(differences)
        yield text["agrees"].format(nats=f"{largest:.0e}") if largest else text["equals"]
    correlations = [row["rank_correlation"] for row in done if "rank_correlation" in row]
    if correlations:
        means = [f"{sum(rhos) / len(rhos):.2f}".replace("-", "−") for rhos in correlations]
        yield text["correlates"].format(rho=" / ".join(means))
    for row in done:
        if row["scaled_from"]:
            unit = text[f"unit_{row['scaled_from']['unit']}"]
            yield text["scaled"].format(unit=unit, **{n: row["scaled_from"][n] for n in ("done", "of")})
    for reason in dict.fromkeys(
        f"{row['status']}: {row['reason']}" for row in rows if row and row not in done
    ):
        yield text["missing"].format(reason=reason.replace("|", "/"))


def arithmetic(records: Sequence[dict[str, Any]], text: dict[str, str]) -> str:
    """Fewer operations, and how fast they are done."""
    lines = []
    for record in records:
        for entry in record["models"]:
            work = entry["arithmetic"]
            if "flops" not in work:
                continue
            row = found(entry, "crux")
            lines.append(
                text["arithmetic_row"].format(
                    model=label(entry["model"], text),
                    study=text[f"study_{record['benchmark']}"],
                    fewer=number(work["flops_plain"] / work["flops"]),
                    share=f"{100 * work['share_of_peak']['crux']:.0f}",
                    plain=f"{100 * work['share_of_peak']['plain']:.0f}",
                    setup=number(row["setup_cpu_seconds"]) if row else "",
                    packed=text["packed_yes" if row and row["packed_linears"] else "packed_no"],
                )
            )
    peak = max(entry["arithmetic"]["peak"]["per_cpu_second"] for r in records for entry in r["models"])
    return "\n" + text["arithmetic"].format(peak=f"{peak / 1e9:.0f}") + "\n\n" + "\n".join(lines)


def grown(record: dict[str, Any], machine: dict[str, Any], text: dict[str, str]) -> Iterator[str]:
    """A row a point: seconds of words and of heads, and how many times less than the plain loop."""
    elsewhere = "" if record["machine"] == machine else text["elsewhere"].format(**record["machine"])
    yield "\n" + text["growth"].format(elsewhere=elsewhere) + "\n"
    yield "| " + " | ".join(text[f"growth_{c}"] for c in ("point", "words", "heads", "memory")) + " |"
    yield "|---|---:|---:|---:|"
    order = list(dict.fromkeys(point["axis"] for point in points()))
    for point in sorted(record["points"], key=lambda p: (order.index(p["axis"]), float(p["value"]))):
        value = point["value"]
        name = text[f"axis_{point['axis']}"].format(value=f"{value:,}" if isinstance(value, int) else value)
        if point.get("machine", record["machine"]) != record["machine"]:
            name += f" ({point['machine']['processor']})"
        if point["status"] != "ok":
            yield f"| {name} | {text['missing'].format(reason=point['reason'])} | | |"
            continue
        cells = [growth_cell(point["studies"].get(study), text) for study in ("words", "heads")]
        memory = max(row["memory_bytes_peak"] for row in point["studies"].values())
        yield f"| {name} | {' | '.join(cells)} | {memory / 1e6:,.0f} |"


def growth_cell(row: dict[str, Any] | None, text: dict[str, str]) -> str:
    """Seconds and how many times less."""
    if row is None:
        return ""
    about = "≈ " if row["scaled_from"] else ""
    times = text["times"].format(times=number(row["plain_cpu_seconds"] / row["cpu_seconds"]))
    return f"{about}{number(row['cpu_seconds'])} ({times})"


def strongest(record: dict[str, Any], text: dict[str, str]) -> Iterator[str]:
    """A row a passage: the ten strongest words beside all of them, one by one."""
    yield "\n" + text["find"] + "\n"
    names = ("passage", "all", "find", "less", "runs", "share", "memory", "machine")
    yield "| " + " | ".join(text[f"find_{name}"] for name in names) + " |"
    yield "|---|---:|---:|---:|---:|---:|---:|---|"
    for point in record["points"]:
        ten, whole = point["find"], point.get("all")
        times = whole["cpu_seconds"] / ten["cpu_seconds"] if whole else None
        cells = [
            text["find_of"].format(model=label(point["model"], text), words=f"{point['words']:,}"),
            number(whole["cpu_seconds"]) if whole else "",
            number(ten["cpu_seconds"]),
            text["times"].format(times=number(times)) if times else "",
            str(ten["runs"]),
            f"{round(10 * point['share'])} / 10" if whole else "",
            f"{ten['memory_bytes_peak'] / 1e6:,.0f}",
            point["machine"]["processor"],
        ]
        yield "| " + " | ".join(cells) + " |"


def number(value: float) -> str:
    """Two or three significant figures."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
