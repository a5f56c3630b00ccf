"""Memory limits of containers, from made-up /proc and /sys trees; sizes for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.models.memory import bytes_free, container_rooms, readable


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def group(root: Path, folder: str, limit: str, used: int, cached: int, version: int = 2) -> None:
    names = ("memory.max", "memory.current", "inactive_file")
    if version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    place = root / "sys/fs/cgroup" / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / names[0]).write_text(f"{limit}\n")
    (place / names[1]).write_text(f"{used}\n")
    (place / "memory.stat").write_text(f"anon 7\n{names[2]} {cached}\nfile 9\n")


def test_no_control_groups(tmp_path: Path) -> None:
    assert container_rooms(tmp_path) == []


def test_version_2_takes_every_level_into_account(tmp_path: Path) -> None:
    write(tmp_path, proc__self__cgroup="0::/outer/inner\n")
    group(tmp_path, "outer", "5000", 3000, 500)
    group(tmp_path, "outer/inner", "max", 1000, 0)
    assert container_rooms(tmp_path) == [2500]
    group(tmp_path, "outer/inner", "1500", 1000, 100)
    assert sorted(container_rooms(tmp_path)) == [600, 2500]


def test_inside_a_container_the_limit_is_at_the_mount(tmp_path: Path) -> None:
    write(tmp_path, proc__self__cgroup="0::/not/visible/here\n")
    group(tmp_path, ".", "4000", 1000, 0)
    assert container_rooms(tmp_path) == [3000]


def test_version_1(tmp_path: Path) -> None:
    write(tmp_path, proc__self__cgroup="3:cpu,cpuacct:/box\n2:memory:/box\n")
    group(tmp_path, "memory/box", "2000", 1500, 300, version=1)
    assert container_rooms(tmp_path) == [800]
    group(tmp_path, "memory/box", str(0x7FFFFFFFFFFFF000), 1500, 300, version=1)
    assert container_rooms(tmp_path) == []


def test_a_full_container_has_no_room_rather_than_less_than_none(tmp_path: Path) -> None:
    write(tmp_path, proc__self__cgroup="0::/\n")
    group(tmp_path, ".", "1000", 1200, 0)
    assert container_rooms(tmp_path) == [0]


def test_memory_free_is_bounded_by_the_machine() -> None:
    import psutil

    assert 0 < bytes_free() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (12_345, "12 kB"),
        (538_090_408, "538 MB"),
        (2.5e9, "2.5 GB"),
        (3e12, "3.0 TB"),
    ],
)
def test_sizes_for_people(count: float, text: str) -> None:
    assert readable(count) == text
