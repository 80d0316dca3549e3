"""A damaged database file never keeps the controller from starting, and nothing of it is thrown away."""

import logging
import random
from pathlib import Path

import duckdb
import pytest

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.duck.file import open_file, set_aside_files
from lamplighter_controller.series.duck.store import DuckSeries
from lamplighter_controller.series.port import SeriesUnavailable
from lamplighter_controller.series.settings import SeriesSettings
from tests.controller.series.columns import readings

DEVICES = [f"lamp-{lamp:03d}" for lamp in range(50)]


async def _open(file: Path) -> DuckSeries:
    return await DuckSeries.open(file, SeriesSettings())


async def _write(series: DuckSeries, *times: int) -> None:
    for time_ms in times:
        await series.write([readings(DEVICES, [time_ms] * 50, power_w=[float(time_ms)] * 50)])


async def _stored(series: DuckSeries) -> int:
    found = await series.range(Kind.LAMP, DEVICES, ["power_w"], 0, 10**9, 10**6)
    return len(found.device)


@pytest.fixture
async def crashed(tmp_path: Path) -> Path:
    """A file with 500 checkpointed rows and a log with 500 more, as a kill leaves them."""
    living, dead = tmp_path / "living.duckdb", tmp_path / "series.duckdb"
    series = await _open(living)
    await _write(series, *range(10))
    await series.close()
    series = await _open(living)
    await _write(series, *range(10, 20))
    for suffix in ("", ".wal"):
        Path(f"{dead}{suffix}").write_bytes(Path(f"{living}{suffix}").read_bytes())
    await series.close()
    return dead


async def test_the_log_is_replayed(crashed: Path) -> None:
    series = await _open(crashed)
    assert await _stored(series) == 1000
    assert series.set_aside == ()
    await series.close()


async def test_a_log_cut_at_any_byte_opens_with_whole_commits(crashed: Path) -> None:
    wal, base = Path(f"{crashed}.wal"), crashed.read_bytes()
    log = wal.read_bytes()
    for cut in random.Random(7).sample(range(len(log)), 12):
        crashed.write_bytes(base)
        wal.write_bytes(log[:cut])
        series = await _open(crashed)
        stored = await _stored(series)
        assert 500 <= stored <= 1000
        assert stored % 50 == 0
        await _write(series, 30)
        assert await _stored(series) == stored + 50
        await series.close()


async def test_a_damaged_log_is_set_aside_and_the_file_kept(crashed: Path, caplog: pytest.LogCaptureFixture) -> None:
    wal, base = Path(f"{crashed}.wal"), crashed.read_bytes()
    log = wal.read_bytes()
    set_aside = 0
    for place in random.Random(3).sample(range(len(log)), 12):
        damaged = bytearray(log)
        damaged[place] ^= 0xFF
        crashed.write_bytes(base)
        wal.write_bytes(damaged)
        with caplog.at_level(logging.ERROR):
            series = await _open(crashed)
        assert await _stored(series) >= 500
        if series.set_aside:
            set_aside += 1
            assert await _stored(series) == 500
            assert [file.read_bytes() for file in series.set_aside] == [bytes(damaged)]
        await series.close()
    assert set_aside > 6
    assert caplog.text.count("set aside") == set_aside


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 1000, None])
async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(crashed: Path, damage: bytes | None) -> None:
    Path(f"{crashed}.wal").unlink()
    crashed.write_bytes(crashed.read_bytes()[:20_000] if damage is None else damage)
    kept = crashed.read_bytes()
    for number in (1, 2):
        series = await _open(crashed)
        assert await _stored(series) == 0
        assert [file.name for file in series.set_aside] == [f"{crashed.name}.damaged-{number}"]
        await _write(series, 1)
        assert await _stored(series) == 50
        await series.close()
        crashed.write_bytes(kept)
    assert (crashed.parent / f"{crashed.name}.damaged-1").read_bytes() == kept


async def test_a_flipped_byte_anywhere_in_the_file_never_refuses_the_start(crashed: Path) -> None:
    Path(f"{crashed}.wal").unlink()
    base = crashed.read_bytes()
    for place in random.Random(11).sample(range(len(base)), 12):
        damaged = bytearray(base)
        damaged[place] ^= 0xFF
        crashed.write_bytes(damaged)
        series = await _open(crashed)
        await _write(series, 1000)
        await series.close()


async def test_a_log_that_cannot_be_read_now_is_no_damage(crashed: Path) -> None:
    wal = Path(f"{crashed}.wal")
    log = wal.read_bytes()
    wal.unlink()
    wal.mkdir()  # reading it fails as it does on a disk that does not answer
    with pytest.raises(SeriesUnavailable, match=r"replaying WAL.*Could not read from file"):
        await _open(crashed)
    wal.rmdir()
    wal.write_bytes(log)
    series = await _open(crashed)
    assert await _stored(series) == 1000
    assert series.set_aside == ()
    await series.close()


REPLAYING = 'Failure while replaying WAL file "series.duckdb.wal": '


@pytest.mark.parametrize(
    ("error", "text", "damaged"),
    [
        (duckdb.IOException, REPLAYING + "Could not read from file: Input/output error", False),
        (duckdb.IOException, REPLAYING + "Could not write file: No space left on device", False),
        (duckdb.OutOfMemoryException, REPLAYING + "failed to allocate data of size 2.0 MiB", False),
        (duckdb.FatalException, "database has been invalidated: Could not write file: No space left on device", False),
        (duckdb.InternalException, REPLAYING + "Attempted to dereference unique_ptr that is NULL!", False),
        (duckdb.InternalException, REPLAYING + "Invalid WAL entry type!", True),
        (duckdb.IOException, REPLAYING + "Failed to decode LEB128 integer: data may be corrupt", True),
        (duckdb.Error, REPLAYING + "Corrupt WAL file: entry at byte position 7 computed checksum 1", True),
        (duckdb.IOException, REPLAYING + "the WAL checkpoint iteration does not match the database file.", True),
        (duckdb.IOException, 'The file "x" exists, but it is not a valid DuckDB database file!', True),
        (duckdb.SerializationException, "Serialization Error: Failed to deserialize: expected end of object", True),
    ],
)
def test_only_bytes_that_make_no_sense_are_damage(
    tmp_path: Path, error: type[duckdb.Error], text: str, damaged: bool
) -> None:
    path = tmp_path / "corrupt" / "series.duckdb"  # a name is no message
    failures = [text]

    def load(_: duckdb.DuckDBPyConnection) -> int:
        if failures:
            raise error(failures.pop())
        return 7

    if damaged:
        opened = open_file(path, 64, load)
        opened.connection.close()
        assert opened.set_aside == set_aside_files(path) == (Path(f"{path}.damaged-1"),)
    else:
        with pytest.raises(SeriesUnavailable, match="cannot be opened"):
            open_file(path, 64, load)
        assert set_aside_files(path) == ()


async def test_a_folder_that_cannot_be_used_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SeriesUnavailable, match="cannot be opened"):
        await _open(tmp_path / "file" / "series.duckdb")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
