"""Parts of the program by themselves: housekeeping by civil hours, keys for everyone, the control socket."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.command import Operation, check_args
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller import control
from lamplighter_controller.commands.model import CommandRequest, Request, Submitted
from lamplighter_controller.events import Events
from lamplighter_controller.intake.engine import Registry
from lamplighter_controller.keys_keeper import KeysKeeper
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.link.memory import MemoryLink
from lamplighter_controller.losses import Losses
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.port import Series, SeriesUnavailable
from lamplighter_controller.series.settings import SeriesSettings
from lamplighter_controller.upkeep import Upkeep
from tests.controller.ledgers import open_in


class Maintained:
    """Remembers when it was maintained."""

    def __init__(self) -> None:
        self.at_ms: list[int] = []
        self.fails = False

    async def maintain(self, now_ms: int) -> None:
        if self.fails:
            raise SeriesUnavailable("made to fail")
        self.at_ms.append(now_ms)


class Asked:
    """Remembers what was asked for."""

    def __init__(self) -> None:
        self.wanted: list[CommandRequest] = []
        self.answer: Refusal | LedgerUnavailable | None = None

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        assert who == "controller"
        self.wanted.append(wanted)
        if isinstance(self.answer, LedgerUnavailable):
            raise self.answer
        return self.answer or Submitted(cast("Request", None), CommandState.CREATED, ())


@pytest.fixture
async def ledger(tmp_path: Path):
    opened = await open_in(tmp_path)
    yield opened
    await opened.close()


async def test_housekeeping_is_done_each_civil_hour_and_made_good_after_a_failure(ledger: Ledger) -> None:
    clock, series = ManualClock(rate=60), Maintained()
    registry = Registry.begin(ledger, Events(), clock)
    losses = Losses(cast("Series", series), Asked(), registry.gateways, registry.alarms)
    upkeep = Upkeep(ledger, cast("Series", series), clock, registry.alarms, losses)
    for seconds, fails, done in ((0, False, 1), (59, False, 1), (1, True, 1), (1, False, 2), (30, False, 2)):
        clock.advance(seconds)
        series.fails = fails
        await upkeep.look()
        assert len(series.at_ms) == done
        assert registry.alarms.is_raised("upkeep") is fails
    clock.now_ms -= 7_200_000  # a clock that was set back must not stop housekeeping
    await upkeep.look()
    assert len(series.at_ms) == 3


async def test_a_damaged_series_file_is_set_aside_and_told(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "series.duckdb").write_bytes(b"not a database" * 1000)
    series = await open_series(SeriesSettings(url=f"duckdb:///{tmp_path}/series.duckdb"))
    registry = Registry.begin(ledger, Events(), ManualClock())
    losses = Losses(series, Asked(), registry.gateways, registry.alarms)
    await Upkeep(ledger, series, ManualClock(), registry.alarms, losses).look()
    await series.close()
    assert registry.alarms.is_raised("series-damaged")
    (alarm,) = registry.alarms.active()
    assert "series.duckdb" in alarm.text


async def test_after_damage_every_gateway_is_asked_once_to_send_again_what_it_kept(
    ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "series.duckdb").write_bytes(b"not a database" * 1000)
    url = f"duckdb:///{tmp_path}/series.duckdb"
    await (await open_series(SeriesSettings(url=url))).close()
    series = await open_series(SeriesSettings(url=url))  # a restart before anybody was asked forgets nothing
    registry, asked = Registry.begin(ledger, Events(), ManualClock()), Asked()
    losses = Losses(series, asked, registry.gateways, registry.alarms)
    await losses.look()
    assert asked.wanted == []  # nobody to ask yet
    registry.gateways.enrol(frozenset({"gw-1", "gw-2"}))
    for answer, times in ((LedgerUnavailable("away"), 1), (Refusal(Reason.LOCKED, "held"), 2), (None, 3), (None, 3)):
        asked.answer = answer
        await losses.look()
        assert len(asked.wanted) == times
    wanted = asked.wanted[-1]
    assert (wanted.op, wanted.gateways) == (Operation.GATEWAY_RESEND, ("gw-1", "gw-2"))
    assert check_args(wanted.op, wanted.args) is None
    assert len({each.key for each in asked.wanted}) == 1
    (tmp_path / "series.duckdb.damaged-1").rename(tmp_path / "looked-at")
    await losses.look()
    await series.close()
    assert not registry.alarms.is_raised("series-damaged")


async def test_every_enrolled_gateway_gets_the_keys_again_after_each_connect(ledger: Ledger) -> None:
    link, clock = MemoryLink(), ManualClock()
    registry = Registry.begin(ledger, Events(), clock)
    keeper = KeysKeeper(link, registry.gateways, registry.alarms, b"keys")
    task = asyncio.create_task(keeper.run(), name="keys")

    async def told(names: list[str]) -> None:
        async with asyncio.timeout(5):
            while [topic.split("/")[3] for topic, _, _ in link.sent] != names:
                await asyncio.sleep(0.01)

    registry.gateways.enrol(frozenset({"gw-1"}))
    await keeper.connected()
    await told(["gw-1"])
    assert link.sent == [("lamplighter/1/down/gw-1/keys", b"keys", True)]
    registry.gateways.enrol(frozenset({"gw-1", "gw-2"}))
    keeper.enrolment_changed()
    await told(["gw-1", "gw-2"])
    await keeper.connected()
    await told(["gw-1", "gw-2", "gw-1", "gw-2"])
    link.denied = lambda topic: "gw-1" in topic
    await keeper.connected()
    await told(["gw-1", "gw-2", "gw-1", "gw-2", "gw-2"])
    assert registry.alarms.is_raised("keys-denied")
    task.cancel()


def ask_in_thread(path: Path, wanted: dict[str, Any]) -> asyncio.Future[Any]:
    return asyncio.get_running_loop().run_in_executor(None, control.ask, path, wanted)


async def test_the_control_socket_answers_refuses_and_survives_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"

    async def double(wanted: Any) -> dict[str, Any]:
        if "n" not in wanted:
            raise control.ControlError("n is missing")
        return {"twice": wanted["n"] * 2}

    with pytest.raises(control.NotRunning):
        control.ask(path, {"do": "double"})
    server = await control.serve(path, {"double": double})
    assert await ask_in_thread(path, {"do": "double", "n": 4}) == {"twice": 8}
    with pytest.raises(control.ControlError, match="n is missing"):
        await ask_in_thread(path, {"do": "double"})
    with pytest.raises(control.ControlError, match="expected do to be one of double"):
        await ask_in_thread(path, {"do": "triple"})
    for nonsense in (b"\xff\n", b"[]\n", b"x" * 100_000):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(nonsense)
        await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert await ask_in_thread(path, {"do": "double", "n": 1}) == {"twice": 2}
    server.close()
