"""Pictures of what rude visitors write: drawn, or refused; never the end of the process."""

from __future__ import annotations

import json
import re
import struct
import threading
from typing import Any
from xml.etree import ElementTree as ET

import altair as alt
import pytest

from probes.charts import convert, pictures
from probes.charts.common import literal
from probes.charts.pictures import _converted, saved, titled
from probes.errors import InputError, LimitError

RUDE = (
    "".join(map(chr, range(32))) + "\x7f\x85\u2028\u202e\ufdd0\ufffe\uffff\U0001ffff\ud83d👩‍👩‍👧</text>&\"'"
)


def chart(text: str, rows: int = 1) -> Any:
    data = alt.Data(values=[{"name": f"{text}{n}", "nats": -1.0} for n in range(rows)])
    axis = alt.Axis(labelExpr=f"{literal([text])}[0]", labelLimit=40)
    marks = alt.Chart(data).mark_bar().encode(x="nats:Q", y=alt.Y("name:N", axis=axis))
    return alt.layer(marks)


@pytest.mark.parametrize("kind", ["png", "svg", "html"])
def test_nothing_that_is_written_ends_the_process(kind: Any) -> None:
    made = saved(titled(chart(RUDE), RUDE, [RUDE]), kind)
    assert made.startswith({"png": b"\x89PNG", "svg": b"<svg", "html": b"<!DOCTYPE"}[kind])
    if kind == "svg":
        ET.fromstring(made.decode())
        assert "\ufffd" in made.decode()


def test_what_ends_the_converter_is_an_error_here() -> None:
    spec = chart("x").to_dict()
    spec["title"] = "\u0001"  # not cleaned: the converter aborts
    with pytest.raises(InputError, match="could not be drawn"):
        _converted(json.dumps(spec).encode(), "png")
    with pytest.raises(InputError, match="could not be drawn"):
        _converted(b"{", "svg")


def test_a_picture_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LimitError, match="40 MP"):
        saved(chart("x").properties(width=20_000, height=20_000), "png")
    monkeypatch.setattr(pictures, "MOST_BYTES", 2000)
    with pytest.raises(LimitError, match="MB"):
        saved(chart("x" * 3000), "svg")
    monkeypatch.setattr(pictures, "MOST_BYTES", 8_000_000)
    monkeypatch.setattr(pictures, "PATIENCE", 0.01)
    with pytest.raises(LimitError, match="given up"):
        saved(chart("x"), "svg")


def test_a_large_picture_is_drawn_less_finely() -> None:
    made = saved(chart("x").properties(width=5000, height=5000), "png")
    width, height = struct.unpack(">II", made[16:24])
    assert 5000 < width < 2 * 5000
    assert width * height <= convert.MOST_PIXELS * 1.001


def test_a_small_one_is_drawn_as_the_converter_draws_it() -> None:
    import vl_convert

    whole = chart("走进").configure(font=pictures.FONT, background="white", padding=14)
    spec = whole.configure_view(stroke=None).to_json()
    assert saved(chart("走进"), "png") == bytes(vl_convert.vegalite_to_png(spec, scale=2))
    assert saved(chart("走进"), "svg").decode() == vl_convert.vegalite_to_svg(spec)


def test_threads_may_draw_at_once() -> None:
    made: list[bytes] = []
    threads = [
        threading.Thread(target=lambda n=n: made.append(saved(chart(f"row {n}"), "svg"))) for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {found for svg in made for found in re.findall(r"row \d", svg.decode())} == {
        "row 0",
        "row 1",
        "row 2",
    }
