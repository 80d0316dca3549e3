"""From a checked configuration to a gateway: the files it names are read here."""

import os
import random
import secrets
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lamplighter_contract.clock import REAL_TIME, CivilScale, Clock, SystemClock, decode_scale
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.signing import decode_key
from lamplighter_contract.wire.documents import BusEntry, DeviceEntry
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.about import VERSION
from lamplighter_gateway.app import Gateway
from lamplighter_gateway.buses import Served
from lamplighter_gateway.change.desk import ConfigDesk, changed_buses
from lamplighter_gateway.change.starting import Start
from lamplighter_gateway.commands.acceptance import OFFERED
from lamplighter_gateway.commissioning.equipment import equip
from lamplighter_gateway.config.model import (
    Bus,
    Config,
    Device,
    FieldBroker,
    RelayServer,
    SerialBus,
    Tls,
    TrackerServer,
)
from lamplighter_gateway.config.problem import Problem
from lamplighter_gateway.drivers.jt808.server import TrackerBus
from lamplighter_gateway.drivers.modbus.bus import ModbusBus
from lamplighter_gateway.drivers.mqtt import MqttBus
from lamplighter_gateway.drivers.port import Driver, Point, Sink
from lamplighter_gateway.drivers.relay.bus import RelayBus
from lamplighter_gateway.errors import GatewayError
from lamplighter_gateway.light.photocell import Dusk
from lamplighter_gateway.light.switching import Switching
from lamplighter_gateway.link.mqtt import Broker, MqttLink
from lamplighter_gateway.link.port import Link
from lamplighter_gateway.report import Reporter
from lamplighter_gateway.settings import InForce, Settings
from lamplighter_gateway.spool.frames import Limits
from lamplighter_gateway.support.ring import Ring
from lamplighter_gateway.support.work import SupportWork
from lamplighter_gateway.trucks.evidence.store import FrameLimits
from lamplighter_gateway.update.desk import UpdateDesk
from lamplighter_gateway.update.fetching import Fetching
from lamplighter_gateway.update.place import Place
from lamplighter_gateway.update.work import UpdateWork
from lamplighter_gateway.uplink.lanes import Timing

S_PER_MIN: Final = 60.0
MIB: Final = 1024 * 1024
TERMINAL_KEY: Final = "terminal.key"
MS_PER_H: Final = 3_600_000
DWELL_S: Final = 60.0  # civil seconds a relay rests between two switchings
DAY_S: Final = 86_400.0


class UnusableFileError(GatewayError):
    """A file that the configuration names cannot be used; the message says which and what was expected."""


def assemble(start: Start, environment: Mapping[str, str], ring: Ring | None = None) -> Gateway:
    """The gateway of a process start, with its desks for other configurations, other versions and help from afar.

    Raises:
        UnusableFileError: the clock file, the password file or a TLS file cannot be used.
    """
    gateway = build(start.config)
    clock = gateway.clock
    desk = ConfigDesk(start, gateway, clock, environment, lambda old, new: exchange(old, new, clock, gateway.sink))
    gateway.services["config"] = desk.run
    gateway.requests["reload"] = desk.reload
    gateway.uplink.handlers[Down.CONFIG] = desk.take
    gateway.shown["config"] = lambda: desk.about
    place = Place(start.config.data, VERSION)
    updates = UpdateDesk(place, gateway, clock, start.config.updating.health_min * S_PER_MIN)
    gateway.services["update"] = updates.run
    gateway.requests["switch"] = updates.switch
    gateway.shown["update"] = lambda: updates.about
    fetching = Fetching(start.config.data, gateway.uplink.ask, gateway.counters)
    work = UpdateWork(place, fetching, updates, decode_key(start.config.root_key))
    gateway.uplink.handlers[Down.FILE] = fetching.take
    gateway.operations[Operation.GATEWAY_UPDATE] = work.carry_out
    support = SupportWork(lambda: desk.in_force, gateway.status, ring or Ring(), gateway.spool)
    gateway.operations[Operation.GATEWAY_SUPPORT] = support.carry_out
    equip(gateway, start.config)
    return gateway


def exchange(old: Config, new: Config, clock: Clock, sink: Sink) -> tuple[Served, Reporter]:
    """What a gateway serves when `new` follows `old`, with drivers for the buses that are not what they were.

    Raises:
        UnusableFileError: a file that a bus names cannot be used.
    """
    changed = set(changed_buses(old, new))
    drivers = {bus.id: _driver(bus, new, clock, sink) for bus in new.buses if bus.id in changed}
    entries = {device.id: entry(device) for device in new.devices}
    buses = tuple(bus_entry(bus, new.devices_on(bus.id)) for bus in new.buses)
    served = Served(entries, {device.id: device.bus for device in new.devices}, buses, drivers)
    return served, Reporter(new.devices, new.report)


def build(config: Config, link: Link | None = None) -> Gateway:
    """The gateway of a configuration, ready to run; without `link`, with the one that leads to its broker.

    Raises:
        UnusableFileError: the clock file, the password file or a TLS file cannot be used.
    """
    scale = _scale(config.clock)
    clock = SystemClock(scale)
    settings = Settings(
        gateway=config.gateway,
        data=config.data,
        root_key=decode_key(config.root_key) if config.root_key else None,
        config=InForce(config.number, config.ruling.rules),
        compress=config.report.compress,
        limits=Limits(config.spool.max_mib * MIB, round(config.spool.keep_h * MS_PER_H)),
        timing=Timing(
            backlog_per_s=config.uplink.backlog_per_s,
            backlog_delay_s=config.uplink.backlog_delay_s,
            health_s=config.report.health_s,
        ),
        frames=FrameLimits(round(config.trucks.frames_h * MS_PER_H), config.trucks.frames_mib * MIB),
        lift_lock=config.trucks.lift_lock,
        metrics=(config.metrics.host, config.metrics.port) if config.metrics else None,
        rate=scale.rate,
        switching=Switching(DWELL_S / scale.rate, config.light.switch_ons_per_s * scale.rate, day_s=DAY_S / scale.rate),
        dusk=Dusk(config.light.on_lux, config.light.off_lux),
        buses=tuple(bus_entry(bus, config.devices_on(bus.id)) for bus in config.buses),
    )
    return Gateway(
        settings,
        [entry(device) for device in config.devices],
        {device.id: device.bus for device in config.devices},
        lambda sink: {bus.id: _driver(bus, config, clock, sink) for bus in config.buses},
        link or MqttLink(_broker(config)),
        clock,
        Reporter(config.devices, config.report),
    )


def entry(device: Device) -> DeviceEntry:
    """A device as the centre is told of it."""
    unit = device.address or (f"{device.unit}+{device.offset}" if device.offset else str(device.unit))
    return DeviceEntry(
        device=device.id,
        kind=device.profile.kind,
        profile=device.profile.name,
        address=f"{device.bus}/{unit}",
        capabilities=tuple(name for name in device.profile.capabilities if name in OFFERED),
        name=dict(device.name),
        latitude=device.latitude,
        longitude=device.longitude,
        view_only=device.profile.relay is not None,
    )


def bus_entry(bus: Bus, devices: Sequence[Device]) -> BusEntry:
    """A bus as the centre is told of it; it has a broadcast when whoever hears one takes levels by it."""
    registers = [device.profile.modbus for device in devices if device.profile.modbus]
    levels = [its.write.get(Point.LEVEL) for its in registers if not its.deaf]
    broadcast = bool(levels) and all(level is not None and level.broadcast for level in levels)
    return BusEntry(bus.id, bus.wire, bus.baud if isinstance(bus, SerialBus) else None, broadcast)


def _driver(bus: Bus, config: Config, clock: Clock, sink: Sink) -> Driver:
    devices = config.devices_on(bus.id)
    if isinstance(bus, FieldBroker):
        return MqttBus(bus, devices, clock, sink, random.Random())
    if isinstance(bus, TrackerServer):
        return TrackerBus(bus, devices, clock, terminal_secret(bus.secret_file, config.data))
    if isinstance(bus, RelayServer):
        secret = _text(bus.secret_file, "secret_file").encode()
        return RelayBus(bus, devices, clock, secret, config.data / "relay" / f"{bus.id}.json")
    return ModbusBus(bus, devices, clock, sink, random.Random())


def terminal_secret(file: Path | None, data: Path) -> bytes:
    """What the codes of terminals are made with; made once and kept in the data folder where no file is named."""
    if file is not None:
        return _text(file, "secret_file").encode()
    kept = data / TERMINAL_KEY
    if not kept.exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as made:
            made.write(secrets.token_hex(32))
    return _text(kept, "data").encode()


def _broker(config: Config) -> Broker:
    uplink = config.uplink
    password = _text(uplink.password_file, "uplink.password_file") if uplink.password_file else None
    tls = _tls(uplink.tls) if uplink.tls else None
    return Broker(uplink.host, uplink.port, config.gateway, password, tls, uplink.keepalive_s)


def _tls(files: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(files.ca))
        if files.certificate is not None:
            context.load_cert_chain(files.certificate, files.key)
    except (OSError, ssl.SSLError) as error:
        raise UnusableFileError(str(Problem(str(files.ca), "uplink.tls", str(error), "readable PEM files"))) from error
    return context


def _scale(path: Path | None) -> CivilScale:
    if path is None:
        return REAL_TIME
    try:
        return decode_scale(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UnusableFileError(str(Problem(str(path), "clock", str(error), "a clock file"))) from error


def _text(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableFileError(str(Problem(str(path), key, str(error), "a readable text file"))) from error
