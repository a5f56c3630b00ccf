"""Write the tables of docs/hosting.md and docs/hosting.zh.md: `python -m scripts.hosting`."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dashboard.hosting.settings import Rate
from dashboard.limits import HOSTED_CAPS, Limits
from dashboard.wording import TEXTS

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = {"en": DOCS / "hosting.md", "zh": DOCS / "hosting.zh.md"}
HEADS = {
    "en": ("setting", "hosted", "one's own page", "bounds"),
    "zh": ("设置", "托管", "自己的页面", "限制的是"),
}
FIGURES = DOCS.parent / "tests" / "load" / "figures.json"
"""What `make load` came to last."""
TIMES = {
    "en": ("seconds", "50 of 100", "95 of 100", "99 of 100", "clicks"),
    "zh": ("秒", "100 次中 50 次", "100 次中 95 次", "100 次中 99 次", "点击数"),
}
CLICKS = {
    "cached": ("a press, the answer at hand", "点击，答案现成"),
    "uncached": ("a press, the answer computed", "点击，答案要算"),
    "open, its first answer": ("a page opened, to its first answer", "打开页面，到第一个答案"),
    "open": ("a page opened, to the effect of every word", "打开页面，到每个词的影响"),
    "chromium": ("a press in Chromium, to the new line on top", "在 Chromium 里点击，到顶上的新句子"),
}
LOAD = {
    "en": (
        "{visitors} visitors for {minutes} minutes on {cores} cores, {measuring} of them at SmolLM2 all the "
        "while: {rate} answers a second, {refused} % refused, {wrong} of {answers} answers other than the "
        "known record, {leaks} texts of one visitor seen by another. After {visits} visits more the process, "
        "of {size} MB, had grown by {growth} %. The clients took {clients} % of a core.{note}"
    ),
    "zh": (
        "{cores} 个核，{visitors} 位访问者，{minutes} 分钟，其中 {measuring} 位一直在测 SmolLM2："
        "每秒 {rate} 个答案，拒绝 {refused} %，{answers} 个答案里与已知记录不同的有 {wrong} 个，"
        "某位访问者的文字被别人看到 {leaks} 次。再来 {visits} 次访问之后，占 {size} MB 的进程"
        "增大 {growth} %。客户端占用一个核的 {clients} %。{note}"
    ),
}
BUSY = {
    "en": " Other work took part of both cores meanwhile: the server had {share} of them.",
    "zh": "其间另有别的工作占用这两个核：服务器得到其中 {share} 个。",
}


def table(lang: str) -> str:
    """Every number that a settings file may name."""
    rows = [HEADS[lang], ("---", "---:", "---:", "---")]
    for name, hosted in HOSTED_CAPS.items():
        rows.append(_row(f"limits.{name}", hosted, getattr(Limits(), name), lang))
    for name, hosted in asdict(Rate()).items():
        rows.append(_row(f"rate.{name}", hosted, None, lang))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(name: str, hosted: int, own: int | None, lang: str) -> tuple[str, ...]:
    said = TEXTS.say(f"hosting.{name.replace('.', '_')}", lang)
    return (f"`{name}`", f"{hosted:,}", "–" if own is None else f"{own:,}", said)


def load(lang: str) -> str:
    """What many visitors came to, in a sentence and a table."""
    found, place = json.loads(FIGURES.read_text(encoding="utf-8")), ("en", "zh").index(lang)
    times = {**found["seconds"], "chromium": found["in_chromium"].get("seconds", {})}
    rows = [TIMES[lang], ("---", "---:", "---:", "---:", "---:")]
    for kind, named in CLICKS.items():
        if times.get(kind, {}).get("n", 0) > 1:
            parts = (f"{times[kind][name]:.2f}" for name in ("p50", "p95", "p99"))
            rows.append((named[place], *parts, f"{times[kind]['n']:,}"))
    return f"{_load_said(found, lang)}\n\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _load_said(found: dict[str, Any], lang: str) -> str:
    further, spent = found["further"], found["processor_seconds"]
    share = spent["server"] / (60 * found["minutes"])
    return LOAD[lang].format(
        visitors=found["plan"]["visitors"],
        measuring=found["plan"]["measuring"],
        minutes=f"{found['plan']['minutes']:g}",
        cores=found["cores"],
        rate=found["answers_per_second"],
        refused=found["refused_percent"],
        answers=f"{found['answers']:,}",
        wrong=found["wrong"],
        leaks=found["leaks"],
        visits=f"{further['visits']:,}",
        size=f"{further['megabytes'][0]:,.0f}",
        growth=further["growth_percent"],
        clients=round(spent["clients_percent_of_a_core"]),
        note=BUSY[lang].format(share=f"{share:.1f}") if found["busy"] else "",
    )


TABLES = {"settings": table, "load": load}


def written(lang: str) -> str:
    """The whole page with the tables as the code and the figures have them."""
    page = PAGES[lang].read_text(encoding="utf-8")
    for name, made in TABLES.items():
        between = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.S)
        page = between.sub(lambda _, made=made: made(lang), page, count=1)  # type: ignore[misc]
    return page


if __name__ == "__main__":
    for lang, page in PAGES.items():
        page.write_text(written(lang), encoding="utf-8")
