"""The installer's tools put into a gateway."""

from lamplighter_gateway.app import Gateway
from lamplighter_gateway.commissioning.walk.desk import WalkDesk
from lamplighter_gateway.commissioning.walk.field import Field
from lamplighter_gateway.commissioning.walk.journal import RecordFile
from lamplighter_gateway.config.model import Config


def equip(gateway: Gateway, config: Config) -> None:
    """Let a gateway that does not run yet serve commissioning."""
    field = Field(gateway.registry, gateway.actuator, gateway.journal, gateway.clock)
    desk = WalkDesk(config.gateway, field, RecordFile(config.data), gateway.events, gateway.clock)
    gateway.services["commissioning"] = desk.run
    gateway.requests["commission"] = desk.handle
