"""The installer's tools put into a gateway."""

from lamplighter_gateway.app import Gateway
from lamplighter_gateway.commissioning.page.service import Page
from lamplighter_gateway.commissioning.walk.desk import WalkDesk
from lamplighter_gateway.commissioning.walk.field import Field
from lamplighter_gateway.commissioning.walk.journal import RecordFile
from lamplighter_gateway.config.model import Config


def equip(gateway: Gateway, config: Config) -> Page | None:
    """Let a gateway that does not run yet serve commissioning, and its local page where it is to have one."""
    field = Field(gateway.registry, gateway.actuator, gateway.journal, gateway.clock)
    desk = WalkDesk(config.gateway, field, RecordFile(config.data), gateway.events, gateway.clock)
    gateway.services["commissioning"] = desk.run
    gateway.requests["commission"] = desk.handle
    gateway.shown["commissioning"] = desk.about
    if config.page is None:
        return None
    page = Page(
        config.gateway,
        config.page,
        config.data,
        gateway.registry,
        gateway.actuator,
        lambda: gateway.journal.holds,
        desk,
        gateway.local.handle,
        gateway.clock,
    )
    gateway.services["page"] = page.run
    gateway.requests["page"] = page.about
    return page
