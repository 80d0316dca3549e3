"""The broker out of reach: told after some seconds, repeated by the minute, over when it is back."""

import logging
from pathlib import Path
from typing import cast

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.wire.documents import GatewayState
from lamplighter_controller.events import Events, GatewayChanged
from lamplighter_controller.intake.engine import Registry
from lamplighter_controller.intake.outage import ALARM, PATIENCE_S, REMIND_S, Outage
from lamplighter_controller.intake.presence import OUT_OF_SIGHT_S, Status
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.link.memory import MemoryLink
from tests.controller.intake.stand_ins import centre, until


class World:
    """An outage over a link of ours; gw-1 is online, gw-2 offline."""

    def __init__(self) -> None:
        self.clock, self.link, self.events = ManualClock(), MemoryLink(), Events()
        registry = Registry.begin(cast("Ledger", None), self.events, self.clock)  # nothing is written here
        self.alarms, self.gateways = registry.alarms, registry.gateways
        self.gateways.enrol(frozenset({"gw-1", "gw-2"}))
        for name in ("gw-1", "gw-2"):
            self.gateways.state(name, GatewayState(f"boot-{name}", online=True))
        self.gateways.state("gw-2", GatewayState("boot-gw-2", online=False))
        self.outage = Outage(self.link, self.clock, self.alarms, self.gateways)

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.outage.tick()
            self.gateways.tick()
            self.clock.advance(1)
        self.outage.tick()

    def statuses(self) -> list[Status]:
        return [self.gateways.status(name) for name in ("gw-1", "gw-2")]


def test_a_broker_that_restarts_is_no_alarm() -> None:
    world = World()
    world.link.up = False
    world.pass_time(PATIENCE_S - 1)
    world.link.up = True
    world.pass_time(10)
    assert not world.alarms.is_raised(ALARM)
    assert world.statuses() == [Status.ONLINE, Status.OFFLINE]


def test_an_outage_is_told_and_nobody_is_online_meanwhile() -> None:
    world = World()
    with world.events.subscribe(GatewayChanged) as told:
        world.link.up = False
        world.pass_time(PATIENCE_S)
        assert told.queue.get_nowait() == GatewayChanged("gw-1", None)
        assert told.queue.empty()
    assert world.alarms.is_raised(ALARM)
    assert world.statuses() == [Status.UNKNOWN, Status.OFFLINE]
    assert world.gateways.vouched("gw-1")
    world.pass_time(OUT_OF_SIGHT_S)
    assert not world.gateways.vouched("gw-1")
    world.pass_time(1000)
    assert not world.alarms.is_raised("gateway-offline:gw-1")  # it is we who are out of reach
    world.link.up = True
    world.gateways.asked_again()
    world.gateways.state("gw-1", GatewayState("boot-gw-1", online=True))
    world.pass_time(1)
    assert not world.alarms.is_raised(ALARM)
    assert world.statuses() == [Status.ONLINE, Status.OFFLINE]
    assert world.gateways.vouched("gw-1")


def test_the_log_says_by_the_minute_how_long_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.link.up = False
    with caplog.at_level(logging.INFO, logger="lamplighter_controller.intake.outage"):
        world.pass_time(3 * REMIND_S + 1)
        world.link.up = True
        world.pass_time(30)
    assert [record.getMessage() for record in caplog.records if "outage" in record.name] == [
        "no connection to the broker for 1 min",
        "no connection to the broker for 2 min",
        "no connection to the broker for 3 min",
        "the broker was out of reach for 181 s",
    ]


async def test_the_running_intake_looks_at_its_link(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.birth()
        here.link.up = False
        await until(lambda: _later(here.clock) and here.intake.alarms.is_raised(ALARM))
        assert here.intake.gateways.status("gw-1") is Status.UNKNOWN
        here.link.up = True
        await until(lambda: not here.intake.alarms.is_raised(ALARM))


def _later(clock: ManualClock) -> bool:
    clock.advance(1)
    return True
