from __future__ import annotations

import os
from pathlib import Path

import pytest

from heimdall.cognitive_system import data_dirs
from heimdall.migration_0_3.migrate import migrate_legacy_data
from heimdall.migration_0_3.report import MigrationReport, Outcome
from tests.heimdall.migration_0_3.test_places import make_server
from tests.support.docker_standin import DockerStandIn

pytestmark = pytest.mark.slow

NAME = "project_0123abcd_concepts"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DockerStandIn:
    if os.name == "nt":
        pytest.skip("the stand-in is a script with a first line that names its program")
    docker = DockerStandIn(tmp_path / "docker")
    monkeypatch.setenv("PATH", str(docker.programs))
    return docker


def test_a_volume_is_read_through_the_container_that_has_it(
    docker: DockerStandIn, root: Path
) -> None:
    make_server(docker.add_volume("heimdall_qdrant"), NAME)
    docker.add_volume("postgres", container="ffff")
    planned = migrate_legacy_data(root, dry_run=True)
    assert [(step.outcome, step.source) for step in planned.steps] == [
        (Outcome.PLANNED, "docker volume heimdall_qdrant")
    ]
    (step,) = migrate_legacy_data(root, remove=True).steps
    assert (step.outcome, step.kind, step.removed) == (Outcome.MIGRATED, "volume", False), (
        step.detail
    )
    assert step.source == f"docker volume heimdall_qdrant: collections/{NAME}"
    assert "'docker volume rm heimdall_qdrant' removes it" in step.detail
    assert (
        data_dirs.get_qdrant_data_dir() / "collections" / NAME / "0/segment"
    ).read_text() == NAME
    assert [step.outcome for step in migrate_legacy_data(root).steps] == [Outcome.PRESENT]
    assert {call.split()[0] for call in docker.calls} == {"volume", "ps", "inspect", "cp"}, (
        "which change nothing"
    )
    assert not any("postgres" in call for call in docker.calls)


def test_volumes_that_are_left(docker: DockerStandIn, root: Path) -> None:
    make_server(docker.add_volume("heimdall-1", running=True, container="aaaa"), NAME)
    make_server(docker.add_volume("heimdall-2", container=None), NAME)
    (docker.add_volume("heimdall-3", container="cccc") / "file").touch()
    make_server(docker.add_volume("heimdall-4", container="dddd", broken=True), NAME)
    steps = migrate_legacy_data(root).steps
    assert [step.outcome for step in steps] == [
        Outcome.LEFT,
        Outcome.LEFT,
        Outcome.LEFT,
        Outcome.FAILED,
    ]
    for step, words in zip(
        steps,
        [
            "'docker stop aaaa'",
            "no container has it",
            "it holds nothing of Qdrant's",
            "Could not find the file",
        ],
        strict=True,
    ):
        assert words in step.detail


def notes(report: MigrationReport) -> str:
    return "\n".join(report.notes)


def test_what_was_not_looked_at_is_said(
    docker: DockerStandIn, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.stop()
    said = notes(migrate_legacy_data(root))
    assert "not looked at: docker: Cannot connect to the Docker daemon" in said
    monkeypatch.setenv("PATH", str(root))
    assert "there is no docker command here" in notes(migrate_legacy_data(root))
