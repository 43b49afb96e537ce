"""Folders as Qdrant's own client makes them, and in the form of a server's storage."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from qdrant_client import QdrantClient, models

from heimdall.migration_0_3 import qdrant
from heimdall.migration_0_3.report import Options, Outcome
from tests.heimdall.migration_0_3.test_places import make_server

NAME = "project_0123abcd_episodes"


def test_a_servers_storage_collection_by_collection(tmp_path: Path) -> None:
    source, shared = (
        make_server(tmp_path / "tmp_qdrant_storage", NAME, "mine"),
        make_server(tmp_path / "shared", "mine"),
    )
    (shared / "collections/mine/0/segment").write_text("another")
    found = qdrant.recognise(source)
    assert found is not None
    steps = {
        Path(step.source).name: step for step in qdrant.migrate(found, shared, Options(remove=True))
    }
    assert (steps[NAME].outcome, steps[NAME].removed) == (Outcome.MIGRATED, True)
    assert (steps["mine"].outcome, steps["mine"].removed) == (Outcome.LEFT, False)
    assert (shared / "collections" / NAME / "0" / "segment").read_text() == NAME
    assert (shared / "collections/mine/0/segment").read_text() == "another"
    assert (source / "collections/mine").exists()
    assert not (source / "collections" / NAME).exists()


def test_the_shared_directory_itself_is_left(tmp_path: Path) -> None:
    shared = make_server(tmp_path / "shared", NAME)
    found = qdrant.recognise(shared)
    assert found is not None
    (step,) = qdrant.migrate(found, shared, Options(remove=True))
    assert (step.outcome, step.removed) == (Outcome.PRESENT, False)


def test_what_qdrants_client_makes_without_a_server(tmp_path: Path) -> None:
    client = QdrantClient(path=str(tmp_path / "tmp_qdrant_storage"))
    client.create_collection(NAME, models.VectorParams(size=2, distance=models.Distance.COSINE))
    client.upsert(NAME, [models.PointStruct(id=1, vector=[1.0, 0.0], payload={"content": "text"})])
    client.close()
    found = qdrant.recognise(tmp_path / "tmp_qdrant_storage")
    assert found is not None
    assert (found.local, found.projects) == (True, ["project_0123abcd"])
    (step,) = qdrant.migrate(found, tmp_path / "shared", Options())
    assert step.outcome is Outcome.MIGRATED
    assert "qdrant-client's local form, 1 points" in step.detail
    assert (tmp_path / "shared/local/tmp_qdrant_storage/meta.json").is_file()


def test_points_are_told_also_when_the_folder_is_removed(tmp_path: Path) -> None:
    source = tmp_path / "tmp_qdrant_storage"
    (source / "collection" / NAME).mkdir(parents=True)
    (source / "meta.json").write_text("{}")
    with closing(sqlite3.connect(source / "collection" / NAME / "storage.sqlite")) as connection:
        connection.execute("CREATE TABLE points (id TEXT)")
        connection.execute("INSERT INTO points VALUES ('a'), ('b')")
        connection.commit()
    folder = qdrant.recognise(source)
    assert folder is not None
    (step,) = qdrant.migrate(folder, tmp_path / "shared", Options(remove=True))
    assert step.removed
    assert not source.exists()
    assert step.detail == "copied, and read back; qdrant-client's local form, 2 points"


def test_other_folders(tmp_path: Path) -> None:
    (tmp_path / "collections" / "x").mkdir(parents=True)
    assert qdrant.recognise(tmp_path) is None
    assert qdrant.recognise(tmp_path / "gone") is None
