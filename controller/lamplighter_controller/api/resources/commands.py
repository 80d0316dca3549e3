"""Commands: asked for, stored, sent, and followed until their effect was read back."""

import re
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lamplighter_contract.commands.command import RULES, Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.limits import MAX_OVERRIDE_MS, MAX_TEXT
from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.hub import Hub
from lamplighter_controller.api.problems import Problem, not_found, refused
from lamplighter_controller.api.resources.devices import DeviceId
from lamplighter_controller.api.selecting import Where, matching
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.api.sight import sight_of
from lamplighter_controller.commands.model import CommandRequest, Overview, Submitted
from lamplighter_controller.commands.model import Request as Taken
from lamplighter_controller.commands.rules import TRUCK_LIMITS
from lamplighter_controller.lighting.overrides.desk import NotNow
from lamplighter_controller.security.callers import Caller

router = APIRouter(tags=["commands"])

MAX_DEVICES: Final = 50_000
MAX_GATEWAYS: Final = 2_000
PARTS_SHOWN: Final = 2_000
LONGEST_S: Final = MAX_OVERRIDE_MS // 1000
ON_FLEET: Final = TRUCK_LIMITS | {Operation.TRUCK_RELEASE}
EXPIRES_S: Final = 60.0

RequestId = Annotated[str, Path(min_length=1, max_length=64, examples=["01980000-0000-7000-8000-000000000000"])]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        description="Your own name for this request: asking again with it does nothing again",
    ),
]
Reason500 = Annotated[
    str,
    Field(
        min_length=1, max_length=MAX_TEXT, description="Why; it stands in the audit trail", examples=["WO-0007 test"]
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=64)]
Expires = Annotated[float, Field(gt=0, le=86_400, description="Real seconds in which a gateway may still accept it")]


class CommandIn(BaseModel):
    """What is asked for. Exactly one of `devices`, `where`, `gateways`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "op": "light.set",
                    "devices": ["lamp-01-017"],
                    "args": {"level_percent": 60, "until": 1763650000000},
                    "reason": "WO-0007 test",
                },
                {"op": "light.resume", "where": {"gateway": "gw-1", "prefix": "lamp-01-"}, "reason": "event is over"},
            ]
        },
    )

    op: Operation
    devices: list[Text] | None = Field(default=None, min_length=1, max_length=MAX_DEVICES)
    where: Where | None = Field(default=None, description="Resolved to devices when the request is taken")
    gateways: list[Text] | None = Field(default=None, min_length=1, max_length=MAX_GATEWAYS)
    args: dict[str, Any] = Field(default_factory=dict, max_length=8, description="As the operation says; times in ms")
    reason: Reason500
    approvals: list[Text] = Field(default_factory=list, max_length=16, description="Empty: nobody can approve yet")
    expires_s: Expires = EXPIRES_S

    @field_validator("approvals")
    @classmethod
    def _none_yet(cls, approvals: list[str]) -> list[str]:
        if approvals:  # they would be signed and audited as if these people had approved
            raise ValueError("an approval cannot be claimed by the one who asks; leave this empty")
        return approvals

    @model_validator(mode="after")
    def _one_target(self) -> "CommandIn":
        if sum(target is not None for target in (self.devices, self.where, self.gateways)) != 1:
            raise ValueError("give exactly one of devices, where, gateways")
        return self


class LevelIn(BaseModel):
    """A level for one lamp."""

    model_config = ConfigDict(extra="forbid")

    level_percent: float = Field(ge=0, le=100, examples=[60])
    for_s: float = Field(default=7200, ge=1, le=LONGEST_S, description="Civil seconds until it goes back to automatic")
    reason: Reason500


class Part(BaseModel):
    """One device's part."""

    device: str
    gateway: str
    state: CommandState
    reason: str


class Order(BaseModel):
    """One command to one gateway."""

    id: str
    gateway: str
    seq: int
    state: CommandState
    reason: str


class Step(BaseModel):
    """When a state was seen, real epoch ms."""

    state: CommandState
    time_ms: int


class Summary(BaseModel):
    """A request and where it stands; `unconfirmed` never means that it did not happen."""

    request: str
    op: Operation
    args: dict[str, Any]
    by: str
    reason: str
    created_ms: int = Field(description="Real epoch ms")
    expires_ms: int
    state: CommandState
    total: int = Field(description="Devices, or gateways for operations on gateways")
    device: str | None = Field(description="The device of a request for just one")
    states: dict[CommandState, int] = Field(description="How many of them are in which state")


class Full(Summary):
    """A request with its parts."""

    repeated: bool = Field(description="True when it had been taken before under the same key")
    steps: list[Step] = Field(description="When the whole request reached a state, as far as this start saw it")
    commands: list[Order]
    devices: list[Part] = Field(description=f"The first {PARTS_SHOWN}, those with trouble first")


class Recent(BaseModel):
    """The newest requests first."""

    items: list[Summary]
    next_before: str | None = Field(description="Ask with before=… for older ones")


@router.post("/commands", status_code=202, summary="Command one, many, or all that match")
async def command(
    request: Request, response: Response, services: Provided, caller: Commander, wanted: CommandIn, key: Key = None
) -> Full:
    """Stored before it is sent; follow it at the address in `Location`."""
    asked = CommandRequest(
        op=wanted.op,
        devices=_devices(request, services, caller, wanted),
        args=wanted.args,
        reason=wanted.reason,
        approvals=tuple(wanted.approvals),
        expires_s=wanted.expires_s,
        key=key,
        gateways=tuple(wanted.gateways or ()),
    )
    return await _submit(request, response, asked, caller)


@router.post("/devices/{device}/level", status_code=202, summary="Set one lamp's level for some time")
async def level(
    request: Request,
    response: Response,
    services: Provided,
    caller: Commander,
    device: DeviceId,
    wanted: LevelIn,
    key: Key = None,
) -> Full:
    """Short for a `light.set` command."""
    until = services.clock.civil_ms() + round(wanted.for_s * 1000)
    args = {"level_percent": wanted.level_percent, "until": until}
    asked = CommandRequest(Operation.LIGHT_SET, (device,), args, wanted.reason, key=key, expires_s=EXPIRES_S)
    return await _submit(request, response, asked, caller)


@router.get("/commands", summary="The newest requests")
async def commands(
    services: Provided,
    _: Reader,
    device: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[str | None, Query(max_length=64, description="A request; older ones are returned")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Recent:
    """Of one device, or all."""
    found = await services.commands.recent(device=device, before=before, limit=limit)
    items = [_summary(overview) for overview in found]
    return Recent(items=items, next_before=items[-1].request if len(items) == limit else None)


@router.get("/commands/{request_id}", summary="One request and the state of each of its devices")
async def one(request: Request, services: Provided, _: Reader, request_id: RequestId) -> Full:
    """States go created, sent, accepted, applied, verified, or end otherwise with a reason."""
    found = await services.commands.request(request_id)
    if found is None:
        raise not_found("request", request_id)
    return _full(request, found)


def _within(services: Services, caller: Caller, asked: CommandRequest) -> None:
    """Refuse what is outside the caller's areas."""
    scope, twin = caller.scope, services.twin
    outside = [device for device in asked.devices if not scope.has_gateway(twin.gateway_of(device))]
    outside += [gateway for gateway in asked.gateways if not scope.has_gateway(gateway)]
    if outside:
        detail = f"{outside[0]!r} is outside the areas that were granted to {caller.name!r}."
        raise Problem(HTTPStatus.FORBIDDEN, "outside", detail)


def _devices(request: Request, services: Services, caller: Caller, wanted: CommandIn) -> tuple[str, ...]:
    if wanted.where is None:
        return tuple(wanted.devices or ())
    hub: Hub = request.app.state.hub
    kinds = RULES[wanted.op].kinds
    where = wanted.where
    if where.kind is not None and where.kind not in kinds:
        raise refused("body.where.kind", "operation", f"{wanted.op} does not act on a {where.kind}.")
    asked = [where] if where.kind else [where.model_copy(update={"kind": kind}) for kind in sorted(kinds)]
    found = tuple(
        device for one_kind in asked for device, _ in matching(services, hub, one_kind, sight_of(services, caller))
    )
    if not found:
        raise refused("body.where", "nothing-matches", "No device matches.")
    return found


async def _submit(request: Request, response: Response, asked: CommandRequest, caller: Caller) -> Full:
    services: Services = request.app.state.services
    _within(services, caller, asked)
    if asked.op is Operation.GATEWAY_UPDATE:
        raise refused("body.op", "operation", f"{asked.op} is asked for at /rollouts, where it goes in waves.")
    if asked.op in ON_FLEET:
        raise refused("body.op", "operation", f"{asked.op} is asked for at /fleet/limits, where it is judged first.")
    try:
        taken = await services.overrides.submit(asked, caller.who)
    except NotNow as error:
        raise Problem(HTTPStatus.CONFLICT, "needs-approval", str(error)) from error
    if isinstance(taken, Refusal):
        raise _problem(taken)
    response.headers["Location"] = f"/api/v1/commands/{taken.request.id}"
    return _full(request, taken)


_STATUS: Final[Mapping[Reason, HTTPStatus]] = {
    Reason.REPLAYED: HTTPStatus.CONFLICT,
    Reason.EPOCH: HTTPStatus.CONFLICT,
    Reason.UNKNOWN_GATEWAY: HTTPStatus.CONFLICT,
}
_FIELD: Final[Mapping[Reason, str]] = {
    Reason.UNKNOWN_DEVICE: "body.devices",
    Reason.OPERATION: "body.op",
    Reason.ARGUMENT: "body.args",
    Reason.TOO_LONG: "body.expires_s",
    Reason.REPLAYED: "header.Idempotency-Key",
    Reason.UNKNOWN_GATEWAY: "body.gateways",
}


_ARGUMENT: Final = re.compile(r"(?:[a-z._]+ needs )?([a-z_]+)(?: is |$)")  # as the contract speaks of one argument


def _problem(refusal: Refusal) -> Problem:
    status = _STATUS.get(refusal.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
    field = _FIELD.get(refusal.reason, "body")
    if refusal.reason is Reason.ARGUMENT and (named := _ARGUMENT.match(refusal.detail)):
        field += f".{named[1]}"
    return Problem(status, refusal.reason, refusal.detail, field=field)


def _head(taken: Taken, state: CommandState, states: Mapping[CommandState, int], device: str | None) -> dict[str, Any]:
    return {
        "request": taken.id,
        "op": taken.op,
        "args": dict(taken.args),
        "by": taken.who,
        "reason": taken.reason,
        "created_ms": taken.issued_ms,
        "expires_ms": taken.expires_ms,
        "state": state,
        "total": sum(states.values()),
        "device": device,
        "states": dict(states),
    }


def _summary(overview: Overview) -> Summary:
    return Summary(**_head(overview.request, overview.state, overview.parts, overview.device))


def _full(request: Request, found: Submitted) -> Full:
    hub: Hub = request.app.state.hub
    parts = [
        Part(device=part.device, gateway=order.gateway, state=part.state, reason=part.reason)
        for order in found.orders
        for part in order.parts.values()
    ]
    states = Counter(part.state for part in parts) or Counter(order.state for order in found.orders)
    parts.sort(key=lambda part: part.state is CommandState.VERIFIED)
    return Full(
        **_head(found.request, found.state, states, parts[0].device if len(parts) == 1 else None),
        repeated=found.repeated,
        steps=[Step(state=state, time_ms=time_ms) for state, time_ms in hub.steps_of(found.request.id).items()],
        commands=[
            Order(id=order.id, gateway=order.gateway, seq=order.seq, state=order.state, reason=order.reason)
            for order in found.orders
        ],
        devices=parts[:PARTS_SHOWN],
    )
