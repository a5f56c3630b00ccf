"""The cache: what goes in comes out, nothing else does, and it stays within its size."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from probes.errors import InputError
from probes.record.store import Store, key_of


def test_values_come_back_and_unknown_keys_do_not(tmp_path: Path) -> None:
    store = Store(tmp_path / "a" / "trials.sqlite")
    keys = [key_of(["model", i]) for i in range(1500)]
    store.put({key: [float(i), -1.5] for i, key in enumerate(keys)})
    found = store.get([*keys, key_of("something else")])
    assert found == {key: [float(i), -1.5] for i, key in enumerate(keys)}


def test_a_key_follows_the_content(tmp_path: Path) -> None:
    assert key_of({"a": 1, "b": (2, 3)}) == key_of({"b": [2, 3], "a": 1})
    assert key_of(["m", [1, 2], [3]]) != key_of(["m", [1], [2, 3]])


def test_a_second_opening_sees_what_the_first_one_wrote(tmp_path: Path) -> None:
    path = tmp_path / "trials.sqlite"
    first, second = Store(path), Store(path)
    first.put({key_of(1): "one"})
    assert second.get([key_of(1)]) == {key_of(1): "one"}


def test_the_least_recently_used_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.record.store._FRESH", 0.0)
    store = Store(tmp_path / "trials.sqlite", limit_mb=0.01)
    old, used = key_of("old"), key_of("used")
    store.put({old: "x" * 1000})
    store.put({used: "x" * 1000})
    store.get([used])
    for i in range(7):
        store.put({key_of(i): "x" * 1000})
        store.get([used])
    store.put({key_of("last"): "x" * 2000})
    assert used in store.get([used])
    assert old not in store.get([old])


def test_several_threads_write_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "trials.sqlite")

    def work(name: int) -> None:
        for i in range(30):
            store.put({key_of([name, i]): i})

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.get([key_of([n, i]) for n in range(4) for i in range(30)])) == 120


def test_a_file_that_is_no_database_is_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "trials.sqlite"
    path.write_text("this is no database, and long enough to be read as one" * 50)
    with pytest.raises(InputError, match=r"trials\.sqlite"):
        Store(path)


def test_a_folder_that_cannot_be_made_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="file"):
        Store(tmp_path / "file" / "trials.sqlite")


def test_a_fault_in_mid_run_costs_no_result(tmp_path: Path) -> None:
    store = Store(tmp_path / "trials.sqlite")
    store.put({key_of(1): "one"})
    store._base.execute("drop table trials")
    store.put({key_of(2): "two"})
    assert store.fault is not None
    assert store.get([key_of(1)]) == {}


def test_a_value_that_is_no_json_any_more_costs_no_result(tmp_path: Path) -> None:
    store = Store(tmp_path / "trials.sqlite")
    store.put({key_of(1): "one"})
    store._base.execute("update trials set value = '{\"cut o'")
    assert store.get([key_of(1)]) == {}
    assert store.fault is not None
