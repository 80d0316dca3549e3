"""Updates of gateways: one first, then a share, then all; they stop by themselves when one does not fare well."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Refusal
from lamplighter_contract.ids import ID_PATTERN
from lamplighter_contract.wire.files import file_name
from lamplighter_controller.api.guard import Admin, Reader
from lamplighter_controller.api.problems import not_found, refused
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.rollout.engine import RolloutKeeper, Wish
from lamplighter_controller.rollout.rules import MOST_GATEWAYS, Rollout, State

router = APIRouter(prefix="/rollouts", tags=["gateways"])

RolloutId = Annotated[str, Path(pattern=f"^{ID_PATTERN.pattern}$", examples=["0199c0de-0000-7000-8000-000000000000"])]


class RolloutIn(BaseModel):
    """Which bundle goes to whom, and how carefully."""

    model_config = ConfigDict(extra="forbid")

    bundle: str = Field(
        description="As `lamplighter-controller bundle` prints it: <sha256>:<bytes>",
        max_length=80,
        examples=[f"{'9f' * 32}:8038400"],
    )
    gateways: list[str] = Field(
        min_length=1, max_length=MOST_GATEWAYS, description="In this order; canaries first", examples=[["gw-1"]]
    )
    canaries: int = Field(default=1, ge=1, le=100, description="How many go first; a failure of one stops everything")
    share_percent: float = Field(default=10, ge=0, le=100, description="How many of all go next, canaries included")
    tolerated_percent: float = Field(default=5, ge=0, le=50, description="Of those that ended; more failures stop it")
    reason: str = Field(min_length=1, max_length=500, examples=["fixes the photocell"])


class GatewayOut(BaseModel):
    """What became of one gateway."""

    gateway: str
    request: str = Field(description="Of the command gateway.update")
    state: CommandState
    why: str


class RolloutOut(BaseModel):
    """A rollout; gateways that were not asked yet are `waiting`."""

    id: str
    bundle: str
    state: State
    why: str
    by: str
    reason: str
    begun_ms: int = Field(description="Real epoch ms")
    sent: list[GatewayOut]
    waiting: list[str]


@router.post("", status_code=202, summary="Update gateways in waves")
async def begin_rollout(services: Provided, caller: Admin, wanted: RolloutIn) -> RolloutOut:
    """One that does not report healthy in time goes back by itself, and the rollout stops."""
    name = file_name(wanted.bundle)
    if name is None:
        raise refused("body.bundle", "argument", "expected <sha256>:<bytes>")
    wish = Wish(name, wanted.gateways, wanted.canaries, wanted.share_percent, wanted.tolerated_percent, wanted.reason)
    begun = await _keeper(services).begin(wish, caller.who)
    if isinstance(begun, Refusal):
        raise refused("body", begun.reason, begun.detail)
    return _shown(begun)


@router.get("", summary="The newest rollouts first")
async def rollouts(services: Provided, _: Reader) -> list[RolloutOut]:
    """At most a hundred."""
    return [_shown(one) for one in await _keeper(services).every()]


@router.post("/{rollout}/stop", summary="Go no further")
async def stop_rollout(services: Provided, caller: Admin, rollout: RolloutId, why: ReasonIn) -> RolloutOut:
    """What is underway at a gateway comes to its own end."""
    stopped = await _keeper(services).stop(rollout, caller.who, why.reason)
    if stopped is None:
        raise not_found("rollout", rollout)
    return _shown(stopped)


def _keeper(services: Services) -> RolloutKeeper:
    if services.rollouts is None:
        raise not_found("room", "rollouts")
    return services.rollouts


def _shown(its: Rollout) -> RolloutOut:
    sent = [
        GatewayOut(gateway=name, request=one.request, state=one.state, why=one.why) for name, one in its.sent.items()
    ]
    waiting = [name for name in its.gateways if name not in its.sent]
    return RolloutOut(
        id=its.id,
        bundle=its.bundle,
        state=its.state,
        why=its.why,
        by=its.who,
        reason=its.reason,
        begun_ms=its.begun_ms,
        sent=sent,
        waiting=waiting,
    )
