"""Choosing devices by what they are and how they are."""

from typing import Annotated, Final, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.ids import ID_PATTERN
from lamplighter_contract.quantities import Kind
from lamplighter_controller.api.condition import WORDS, Condition
from lamplighter_controller.api.hub import Hub
from lamplighter_controller.api.services import Services
from lamplighter_controller.api.sight import Sight

Prefix = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", examples=["lamp-01-"])]
GatewayId = Annotated[str, Field(pattern=f"^{ID_PATTERN.pattern}$", examples=["gw-1"])]
StateWord = Literal["unknown", "off", "on", "fault"]


class Where(BaseModel):
    """A filter over devices; everything given must hold."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind | None = None
    gateway: GatewayId | None = Field(default=None, description="The gateway that serves them")
    prefix: Prefix | None = Field(default=None, description="How their ids begin; those of one cabinet begin alike")
    state: StateWord | None = None
    text: str | None = Field(default=None, max_length=64, description="A part of their id, or of their name")


def matching(services: Services, hub: Hub, where: Where, sight: Sight) -> list[tuple[str, str]]:
    """Ids of the devices in sight that match, with the word for their condition; by kind, then id."""
    kinds = [where.kind] if where.kind else list(Kind)
    return [
        found
        for kind in kinds
        if sight.sees_kind(kind)
        for found in sorted(_of_kind(services, hub, kind, where))
        if kind is not Kind.TRUCK or sight.sees(kind, found[0])
    ]


def _of_kind(services: Services, hub: Hub, kind: Kind, where: Where) -> list[tuple[str, str]]:
    columns = services.twin.snapshot(kind)
    conditions = hub.conditions(columns)
    wanted = conditions != Condition.GONE
    if where.state:
        wanted &= conditions == WORDS.index(where.state)
    if where.gateway:
        gateways = list(columns.gateways)
        wanted &= columns.gateway == (gateways.index(where.gateway) if where.gateway in gateways else UNKNOWN_GATEWAY)
    text = (where.text or "").strip().lower()
    return [
        (device, WORDS[conditions[row]])
        for row, device in enumerate(columns.ids)
        if wanted[row] and device.startswith(where.prefix or "") and _says(services, device, text)
    ]


def _says(services: Services, device: str, text: str) -> bool:
    if text in device:
        return True
    entry = services.twin.entry(device)
    return entry is not None and any(text in name.lower() for name in entry.name.values())


UNKNOWN_GATEWAY: Final = -2


def _where(
    kind: Annotated[Kind | None, Query()] = None,
    gateway: Annotated[GatewayId | None, Query(description="The gateway that serves them")] = None,
    prefix: Annotated[Prefix | None, Query(description="How their ids begin")] = None,
    state: Annotated[StateWord | None, Query()] = None,
    text: Annotated[str | None, Query(max_length=64, description="A part of their id, or of their name")] = None,
) -> Where:
    return Where(kind=kind, gateway=gateway, prefix=prefix, state=state, text=text)


WhereQuery = Annotated[Where, Depends(_where)]
