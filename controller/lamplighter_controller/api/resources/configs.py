"""What the centre has a gateway serve: buses, devices, profiles; only where the gateway's own file lets it rule."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.config import ConfigDocument
from lamplighter_controller.api.guard import Admin, Reader
from lamplighter_controller.api.problems import not_found, refused
from lamplighter_controller.api.resources.gateways import GatewayId
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.rollout.configs import ConfigKeeper

router = APIRouter(prefix="/gateways/{gateway}/config", tags=["gateways"])


class ConfigIn(BaseModel):
    """The parts of a gateway's file that the centre says; the gateway judges them as a whole, as it does its file."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500, examples=["a new street"])
    buses: list[dict[str, Any]] = Field(
        max_length=1_000, examples=[[{"id": "cab-01", "wire": "modbus-tcp", "host": "10.0.0.2", "port": 502}]]
    )
    devices: list[dict[str, Any]] = Field(
        max_length=10_000, examples=[[{"id": "lamp-01-001", "bus": "cab-01", "profile": "lamp-single", "unit": 1}]]
    )
    profiles: dict[str, dict[str, Any]] = Field(default_factory=dict, max_length=200)
    report: dict[str, Any] | None = None
    light: dict[str, Any] | None = None
    trucks: dict[str, Any] | None = None


class ConfigOut(BaseModel):
    """What a gateway was given last; its birth says what it follows."""

    gateway: str
    version: int
    in_force: int = Field(description="What its last birth said it follows")
    source: str = Field(description="local: its own file rules, and this is refused; central")
    document: dict[str, Any]


@router.put("", summary="Give a gateway another configuration")
async def give_config(services: Provided, caller: Admin, gateway: GatewayId, wanted: ConfigIn) -> ConfigOut:
    """Tried bus by bus; taken back by the gateway when no bus or uplink answers, and refused with every mistake."""
    parts = wanted.model_dump(exclude={"reason"})
    given = await _keeper(services).give(ConfigDocument(gateway, 1, **parts), who=caller.who, reason=wanted.reason)
    if isinstance(given, Refusal):
        raise refused("body", given.reason, given.detail)
    return _shown(services, given)


@router.get("", summary="What a gateway was given last")
async def given_config(services: Provided, _: Reader, gateway: GatewayId) -> ConfigOut:
    """As it was given, and what the gateway follows."""
    found = await _keeper(services).given(gateway)
    if found is None:
        raise not_found("configuration", gateway)
    return _shown(services, found)


def _keeper(services: Services) -> ConfigKeeper:
    if services.configs is None:
        raise not_found("room", "configs")
    return services.configs


def _shown(services: Services, its: ConfigDocument) -> ConfigOut:
    state = services.gateways.report(its.gateway).state
    return ConfigOut(
        gateway=its.gateway,
        version=its.version,
        in_force=state.config_version if state else 0,
        source=state.config_source if state else "",
        document=its.as_json(),
    )
