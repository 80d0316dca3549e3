"""The spool is cut at any byte or lost: the gateway starts all the same, and says so; no acknowledgement was false."""

import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.system.process import free_port
from tests.system.world import World
from tests.system.world_api import eventually
from tests.system.world_checks import nothing_lost
from tests.system.world_programs import Gateway

pytestmark = [pytest.mark.fault, pytest.mark.system, pytest.mark.timeout(240)]

SOON_S = 20.0
BACK_S = 45.0
AT_ONCE = 3
EDGES = (0, 1, 15, 16, 99, 100, 101, 4_095, 4_096, 4_097)
SHARES = (0.1, 0.35, 0.6, 0.85, 0.99)


@pytest.fixture
def world() -> Iterator[World]:
    """One gateway."""
    with World(gateways=1) as running:
        yield running


def _events(world: World) -> set[str]:
    """What gateways told of themselves."""
    with closing(sqlite3.connect(f"file:{world.controller.data / 'ledger.sqlite'}?mode=ro", uri=True)) as ledger:
        return {event for (event,) in ledger.execute("SELECT DISTINCT event FROM gateway_event")}


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def _starts_on(world: World, spoilt: Path, name: str, size: int) -> str:
    """Start a gateway that reaches nobody on a copy cut at `size`; what became of its spool."""
    gateway = Gateway(world.config_of("gw-1"))
    try:
        gateway.config["uplink"]["port"] = free_port()
        shutil.copytree(spoilt, gateway.data)
        _cut(gateway.data / name, size)
        gateway.start()
        eventually(lambda: gateway.ask("status")["spool"]["waiting"] > 0, SOON_S, f"{name} cut at {size}: new frames")
        gateway.stop()
        assert gateway.spool(), f"{name} cut at {size}: nothing is kept"
        aside = list(gateway.data.glob("spool.db.bad-*"))
        assert bool(aside) == ("is spoilt" in gateway.log), gateway.log
        return "set aside" if aside else "opened"
    finally:
        gateway.close()


def _copy(world: World, target: Path) -> Path:
    shutil.copytree(world.gateway().data, target, ignore=shutil.ignore_patterns("*.sock"))
    return target


def test_a_spool_cut_at_any_byte(world: World, tmp_path: Path) -> None:
    world.gateway().stop()
    at_rest = _copy(world, tmp_path / "at-rest")  # all of it is in the database
    world.gateway().start()
    world.wait_for_news(within_s=BACK_S)
    world.gateway().kill()
    in_use = _copy(world, tmp_path / "in-use")  # a part of it is only in the log
    cases = [
        (folder, name, size)
        for folder, name in ((at_rest, "spool.db"), (in_use, "spool.db-wal"))
        for whole in [(folder / name).stat().st_size]
        for size in (*(edge for edge in EDGES if edge < whole), *(round(whole * share) for share in SHARES), whole)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(lambda case: _starts_on(world, *case), cases))
    told = {(case[1], case[2]): end for case, end in zip(cases, ends, strict=True)}
    assert set(ends) == {"opened", "set aside"}, told
    assert ends[-1] == "opened", told


@pytest.mark.parametrize("how", ["cut", "lost"])
def test_a_gateway_goes_on_without_its_spool(world: World, how: str) -> None:
    gateway = world.gateway()
    gateway.stop()
    known = gateway.spool()
    if how == "cut":
        _cut(gateway.data / "spool.db", 4_097)
    else:
        for file in gateway.data.glob("spool.db*"):
            file.unlink()
    gateway.start()
    world.wait_for_news(within_s=BACK_S)
    if how == "cut":
        eventually(lambda: "spool.set_aside" in _events(world), SOON_S, "the centre is told")
    assert nothing_lost(world, also=known).acknowledged > sum(frame.stored for frame in known)
    assert gateway.spool()[0].seq > known[-1].seq, "a number was used twice"
