"""Write the table of settings into docs/hosting.md and docs/hosting.zh.md: `python -m scripts.hosting`."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from dashboard.hosting.settings import Rate
from dashboard.limits import HOSTED_CAPS, Limits
from dashboard.wording import TEXTS

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = {"en": DOCS / "hosting.md", "zh": DOCS / "hosting.zh.md"}
HEADS = {
    "en": ("setting", "hosted", "one's own page", "bounds"),
    "zh": ("设置", "托管", "自己的页面", "限制的是"),
}
BETWEEN = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.S)


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


def written(lang: str) -> str:
    """The whole page with the table as the code has it."""
    return BETWEEN.sub(lambda _: table(lang), PAGES[lang].read_text(encoding="utf-8"), count=1)


if __name__ == "__main__":
    for lang, page in PAGES.items():
        page.write_text(written(lang), encoding="utf-8")
