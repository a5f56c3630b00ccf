"""A gallery, read back by Python's own parser: links lead somewhere inside, records are those that went in,
nothing is fetched and nothing of anybody's runs.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import html
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from probes.asking.question import preset
from probes.errors import InputError
from probes.locale import LANGUAGES
from probes.record.results import ProbeResult
from probes.report import Given, read
from probes.report.embedding import bundle
from probes.running.headline import headline
from probes.site import Folder, Leaf, gallery
from probes.site.folder import MARKER
from probes.text.characters import visible
from tests import hostile_records
from tests.test_report import Elements, call, plain
from tests.test_study_contract import found

STUDIES = ("ask", "words", "heads", "minimal")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A record a file, and a file with two."""
    folder = tmp_path_factory.mktemp("records")
    for study in STUDIES:
        (folder / f"{study}.json").write_text(found(study).to_json(), encoding="utf-8")
    both = [plain(found(study).data) for study in STUDIES[:2]]
    (folder / "both.json").write_text(json.dumps(both), encoding="utf-8")
    return [*(folder / f"{study}.json" for study in STUDIES), folder / "both.json"]


@pytest.fixture(scope="module")
def made(sources: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "gallery"
    assert call("site", str(folder), *map(str, sources), "--lang", "en") == 0
    return folder


def pages_of(folder: Path) -> dict[str, Elements]:
    return {path.name: Elements(path.read_text(encoding="utf-8")) for path in folder.glob("*.html")}


def links_of(page: Elements) -> list[str]:
    names = ("href", "src", "action", "poster", "data", "srcset", "formaction")
    return [has[name] or "" for _, has, _ in page.found for name in names if name in has]


# ---- what is in it


def test_every_link_leads_to_a_file_in_the_folder(made: Path) -> None:
    pages, reached = pages_of(made), {"index.html"}
    assert len(pages) == 6
    for name, page in pages.items():
        for link in links_of(page):
            parts = urlsplit(link)
            assert not parts.scheme, f"{name}: {link}"
            assert not parts.netloc
            assert not parts.path.startswith("/")
            target = (made / (unquote(parts.path) or name)).resolve()
            assert target.is_relative_to(made.resolve())
            assert target.is_file(), f"{name}: {link}"
            reached.add(str(target.relative_to(made.resolve())))
            if parts.fragment:
                ids = [has.get("id") for _, has, _ in pages[target.name].found]
                assert ids.count(parts.fragment) == 1
    assert reached == set(files_of(made)) - {MARKER}


def test_every_record_comes_back_byte_for_byte(made: Path, sources: list[Path]) -> None:
    for number, (path, study) in enumerate(zip(sources, STUDIES, strict=False), 1):
        written = made / "records" / f"record-{number}" / f"1-{study}.json"
        assert written.read_bytes() == path.read_bytes()
    of_both = [made / "records" / "record-5" / f"{n}-{s}.json" for n, s in enumerate(STUDIES[:2], 1)]
    assert [path.read_text(encoding="utf-8") for path in of_both] == [
        found(study).to_json() for study in STUDIES[:2]
    ]
    assert len(list(made.rglob("records/**/*.json"))) == 6
    saved = [link for page in pages_of(made).values() for link in links_of(page) if link.endswith(".json")]
    assert len(saved) == len(set(saved)) == 6


def test_nothing_comes_from_elsewhere(made: Path) -> None:
    asking = (
        r"""(?i)\burl\(|@import|\bimport\s*\(|\bfetch\s*\(|XMLHttpRequest|WebSocket|sendBeacon|https?://"""
    )
    for path in made.glob("*.html"):
        shown = re.sub(r'<script type="application/json".*?</script>', "", path.read_text(encoding="utf-8"))
        assert re.findall(asking, shown) == [], path.name
    assert (made / "vega.js").read_text(encoding="utf-8") == bundle()
    large = {n: len(c) for n, c in files_of(made).items() if n.endswith(".html") and len(c) > 100_000}
    assert large == {}


def test_what_may_run_is_named_by_its_hash_or_by_a_nonce_of_the_page(made: Path) -> None:
    nonces = []
    for name, page in pages_of(made).items():
        (policy,) = [has["content"] or "" for _, has, _ in page.found if "http-equiv" in has]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        inline = page.texts("script")[-2:]
        named = [
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
        ]
        outside = [has for tag, has, _ in page.found if tag == "script" and "src" in has]
        assert [has["src"] for has in outside] == ([] if name == "index.html" else ["vega.js"])
        assert rules["default-src"] == "'none'"
        assert rules["img-src"] == "data:"
        assert "unsafe" not in policy
        (nonce,) = set(rules["script-src"].split()) - set(named)
        assert all(f"'nonce-{has['nonce']}'" == nonce for has in outside)
        nonces.append(nonce)
        assert not any(n.startswith("on") or n == "style" for _, has, _ in page.found for n in has)
    assert len(set(nonces)) == len(nonces)
    assert all(len(base64.b64decode(nonce[7:-1])) == 32 for nonce in nonces)


def test_both_languages_are_whole_and_landmarks_are_there(made: Path) -> None:
    for name, page in pages_of(made).items():
        marked = [has["data-in"] for _, has, _ in page.found if "data-in" in has]
        assert marked == list(LANGUAGES[::-1]) * (len(marked) // 2), name
        spoken = {(has["data-in"], has["lang"]) for _, has, _ in page.found if "data-in" in has}
        assert ("zh", "zh-CN") in spoken
        tags = [tag for tag, _, _ in page.found]
        assert [tags.count(tag) for tag in ("main", "header", "h1", "footer")] == [1, 1, 1, 1]
        levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    bare = html.unescape((made / "index.html").read_text(encoding="utf-8"))
    for study in STUDIES:
        assert all(headline(found(study).data, lang) in bare for lang in LANGUAGES)


# ---- what is somebody's is inert


@pytest.mark.parametrize("study", hostile_records.STUDIES)
def test_no_text_of_anybodys_is_an_element_or_a_name(study: str, tmp_path: Path) -> None:
    data = {**plain(hostile_records.hostile(study)), "study": study}
    stranger = {**data, "study": "../../<b>é" + hostile_records.WHOLE}
    name = "".join(hostile_records.ATTACKS[:3])
    title = dict.fromkeys(LANGUAGES, visible(name))
    given = [Given(ProbeResult(one["study"], one), name) for one in (data, stranger)]
    files = gallery([Leaf("record-1", title, None, given, "record")], "en")
    assert list(files) == [
        "vega.js",
        "index.html",
        "record-1.html",
        f"records/record-1/1-{study}.json",
        next(n for n in files if n.startswith("records/record-1/2-")),
    ]
    assert all(re.fullmatch(r"[a-z0-9/-]+\.(html|js|json)", name) for name in files)
    place = tmp_path / "site"
    Folder(place).write(files)
    for page in pages_of(place).values():
        assert not {"img", "link", "iframe", "object"} & {tag for tag, _, _ in page.found}
        assert not any(n.startswith("on") for _, has, _ in page.found for n in has)
        kinds = [(has.get("type"), has.get("src")) for tag, has, _ in page.found if tag == "script"]
        assert set(kinds) <= {("application/json", None), (None, None), (None, "vega.js")}
        assert kinds.count((None, None)) == 2
        assert all(urlsplit(link).scheme == "" for link in links_of(page))
        (policy,) = [has["content"] for _, has, _ in page.found if "http-equiv" in has]
        assert "default-src 'none'" in (policy or "")
    written = place / "records" / "record-1" / f"1-{study}.json"
    assert read(str(written))[0].data == data


# ---- the folder


def test_the_same_records_give_the_same_bytes(made: Path, sources: list[Path], tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert call("site", str(again), *map(str, sources), "--lang", "en") == 0
    assert files_of(again) == files_of(made)
    times = {path: path.stat().st_mtime_ns for path in again.rglob("*") if path.is_file()}
    assert call("site", str(again), *map(str, sources), "--lang", "en") == 0
    touched = {path.name for path, time in times.items() if path.stat().st_mtime_ns != time}
    assert touched == set()


@pytest.mark.parametrize("marker", [None, b"", b"[]", b'{"made_by": "somebody"}', b"[" * 100_000, b"\xff"])
def test_a_folder_with_anything_else_is_refused(
    marker: bytes | None, sources: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    if marker is not None:
        (tmp_path / MARKER).write_bytes(marker)
    before = files_of(tmp_path)
    for lang, word in (("en", "not empty"), ("zh", "不是空的")):
        assert call("site", str(tmp_path), str(sources[0]), "--lang", lang) == 2
        assert word in capsys.readouterr().err
    assert files_of(tmp_path) == before
    assert call("site", str(tmp_path / "letter.txt"), str(sources[0])) == 2


def test_an_earlier_gallery_is_replaced_and_nothing_else_is_touched(
    sources: list[Path], tmp_path: Path
) -> None:
    place, secret = tmp_path / "site", tmp_path / "secret.json"
    assert call("site", str(place), *map(str, sources)) == 0
    secret.write_text("not ours")
    (place / "CNAME").write_text("example.org")
    (place / "own.json").write_text("{}")
    marker = json.loads((place / MARKER).read_text())
    marker["files"] += ["../secret.json", str(secret), "CNAME", 3, "records/../../secret.json", "a//b.json"]
    (place / MARKER).write_text(json.dumps(marker))
    assert call("site", str(place), str(sources[0])) == 0
    assert secret.read_text() == "not ours"
    assert set(files_of(place)) == {
        *("CNAME", "own.json", MARKER, "vega.js", "index.html", "record-1.html"),
        "records/record-1/1-ask.json",
    }


def test_a_disk_that_is_full_leaves_whole_files_and_the_run_can_be_repeated(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "site"
    assert call("site", str(place), str(sources[0])) == 0
    before = files_of(place)
    true = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if "record-1" in path.name and "html" in path.name:
            true(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return true(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert call("site", str(place), str(sources[1]), "--lang", "en") == 2
    assert "No space left on device" in capsys.readouterr().err
    after = files_of(place)
    assert after["record-1.html"] == before["record-1.html"]
    assert not [name for name in after if "part" in name]
    monkeypatch.undo()
    assert call("site", str(place), str(sources[1])) == 0
    assert "records/record-1/1-ask.json" not in files_of(place)


def test_a_link_out_of_the_folder_is_not_followed(sources: list[Path], tmp_path: Path) -> None:
    place, outside = tmp_path / "site", tmp_path / "outside"
    outside.mkdir()
    Folder(place).write({"index.html": b"x"})
    (place / "records").symlink_to(outside, target_is_directory=True)
    (outside / "letter").write_text("mine")
    with pytest.raises(InputError) as refused:
        Folder(place).write({"records/record-1/1-ask.json": b"{}"})
    assert refused.value.key == "site.unwritable"
    assert files_of(outside) == {"letter": b"mine"}


# ---- of the passages that come with Crux


def test_the_built_in_model_on_a_passage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRUX_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "site"
    words = ["site", str(place), "--presets", "coffee-en,crux-zh", "--studies", "ask,words,counterfactual"]
    assert call(*words, "--no-lecture", "--lang", "en") == 0
    told = capsys.readouterr().err
    assert "Left out: counterfactual on crux-zh" in told
    records = {p.parent.name + "/" + p.stem: read(str(p))[0] for p in place.glob("records/*/*.json")}
    assert set(records) == {
        *("coffee-en/1-ask", "coffee-en/2-words", "coffee-en/3-counterfactual"),
        *("crux-zh/1-ask", "crux-zh/2-words"),
    }
    index = html.unescape((place / "index.html").read_text(encoding="utf-8"))
    for name in ("coffee-en", "crux-zh"):
        one, words_record = preset(name), records[f"{name}/2-words"].data
        assert words_record["clean"]["passage"] == one.text
        for lang in LANGUAGES:
            assert one.title[lang] in index
            assert one.about[lang] in index
            assert headline(words_record, lang) in index
    assert ("✓ right: once" in index) == (records["coffee-en/1-ask"].data["top"] == "1")
    assert records["coffee-en/1-ask"].data["provenance"]["model"]["fingerprint"] in index


@pytest.mark.parametrize(
    "extra",
    [
        ["--presets", "nothing"],
        ["--presets", "coffee-en", "--studies", "guess"],
        ["{record}", "--studies", "words"],
        ["{record}", "--model", "builtin"],
        ["{folder}/gone.json"],
    ],
)
def test_what_cannot_be_is_said_before_the_work(
    extra: list[str], sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded(*_: Any, **__: Any) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("probes.commands.shared.load", loaded)
    words = [word.format(record=sources[0], folder=tmp_path) for word in extra]
    assert call("site", str(tmp_path / "site"), *words) == 2
    assert not (tmp_path / "site").exists()


def test_the_command_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    for lang, word in (("en", "any static host"), ("zh", "静态托管")):
        assert call("--lang", lang, "site", "--help") == 0
        assert word in re.sub(r"\s+(?=\S)", " " if lang == "en" else "", capsys.readouterr().out)
