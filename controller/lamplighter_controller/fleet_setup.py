"""The fleet room as this program runs it."""

import random
from zoneinfo import ZoneInfo

from lamplighter_contract.clock import Clock
from lamplighter_contract.truck.interlock import Bounds
from lamplighter_controller.commands.dispatch import Dispatch
from lamplighter_controller.config import Config
from lamplighter_controller.events import Events
from lamplighter_controller.fleet.engine import Around, Fleet
from lamplighter_controller.intake.engine import Registry
from lamplighter_controller.intake.presence import Status
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.series.port import Series
from lamplighter_controller.twin.columns import Twin


def fleet_of(
    config: Config,
    stores: tuple[Ledger, Series],
    twin: Twin,
    events: Events,
    dispatch: Dispatch,
    clock: Clock,
    registry: Registry,
    rate: float,
) -> Fleet:
    """The engine of the fleet; civil time runs `rate` times as fast as real time."""

    def vouched(device: str) -> bool:
        gateway = twin.gateway_of(device)
        return gateway is not None and registry.gateways.status(gateway) is Status.ONLINE

    ledger, series = stores
    return Fleet(
        Around(
            ledger=ledger,
            series=series,
            twin=twin,
            events=events,
            commands=dispatch,
            alarms=registry.alarms,
            clock=clock,
            random=random.SystemRandom(),
            zone=ZoneInfo(config.city.zone),
            rate=rate,
            box=config.city.where,
            folder=config.data,
            vouched=vouched,
            limits=Bounds(lift_lock=config.fleet.lift_lock),
        )
    )
