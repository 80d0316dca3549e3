"""Putting a backup back: whole and held, or not at all."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lamplighter_controller import backup, first_start
from lamplighter_controller.config import Config
from lamplighter_controller.hold import RESTORED
from tests.controller.app.program import mode_of


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(controller="centre-1", data=tmp_path / "city" / "data")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A backup of an SQLite ledger and a series file, readable by everyone."""
    folder = tmp_path / "copy"
    folder.mkdir()
    with closing(sqlite3.connect(folder / backup.LEDGER)) as ledger:
        ledger.execute("CREATE TABLE kept (n INTEGER)")
    (folder / backup.SERIES).write_bytes(b"series")
    (folder / "keys.json").write_text("{}")
    (folder / backup.MANIFEST).write_text(json.dumps({"elsewhere": []}))
    return folder


def test_everything_is_there_for_its_owner_only_and_the_next_start_is_held(config: Config, source: Path) -> None:
    assert backup.put_back(config, source) == ()
    assert {path.name for path in config.data.rglob("*") if path.is_file()} == {
        "ledger.sqlite",
        "series.duckdb",
        "keys.json",
        RESTORED,
    }
    assert [mode_of(path) for path in (config.data / "ledger.sqlite", config.data / "series.duckdb")] == [0o600] * 2
    assert mode_of(config.data) == 0o700
    first_start.own_folder(config.data).close()


def test_a_restore_that_fails_half_way_leaves_nothing_that_could_start_unheld(config: Config, source: Path) -> None:
    (source / backup.SERIES).unlink()
    (source / backup.SERIES).mkdir()  # cannot be copied
    with pytest.raises(backup.BackupFailed):
        backup.put_back(config, source)
    assert [path for path in config.data.rglob("*") if path.is_file()] == []
    (source / backup.SERIES).rmdir()
    (source / backup.SERIES).write_bytes(b"series")
    backup.put_back(config, source)
    assert (config.data / RESTORED).exists()


def test_a_restore_cut_off_at_any_file_does_not_start(
    config: Config, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = 0

    def copy(original, target) -> None:
        nonlocal copies
        copies += 1
        assert (config.data / RESTORED).exists()
        with pytest.raises(first_start.RestoreCutOff, match="restore again"):
            first_start.own_folder(config.data)
        target.write(original.read())

    monkeypatch.setattr(shutil, "copyfileobj", copy)
    backup.put_back(config, source)
    assert copies == 3
