"""The `relay` part of a profile: what another platform calls the quantities of its trucks."""

from lamplighter_contract.quantities import Kind
from lamplighter_gateway.config.section import Section
from lamplighter_gateway.profiles.model import RelayMap
from lamplighter_gateway.profiles.mqtt import read_json_fields


def read_relay_map(section: Section, kind: Kind) -> RelayMap:
    """Decode the part; what is wrong is noted in the section."""
    if kind is not Kind.TRUCK:
        section.wrong("read", "the part relay in profiles of trucks only")
    fields = read_json_fields(section, kind)
    if not {"latitude", "longitude"} <= {field.quantity.name for field in fields}:
        section.wrong("read", "latitude and longitude among them")
    found = RelayMap(
        section.number("heartbeat_s", 1, 86_400, 180),
        section.text("time_field"),
        fields,
        section.integer("time_scale", 1, 1000, 1),
    )
    section.close()
    return found
