from __future__ import annotations

import os
from pathlib import Path

import pytest

from cognitive_memory.encoding.cores import container_quota, processor_has, usable_cores


@pytest.fixture(autouse=True)
def no_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def quota(top: Path, groups: str) -> float | None:
    """The quota of a process in these groups, where `top / "fs"` has the mounted ones."""
    return container_quota(proc(top, groups), top / "fs")


def proc(top: Path, groups: str) -> Path:
    """A process' directory."""
    directory = top / "proc"
    directory.mkdir()
    (directory / "cgroup").write_text(groups)
    return directory


def limit(directory: Path, **files: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name.replace("__", ".")).write_text(content)


def test_usable_cores_are_those_of_this_process() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system has no processor affinity"
)
def test_affinity_is_respected() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("value", ["1", " 1 ", "1,4"])
def test_omp_num_threads_is_respected(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert usable_cores() == 1


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1000000", "²"])
def test_omp_num_threads_allows_no_more_than_there_are(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    without = usable_cores()
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert usable_cores() == without


def test_version_2_own_group(tmp_path: Path) -> None:
    limit(tmp_path / "fs" / "user" / "job", cpu__max="150000 100000\n")
    assert quota(tmp_path, "0::/user/job\n") == 1.5


def test_version_2_tightest_of_the_groups_around(tmp_path: Path) -> None:
    limit(tmp_path / "fs" / "user", cpu__max="50000 100000\n")
    limit(tmp_path / "fs" / "user" / "job", cpu__max="max 100000\n")
    assert quota(tmp_path, "0::/user/job\n") == 0.5


def test_version_2_in_a_container_that_sees_itself_as_the_top(tmp_path: Path) -> None:
    limit(tmp_path / "fs", cpu__max="200000 100000\n")
    assert quota(tmp_path, "0::/\n") == 2


def test_version_1_in_a_container_whose_path_is_the_hosts(tmp_path: Path) -> None:
    limit(tmp_path / "fs" / "cpu", cpu__cfs_quota_us="300000\n", cpu__cfs_period_us="100000\n")
    groups = "5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n"
    assert quota(tmp_path, groups) == 3


def test_version_1_where_nothing_of_the_path_is_mounted(tmp_path: Path) -> None:
    limit(tmp_path / "fs" / "cpu", cpu__cfs_quota_us="100000\n", cpu__cfs_period_us="100000\n")
    assert quota(tmp_path, "3:cpu:/elsewhere\n") == 1


def test_both_versions_at_once(tmp_path: Path) -> None:
    limit(
        tmp_path / "fs" / "cpu" / "a", cpu__cfs_quota_us="250000\n", cpu__cfs_period_us="100000\n"
    )
    limit(tmp_path / "fs" / "unified")
    groups = "1:cpu:/a\n0::/\n"
    assert quota(tmp_path, groups) == 2.5


@pytest.mark.parametrize("content", ["max 100000\n", "", "1 2 3\n", "a b\n", "0 0\n"])
def test_no_quota_is_no_limit(tmp_path: Path, content: str) -> None:
    limit(tmp_path / "fs", cpu__max=content)
    assert quota(tmp_path, "0::/\n") is None


def test_version_1_without_a_quota_is_no_limit(tmp_path: Path) -> None:
    limit(tmp_path / "fs" / "cpu", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n")
    assert quota(tmp_path, "3:cpu:/\n") is None


def test_other_systems_have_no_quota(tmp_path: Path) -> None:
    assert container_quota(tmp_path) is None


def test_quota_is_rounded_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(tmp_path / "fs", cpu__max="20000 100000\n")
    monkeypatch.setattr(
        "cognitive_memory.encoding.cores.container_quota.__defaults__",
        (proc(tmp_path, "0::/\n"), tmp_path / "fs"),
    )
    assert usable_cores() == 1


@pytest.mark.parametrize(
    ("told", "has"),
    [
        ("vendor_id\t: X\nflags\t\t: fpu avx512_vnni avx2\n\nflags\t\t: fpu\n", True),
        ("flags\t\t: fpu avx512_vnni_2\nbugs\t: avx512_vnni\n", False),
        ("Features\t: fp asimd avx_vnni\n", True),
        ("", False),
        (None, False),
    ],
)
def test_what_the_processor_has_is_what_linux_says(
    tmp_path: Path, told: str | None, has: bool
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if told is not None:
        cpuinfo.write_text(told)
    assert processor_has(["avx512_vnni", "avx_vnni"], cpuinfo) is has
