"""From what was typed to where a model is: the order, and what is refused before any library sees it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from huggingface_hub.utils import validate_repo_id
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import InputError, ModelError
from probes.models import catalog
from probes.models.fetch import smollm2_folder
from probes.models.source import BUILTIN, is_repo_id, resolve


def test_builtin_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "builtin").mkdir()
    monkeypatch.chdir(tmp_path)
    source = resolve("builtin")
    assert (source.kind, source.path) == ("builtin", BUILTIN)
    assert (BUILTIN / "config.json").exists()


def test_a_catalogue_name_stands_for_its_repository_until_it_is_fetched(cache: Path) -> None:
    assert resolve("SmolLM2").repo == "HuggingFaceTB/SmolLM2-135M-Instruct"
    made = cache / "models" / "SmolLM2-135M-Instruct-v1"
    made.mkdir(parents=True)
    assert smollm2_folder() == made
    fetched = resolve("smollm2")
    assert (fetched.kind, fetched.name, fetched.path, fetched.repo) == ("catalogue", "smollm2", made, None)
    asked = resolve("smollm2", "main")
    assert (asked.path, asked.repo, asked.revision) == (None, "HuggingFaceTB/SmolLM2-135M-Instruct", "main")


def test_an_existing_folder_comes_before_a_hub_id_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve("owner/name").kind == "hub"
    (tmp_path / "owner" / "name").mkdir(parents=True)
    found = resolve("owner/name")
    assert (found.kind, found.name, found.path) == ("folder", "name", Path("owner/name"))
    assert resolve("owner/name", paths=False).kind == "hub"


def test_a_gguf_file_and_no_other_file(tmp_path: Path) -> None:
    gguf, weights = tmp_path / "some.GGUF", tmp_path / "model.safetensors"
    gguf.touch(), weights.touch()
    assert (resolve(str(gguf)).kind, resolve(str(gguf)).name) == ("gguf", "some")
    with pytest.raises(ModelError, match="folder it lies in"):
        resolve(str(weights))


def test_a_hub_id_with_a_revision() -> None:
    source = resolve("Qwen/Qwen3-0.6B", "refs/pr/12")
    assert (source.kind, source.name, source.repo, source.revision) == (
        "hub",
        "Qwen/Qwen3-0.6B",
        "Qwen/Qwen3-0.6B",
        "refs/pr/12",
    )
    assert resolve("gpt2").repo == "gpt2"


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ("../x", "path_missing"),
        ("~/no such", "path_missing"),
        ("~nobody-of-this-name/x", "path_missing"),
        ("/no/such/folder", "path_missing"),
        ("a/b/c", "path_missing"),
        ("C:\\models\\x", "path_missing"),
        ("none.gguf", "path_missing"),
        ("http://example.org/model", "path_missing"),
        ("a b", "model_id"),
        ("", "model_id"),
        ("   ", "model_id"),
        ("a/..", "model_id"),
        ("a--b/c", "model_id"),
        ("owner/name.git", "model_id"),
        ("owner/-name", "model_id"),
        ("owner/name?x=1", "model_id"),
        ("owner/name\n", "hub"),
        ("owner/na\nme", "model_id"),
        ("owner/name\0", "model_id"),
        ("模型/名字", "model_id"),
        ("x" * 97, "model_id"),
        ("x" * 100_000, "model_id"),
        ("/" + "x" * 100_000, "path_missing"),
    ],
)
def test_what_is_no_model(spec: str, key: str) -> None:
    if key == "hub":
        assert resolve(spec).repo == spec.strip()
        return
    with pytest.raises(ModelError) as caught:
        resolve(spec)
    assert caught.value.key == key
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert "\0" not in caught.value.say("zh")


@pytest.mark.parametrize("spec", ["../x", "/etc", "~", ".", "a/b/c"])
def test_a_stranger_may_not_ask_what_lies_on_this_machine(spec: str) -> None:
    with pytest.raises(ModelError) as caught:
        resolve(spec, paths=False)
    assert caught.value.key == "model_id"


@given(st.text(alphabet=st.sampled_from("aZ09-_./\\ ~:é\0\n%"), max_size=100))
def test_no_id_passes_that_the_hub_itself_would_not_take(text: str) -> None:
    if is_repo_id(text):
        validate_repo_id(text)
        assert text.count("/") <= 1
        assert not {".", ".."} & set(text.split("/"))


@pytest.mark.parametrize("entry", catalog.entries(), ids=lambda entry: entry.name)
def test_every_id_of_the_catalogue_passes(entry: catalog.Entry) -> None:
    assert is_repo_id(entry.repo)
    assert not is_repo_id(entry.name) or "/" not in entry.name
    assert set(entry.note) == {"en", "zh"}
    assert 2 * entry.parameters <= entry.bytes, "published in 16 bits, tied weights once or twice"
    assert entry.bytes < 3 * entry.parameters


def test_chinese_comes_first_in_the_catalogue() -> None:
    chinese = [entry.chinese for entry in catalog.entries()]
    assert chinese == sorted(chinese, reverse=True)
    assert len({entry.name for entry in catalog.entries()}) == len(chinese)


@pytest.mark.parametrize(
    "revision", ["", "..", "a/../b", "a//b", "-x", "main ", "x" * 200, "a?b", "main.", "版本"]
)
def test_what_cannot_be_a_revision(revision: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve("owner/name", revision)
    assert caught.value.key == "revision"


def test_what_lies_here_has_no_revisions(tmp_path: Path) -> None:
    for spec in ("builtin", str(tmp_path)):
        with pytest.raises(InputError, match="no revisions"):
            resolve(spec, "main")


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        (("en",), "en"),
        (("zh", "en"), "zh, en"),
        (("zh", "en", "fr"), "zh, en …"),
        (("zh", "en", "many"), "zh, en …"),
        (("en", "many"), "en …"),
    ],
)
def test_languages_that_are_not_listed_are_an_ellipsis(languages: tuple[str, ...], said: str) -> None:
    entry = dataclasses.replace(catalog.entries()[0], languages=languages)
    assert entry.spoken(2) == said
