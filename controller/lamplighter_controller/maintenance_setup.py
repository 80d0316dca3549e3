"""The maintenance room as this program runs it."""

import secrets

import msgspec

from lamplighter_contract.clock import Clock
from lamplighter_contract.ids import uuid7
from lamplighter_controller.commands.dispatch import Dispatch
from lamplighter_controller.config import ChannelConfig, Config
from lamplighter_controller.diagnosis.engine import Diagnosis
from lamplighter_controller.diagnosis_setup import rules_of
from lamplighter_controller.events import Events
from lamplighter_controller.fleet.evidence.shelf import Shelf
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting.proof.desk import ProofDesk
from lamplighter_controller.maintenance.around import Around, Settings
from lamplighter_controller.maintenance.engine import Maintenance
from lamplighter_controller.maintenance.notices.notice import Channel
from lamplighter_controller.series.port import Series
from lamplighter_controller.twin.columns import Twin

GIB = 1 << 30
MINUTE_MS = 60_000


def maintenance_of(
    config: Config,
    stores: tuple[Ledger, Series],
    twin: Twin,
    events: Events,
    dispatch: Dispatch,
    rooms: tuple[Diagnosis, ProofDesk],
    alarms: Alarms,
    clock: Clock,
    rate: float,
) -> Maintenance:
    """Everything about maintenance, its photos in the data folder; civil time runs `rate` times as fast."""
    its, city = config.maintenance, config.city
    shelf = Shelf(config.data / "maintenance", round(its.photos_gib * GIB))
    shelf.open()
    ledger, series = stores
    diagnosis, proof = rooms
    around = Around(
        ledger=ledger,
        series=series,
        twin=twin,
        events=events,
        commands=dispatch,
        diagnosis=diagnosis,
        proof=proof,
        alarms=alarms,
        clock=clock,
        shelf=shelf,
        new_id=lambda: uuid7(clock.wall_ms(), secrets.token_bytes(10)),
        sla=rules_of(config, rate).sla,
        zone=city.zone,
        rate=rate,
        settings=Settings(
            from_incidents=its.from_incidents,
            settle_ms=round(its.settle_min * MINUTE_MS),
            escalate_ms=round(its.escalate_min * MINUTE_MS),
            closes_itself=its.closes_itself,
        ),
    )
    name = city.name.get("zh", ""), city.name.get("en", "")
    return Maintenance(around, name, [_channel(one) for one in its.channels])


def _channel(its: ChannelConfig) -> Channel:
    values = its.model_dump(exclude={"secret_file"})
    return msgspec.convert(values | {"secret": its.secret()}, Channel)
