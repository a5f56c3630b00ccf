"""Reports and what is read back from them: the records that went in, and nothing that runs or is fetched."""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import html
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from probes.cli import main
from probes.errors import CruxError, InputError, LimitError
from probes.locale import LANGUAGES
from probes.record.notebook import as_html
from probes.record.results import ProbeResult
from probes.report import Given, embedding, read, reading, report
from probes.report import page as pages
from probes.report.embedding import as_json, bundle
from probes.report.marks import pieces
from probes.running.headline import headline
from probes.studies import STUDIES
from probes.text.characters import visible
from tests import hostile_records
from tests.test_earlier_records import SETS, SINGLE, record
from tests.test_study_contract import found

EARLIER = [*SINGLE, *(f"{name}-set" for name in SETS)]


class Elements(HTMLParser):
    """A page taken apart by Python's own parser: (element, attributes, text directly inside) each."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        inside: list[str] = []
        self.found.append((tag, dict(attrs), inside))
        self._open.append(inside)
        if tag in ("meta", "rect", "br"):
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1].append(data)

    def texts(self, tag: str, **wanted: str) -> list[str]:
        return [
            "".join(inside)
            for name, has, inside in self.found
            if name == tag and wanted.items() <= has.items()
        ]


@cache
def page_of(study: str, lang: str = "en") -> str:
    return report([Given(found(study), f"{study}.json")], lang)


def plain(data: Any) -> Any:
    """As JSON has it: lists where Python has tuples."""
    return json.loads(json.dumps(data))


def own(page: str) -> str:
    """A page but for Vega, which is not ours."""
    assert page.count(bundle()) == 1
    return page.replace(bundle(), "")


def call(*words: str) -> int:
    """Run in this process; the exit code."""
    try:
        main(list(words))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


# ---- the page


@pytest.mark.parametrize("study", STUDIES)
def test_the_record_in_it_is_the_one_that_went_in(study: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page_of(study), encoding="utf-8")
    (embedded,) = Elements(page_of(study)).texts("script", **{"class": "crux-record"})
    assert json.loads(embedded) == plain(found(study).data)
    (back,) = read(str(path))
    assert (back.study, back.data) == (study, plain(found(study).data))
    assert back.to_json() == found(study).to_json()


@pytest.mark.parametrize("study", STUDIES)
def test_it_is_small_and_stands_alone(study: str) -> None:
    page = page_of(study)
    assert len(page.encode()) < 5_000_000
    asking = r"""(?i)(?:src|href|action|poster|data)\s*=\s*["']?\s*(?:https?:|//|file:|javascript:)
        |\burl\(|@import|\bimport\s*\(|\bfetch\s*\(|XMLHttpRequest|WebSocket|sendBeacon"""
    assert not re.search(asking, own(page), re.VERBOSE)
    links = [has.get("href") or has.get("src") or "#" for _, has, _ in Elements(page).found]
    assert all(link.startswith("#") for link in links)


def test_what_may_run_is_named_by_its_hash() -> None:
    elements = Elements(page_of("words"))
    policy = next(
        has["content"] or "" for tag, has, _ in elements.found if tag == "meta" and "http-equiv" in has
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    scripts = [
        "".join(inside) for tag, has, inside in elements.found if tag == "script" and "type" not in has
    ]

    def named(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == [named(script) for script in scripts]
    assert rules["style-src"] == named(elements.texts("style")[0])
    assert rules["img-src"] == "data:"
    assert "unsafe" not in policy
    assert not any(name.startswith("on") or name == "style" for _, has, _ in elements.found for name in has)


@pytest.mark.parametrize("study", STUDIES)
def test_both_languages_are_whole(study: str) -> None:
    """Every text that has one language has the other beside it; the page opens in the one asked for."""
    found_ = Elements(page_of(study)).found
    marked = [has["data-in"] for _, has, _ in found_ if "data-in" in has]
    assert marked == list(LANGUAGES[::-1]) * (len(marked) // 2)
    bare = html.unescape(page_of(study))
    for lang in LANGUAGES:
        assert headline(found(study).data, lang) in bare
        assert f'<html lang="{lang}">' in page_of(study, lang)
        tabled = STUDIES[study].tabled(found(study).data, lang)
        assert all(title in bare for title, _ in tabled.columns)
        assert all(note in bare for note in tabled.notes)
    specs = json.loads(Elements(page_of(study)).texts("script", id="chart-1")[0])
    assert set(specs) == set(LANGUAGES)
    assert all(spec["layer"] and spec["width"] == "container" for spec in specs.values())


def test_it_says_what_was_asked_and_how_it_was_measured() -> None:
    bare, data = html.unescape(page_of("words")), found("words").data
    made = data["provenance"]
    told = [data["clean"]["question"], made["model"]["fingerprint"], made["command_line"]]
    told += [f"{name} {version}" for name, version in made["versions"].items()]
    told += [f"{made['seconds']:.2f} s", f"{data['noise_floor']:.2g} nat", "mode=delete", "words.json"]
    assert [text for text in told if text not in bare] == []


def test_several_records_have_a_list_and_a_section_each() -> None:
    given = [Given(found(study), f"{study}.json") for study in STUDIES]
    given += [Given(ProbeResult(record(name)["study"], record(name)), name) for name in EARLIER]
    page = report(given, "zh")
    elements = Elements(page)
    sections = [has["id"] for tag, has, _ in elements.found if tag == "section"]
    links = [has["href"] for tag, has, _ in elements.found if tag == "a"]
    assert links == [f"#{name}" for name in sections] == [f"#record-{n + 1}" for n in range(len(given))]
    texts = elements.texts("script", **{"class": "crux-record"})
    assert [json.loads(text) for text in texts] == [plain(one.result.data) for one in given]
    assert page.count(bundle()) == 1
    assert len(page.encode()) < 5_000_000
    assert "<nav>" not in page_of("ask")


@pytest.mark.parametrize("plain", [0, 10**9], ids=["compressed", "as it is"])
def test_a_large_record_is_compressed_and_comes_back(
    plain: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embedding, "PLAIN", plain)
    records = [found("words"), ProbeResult("words", {**found("words").data, "headline": "</script><b>断 "})]
    page = report([Given(one, "") for one in records], "en")
    assert page.count('type="application/gzip"') == (0 if plain else 2)
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    assert [one.data for one in read(str(path))] == [one.data for one in records]


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("%%%", "report.odd_json"),
        (base64.b64encode(b"no gzip").decode(), "report.odd_json"),
        (base64.b64encode(gzip.compress(b"{}" * 999)[:-9]).decode(), "report.cut_short"),
        (base64.b64encode(gzip.compress(b" " * 60_000_000)).decode(), "report.file_large"),
        (base64.b64encode(gzip.compress(b"\xff")).decode(), "report.odd_json"),
    ],
    # compressed bytes carry the time: of them a test has another name in each process that collects it
    ids=["not base64", "not gzip", "cut", "a bomb", "not UTF-8"],
)
def test_what_is_compressed_is_a_strangers_too(inside: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(f"<p>{embedding.PACKED}{inside}</script>", encoding="utf-8")
    with pytest.raises(CruxError) as fault:
        read(str(path))
    assert fault.value.key == said


def test_what_would_be_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LARGEST", len(page_of("words").encode()) - 1)
    with pytest.raises(LimitError, match=r"at most 1 MB is made"):
        report([Given(found("words"), "words.json")], "en")
    with pytest.raises(LimitError, match=r"number 2, words\.json"):
        report([Given(found("ask"), "ask.json"), Given(found("words"), "words.json")], "en")


def test_a_study_that_is_not_here_is_told_plainly() -> None:
    data = {**found("words").data, "study": "of somebody else"}
    page = report([Given(ProbeResult(data["study"], data))], "en")
    assert "moves the answer most" in page


# ---- the passage's marks


def test_marks_are_what_the_rows_say() -> None:
    data = found("words").data
    told = pieces(data)
    assert "".join(piece.text for piece in told) == data["clean"]["passage"]
    marked = [(piece.text, piece.kind, piece.flips) for piece in told if piece.kind]
    assert marked == [
        (row["text"], "less" if row["effect_log_prob"] < 0 else "more", row["flips_clearly"])
        for row in sorted(data["rows"], key=lambda row: row["start"])
        if not row["no_change"]
    ]
    levels = {p.level: abs(float(p.number.replace("−", "-"))) for p in told if p.kind}
    assert max(levels) == 3
    assert sorted(levels, key=levels.__getitem__) == sorted(levels)


def test_marks_of_what_was_taken_away_of_a_core_and_of_what_was_told_otherwise() -> None:
    def marked(study: str) -> list[tuple[str, str | None]]:
        return [(piece.text, piece.kind) for piece in pieces(found(study).data) if piece.kind]

    assert marked("ask") == [("walked", "taken")]
    assert marked("patch") == marked("counterfactual") == [("walked", "changed")]
    units = found("minimal").data["units"]
    assert marked("minimal") == [(unit["text"], "core") for unit in units if unit["core"]]
    assert marked("heads") == marked("attention") == []
    assert pieces(record("heads-set")) == []


def test_marks_that_lie_over_one_another_or_outside_are_left_out() -> None:
    data = copy.deepcopy(plain(found("ask").data))
    data["taken"]["spans"] = [[0, 3], [2, 5], [-4, 2], [7, 7], [40, 4000], ["1", 2], [5, 6]]
    told = pieces(data)
    assert "".join(piece.text for piece in told) == data["clean"]["passage"]
    assert [piece.text for piece in told if piece.kind] == [
        data["clean"]["passage"][a:b] for a, b in ((0, 3), (5, 6))
    ]


# ---- what is somebody's is inert


@pytest.mark.parametrize("study", hostile_records.STUDIES)
def test_no_text_of_anybodys_is_an_element(study: str, tmp_path: Path) -> None:
    data = hostile_records.hostile(study)
    name = f"{hostile_records.ATTACKS[0]}{hostile_records.ATTACKS[2]}"
    page = report([Given(ProbeResult(study, data), name)], "en")
    elements = Elements(page)
    calm = Elements(page_of("words")).found
    assert {tag for tag, _, _ in elements.found} <= {tag for tag, _, _ in calm} | {
        "sub",
        "details",
        "summary",
    }
    assert {name for _, has, _ in elements.found for name in has} <= {
        name for _, has, _ in calm for name in has
    }
    scripts = [has.get("type") for tag, has, _ in elements.found if tag == "script"]
    assert scripts[0] == "application/json"
    assert scripts[1] in ("application/json", "application/gzip")
    assert scripts[2:] == [None] * 2
    path = tmp_path / "hostile.html"
    path.write_text(page, encoding="utf-8")
    assert read(str(path))[0].data == plain(data)
    assert visible(hostile_records.WHOLE) in elements.texts("dd")


@pytest.mark.parametrize(
    "value",
    [
        {"</script>": ["<!--", "]]>", "&amp;", "\u2028\u2029", "\ud800", "é一😀", "\\u003c", "\x7f\x00"]},
        {"n": [0, -1, 10**20, 0.1, 1e-300, 5e-324, -0.0, True, None]},
    ],
)
def test_embedded_json_is_the_same_again(value: Any) -> None:
    text = str(as_json(value))
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029\ud800")
    with pytest.raises(ValueError, match="JSON"):
        as_json(float("nan"))


def test_the_libraries_can_stand_in_a_script_element() -> None:
    assert not re.search(r"</script|<!--|<script|\r", bundle(), re.IGNORECASE)


def test_a_notebook_shows_text_and_nothing_that_runs() -> None:
    calm, data = found("words"), hostile_records.hostile()
    shown = Elements(calm._repr_html_()).texts("b")
    assert shown == [calm.headline]
    strongest = max(calm.rows, key=lambda row: abs(row["effect_log_prob"]))
    assert strongest["text"] in Elements(calm._repr_html_()).texts("td")[0]
    elements = Elements(ProbeResult("words", data)._repr_html_()).found
    assert {tag for tag, _, _ in elements} <= {
        "div",
        "p",
        "b",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
    }
    assert not any(has for _, has, _ in elements)
    assert as_html("nothing", []) == "<div><p><b>nothing</b></p></div>"


@pytest.mark.parametrize("study", STUDIES)
def test_a_notebook_shows_every_study(study: str) -> None:
    rows = Elements(found(study)._repr_html_()).texts("tr")
    assert len(rows) == 1 + min(10, len(found(study).rows))


# ---- crux report, crux show


@pytest.mark.parametrize("study", STUDIES)
def test_what_show_prints_is_what_the_study_printed(
    study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, page = tmp_path / f"{study}.json", tmp_path / "report.html"
    made.write_text(found(study).to_json(), encoding="utf-8")
    assert call("report", str(made), "--out", str(page), "--lang", "en") == 0
    capsys.readouterr()
    shown = []
    for path in (made, page):
        assert call("show", str(path), "--lang", "zh") == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    assert shown[0].split()[0] == headline(found(study).data, "zh").split()[0]
    again = tmp_path / "again.json"
    assert call("show", str(page), "--json", str(again), "--csv", "-") == 0
    assert again.read_text(encoding="utf-8") == made.read_text(encoding="utf-8")
    assert capsys.readouterr().out == found(study).to_csv()


def test_several_records_come_back_in_their_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("ask", "words", "lens")
    for name in names:
        (tmp_path / f"{name}.json").write_text(found(name).to_json(), encoding="utf-8")
    page, listed = str(tmp_path / "r.html"), str(tmp_path / "list.json")
    assert call("report", *(str(tmp_path / f"{name}.json") for name in names), "--out", page) == 0
    assert call("show", page, "--json", listed) == 0
    assert json.loads(Path(listed).read_text(encoding="utf-8")) == [plain(found(name).data) for name in names]
    capsys.readouterr()
    assert call("show", listed, "--only", "2", "--json") == 0
    assert capsys.readouterr().out == found("words").to_json() + "\n"
    assert call("show", page, "--only", "4", "--lang", "en") == 2
    assert "it has 3" in capsys.readouterr().err
    assert call("show", page, "--csv", "-", "--lang", "zh") == 2
    assert "3 份记录" in capsys.readouterr().err
    assert call("show", page, "--lang", "en") == 0
    out = capsys.readouterr().out
    assert all(f"[{n}] {name}" in out for n, name in enumerate(names, 1))


def test_a_terminal_obeys_nothing_in_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = plain(found("ask").data)
    data["clean"]["answers"][1]["name"] = data["answers"][1]["name"] = "\x1b]0;x\x07\x9b31m\u202eonce\r[bold]"
    path = tmp_path / "r.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert call("show", str(path), "--lang", "en") == 0
    out = capsys.readouterr().out
    assert not set(out) & set("\x1b\x07\x9b\u202e\r")
    assert "[bold]" in out


def _changed(**changes: Any) -> bytes:
    return json.dumps({**plain(found("ask").data), **changes}).encode()


BAD: dict[str, tuple[bytes, str, int]] = {
    "nothing": (b"", "foreign", 2),
    "text": (b"hello", "foreign", 2),
    "page": (b"<html><script>alert(1)</script></html>", "foreign", 2),
    "number": (b"[1, 2]", "foreign", 2),
    "other": (b'{"study": 3, "schema": 1}', "foreign", 2),
    "list": (b"[]", "empty", 2),
    "broken": (b'{"schema": 1,', "no_json", 2),
    "nan": (_changed(noise_floor=float("nan")), "odd_json", 2),
    "infinite": (_changed(far="far").replace(b'"far"}', b"1e999}"), "odd_json", 2),
    "deep": (b"[" * 200_000, "odd_json", 2),
    "digits": (b'{"schema": ' + b"1" * 9000 + b"}", "odd_json", 2),
    "newer": (_changed(schema=2), "newer", 2),
    "logical": (_changed(schema=True), "foreign", 2),
    "rows": (_changed(answers=3), "broken", 2),
    "made": (_changed(provenance=None), "broken", 2),
    "told": (_changed(answers=[{"answer": "0"}]), "broken", 2),
    "bytes": (b"{\xff", "no_text", 2),
    "cut": (b'<script type="application/json" class="crux-record">{"study"', "cut_short", 2),
    "large": (b" " * 50_000_001, "file_large", 4),
}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_record_is_refused_in_words(
    kind: str, lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, key, code = BAD[kind]
    path = tmp_path / "strange.json"
    path.write_bytes(data)
    assert call("show", str(path), "--lang", lang) == code
    told = capsys.readouterr()
    assert "strange.json" in told.err
    assert "Traceback" not in told.err
    assert call("report", str(path), "--lang", lang, "--out", str(tmp_path / "r.html")) == code
    assert not (tmp_path / "r.html").exists()
    if key not in ("broken",):
        with pytest.raises(CruxError) as refused:
            read(str(path))
        assert refused.value.key == f"report.{key}"


@pytest.mark.parametrize("path", ["gone.json", ".", "a\0b", "gone/on.json"])
def test_what_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(InputError) as refused:
        read(path)
    assert refused.value.key == "report.unreadable"


def test_no_path_in_a_record_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, secret = plain(found("words").data), tmp_path / "secret.txt"
    secret.write_text("not for a report", encoding="utf-8")
    for name in ("model", "source", "repo"):
        data["provenance"]["model"][name] = str(secret)
    data["clean"]["preset"] = data["study"] = str(secret)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    opened: list[str] = []
    plainly = reading.Path.open

    def noted(self: Path, *given: Any, **more: Any) -> Any:
        opened.append(self.name)
        return plainly(self, *given, **more)

    monkeypatch.setattr(reading.Path, "open", noted)
    page = report([Given(one) for one in read(str(path))], "en")
    assert "secret.txt" not in opened
    assert "not for a report" not in page


def test_a_report_goes_to_standard_output_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.json"
    path.write_text(found("ask").to_json(), encoding="utf-8")
    assert call("report", str(path), "--out", "-") == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
    assert call("report", str(path), "--out", str(tmp_path / "gone" / "r.html")) == 2
