"""Backups of the embedded stores, made while they are in use, and putting one back.

A backup is a folder: the ledger, the series, and a manifest. Private keys are not in it: they are few, never change by
themselves, and are kept in a safe. InfluxDB and PostgreSQL have tools of their own; the manifest says so.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import make_url

from lamplighter_controller.config import Config
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.hold import RESTORED, RESTORING
from lamplighter_controller.series.duck.store import DuckSeries
from lamplighter_controller.series.port import Series, SeriesUnavailable

MANIFEST: Final = "manifest.json"
LEDGER: Final = "ledger.sqlite"
SERIES: Final = "series.duckdb"
PUBLIC_KEYS: Final = ("keys.json", "root.pub")
BUSY_TIMEOUT_S: Final = 10.0


class BackupFailed(ControllerError):
    """The backup could not be made or put back; the message says why."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Files of the embedded stores; None where a server keeps that store."""

    ledger: Path | None
    series: Path | None


def embedded(config: Config) -> Embedded:
    """The files a configuration's embedded stores are in."""
    ledger = make_url(config.ledger_url)
    series = config.series_settings().url
    return Embedded(
        Path(str(ledger.database)) if ledger.get_backend_name() == "sqlite" else None,
        Path(series.removeprefix("duckdb:///")) if series.startswith("duckdb:///") else None,
    )


async def make(config: Config, series: Series, target: Path, about: Mapping[str, Any]) -> None:
    """Copy both stores while they are in use, series first: the ledger never knows less than the series.

    Raises:
        BackupFailed: the folder is there already, or a store cannot be copied; nothing is left behind.
    """
    files = embedded(config)
    partial = target.with_name(target.name + ".partial")
    await asyncio.to_thread(_begin, target, partial)
    try:
        if isinstance(series, DuckSeries):
            await series.copy_to(partial / SERIES)
        await asyncio.to_thread(_finish, config, files, partial, dict(about))
        await asyncio.to_thread(partial.rename, target)
    except (OSError, sqlite3.Error, SeriesUnavailable) as error:
        raise BackupFailed(f"{target}: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _begin(target: Path, partial: Path) -> None:
    if target.exists():
        raise BackupFailed(f"{target} is there already")
    try:
        partial.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise BackupFailed(f"{partial}: {error}") from error


def _finish(config: Config, files: Embedded, partial: Path, about: dict[str, Any]) -> None:
    if files.ledger:
        _copy_sqlite(files.ledger, partial / LEDGER)
    for name in PUBLIC_KEYS:
        if (config.keys_folder / name).exists():
            shutil.copyfile(config.keys_folder / name, partial / name)
    elsewhere = [name for name, file in (("ledger", files.ledger), ("series", files.series)) if file is None]
    (partial / MANIFEST).write_text(json.dumps({**about, "elsewhere": elsewhere}, indent=2) + "\n")
    _sync(partial)


def put_back(config: Config, source: Path) -> tuple[str, ...]:
    """Copy a backup into an empty data folder; returns the stores that have to be put back by their own tools.

    Raises:
        BackupFailed: it is no backup, or there is data already.
    """
    try:
        manifest = json.loads((source / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise BackupFailed(f"{source} is no backup: {error}") from error
    files = embedded(config)
    there = [file for file in (files.ledger, files.series) if file and file.exists()]
    if there or (config.data.exists() and any(config.data.iterdir())):
        raise BackupFailed(
            f"{there[0] if there else config.data} is there already; a restore needs an empty data folder"
        )
    with contextlib.ExitStack() as undo:
        try:
            _put_all(config, source, files, undo)
        except OSError as error:
            raise BackupFailed(f"{source}: {error}") from error
        undo.pop_all()
    return tuple(manifest.get("elsewhere", ()))


def _put_all(config: Config, source: Path, files: Embedded, undo: contextlib.ExitStack) -> None:
    """The marks come first and, when it fails, go last: what a power cut leaves here does not start, or starts held."""
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for mark in (config.data / RESTORED, config.data / RESTORING):
        undo.callback(mark.unlink, missing_ok=True)
        _write(mark, lambda _: None)
    _sync_one(config.data.parent)
    _sync_one(config.data)
    for name, file in ((LEDGER, files.ledger), (SERIES, files.series)):
        if file and (source / name).exists():
            _put(source / name, file, undo)
    for name in PUBLIC_KEYS:
        if (source / name).exists() and not (config.keys_folder / name).exists():
            _put(source / name, config.keys_folder / name, undo)
    (config.data / RESTORING).unlink()
    _sync_one(config.data)


def _put(source: Path, target: Path, undo: contextlib.ExitStack) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    undo.callback(target.unlink, missing_ok=True)
    with source.open("rb") as original:
        _write(target, partial(shutil.copyfileobj, original))
    _sync_one(target.parent)
    _sync_one(target.parent.parent)


def _write(path: Path, fill: Callable[[IO[bytes]], None]) -> None:
    """A new file, durably, for its owner only."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())


def _copy_sqlite(file: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)


def _sync(folder: Path) -> None:
    for path in (*(path for path in folder.iterdir() if path.is_file()), folder):
        _sync_one(path)


def _sync_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
