"""The `buses` part of the configuration."""

from pathlib import Path

from lamplighter_gateway.config.model import (
    Bus,
    FieldBroker,
    Parity,
    RelayServer,
    SerialBus,
    TcpBus,
    Tls,
    TrackerServer,
    Wire,
)
from lamplighter_gateway.config.section import Section


def read_buses(section: Section) -> tuple[Bus, ...]:
    """Every bus; what is wrong is noted."""
    buses: list[Bus] = []
    seen: set[str] = set()
    for item in section.sections("buses", 1000):
        bus = _read_bus(item)
        if bus.id in seen:
            item.wrong("id", "an id that no other bus has")
        seen.add(bus.id)
        buses.append(bus)
    _check_endpoints(section, buses)
    return tuple(buses)


def _read_bus(section: Section) -> Bus:
    name = section.identity("id")
    wire = section.word("wire", Wire)
    bus: Bus
    if wire is Wire.MODBUS_TCP:
        timeout_s = section.number("timeout_s", 0.02, 30, 0.5)
        host, port = section.text("host"), section.integer("port", 1, 65535, 502)
        bus = TcpBus(name, host, port, timeout_s, section.integer("window", 1, 32, 1))
    elif wire is Wire.MODBUS_RTU:
        bus = _read_serial(name, section)
    elif wire is Wire.JT808:
        secret = read_path(section, "secret_file")
        bus = TrackerServer(name, section.text("host", "0.0.0.0"), section.integer("port", 0, 65535, 7611), secret)  # noqa: S104 - terminals call from anywhere
    elif wire is Wire.RELAY:
        bus = _read_relay(name, section)
    else:
        user = section.text("user") if section.has("user") else None
        host, port = section.text("host"), section.integer("port", 1, 65535, 1883)
        bus = FieldBroker(name, host, port, user, read_path(section, "password_file"), read_tls(section))
    section.close()
    return bus


def _read_serial(name: str, section: Section) -> SerialBus:
    return SerialBus(
        name,
        section.text("device"),
        section.integer("baud", 300, 4_000_000, 9600),
        section.word("parity", Parity, Parity.NONE),
        section.integer("stop_bits", 1, 2, 1),
        section.number("timeout_s", 0.01, 30, 0.3),
    )


def _read_relay(name: str, section: Section) -> RelayServer:
    if not section.has("secret_file"):
        section.wrong("secret_file", "the file with the secret that the other platform signs with")
    if section.has("certificate") != section.has("key"):
        section.wrong("key", "certificate and key together, or neither")
    return RelayServer(
        name,
        section.text("host", "127.0.0.1"),
        section.integer("port", 0, 65535, 7612),
        read_path(section, "secret_file") or Path(),
        read_path(section, "certificate"),
        read_path(section, "key"),
    )


def beside(section: Section, key: str) -> Path:
    """A path; a relative one is meant from the configuration file's folder, wherever the program was started."""
    return Path(section.file).parent / section.text(key)


def read_path(section: Section, key: str) -> Path | None:
    """A path to a file that is there, or None if the key is absent."""
    if not section.has(key):
        return None
    path = beside(section, key)
    if section.raw(key) and not path.is_file():
        section.wrong(key, "a file that is there")
    return path


def read_tls(section: Section) -> Tls | None:
    """The `tls` part, or None if absent."""
    if not section.has("tls"):
        return None
    tls = section.section("tls")
    if not tls.has("ca"):
        tls.wrong("ca", "the file of the certificate authority that signed the broker")
    if tls.has("certificate") != tls.has("key"):
        tls.wrong("key", "certificate and key together, or neither")
    result = Tls(read_path(tls, "ca") or Path(), read_path(tls, "certificate"), read_path(tls, "key"))
    tls.close()
    return result


def _check_endpoints(section: Section, buses: list[Bus]) -> None:
    seen: dict[object, str] = {}
    for index, bus in enumerate(buses):
        place = bus.device if isinstance(bus, SerialBus) else (bus.host, bus.port)
        if place in seen and bus.wire is not Wire.MQTT:
            Section(section.file, f"buses[{index}]", {"id": bus.id}, section.problems).wrong(
                "id", f"an endpoint that bus {seen[place]} does not use"
            )
        seen[place] = bus.id
