"""What gateways log in with at the broker: given by a person, or fetched by the box itself with a code good once."""

import os
from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.commands.signing import encode_key
from lamplighter_contract.errors import Refusal
from lamplighter_contract.ids import ID_PATTERN
from lamplighter_controller.api.guard import Admin, Anyone
from lamplighter_controller.api.problems import Problem, not_found
from lamplighter_controller.api.resources.gateways import GatewayId, ReasonIn
from lamplighter_controller.api.services import Provided
from lamplighter_controller.security import credentials

router = APIRouter(tags=["gateways"])


class CredentialIn(ReasonIn):
    """Which of the two."""

    code: bool = Field(default=False, description="A code that the box exchanges for its password, within a day")


class SecretOut(BaseModel):
    """A password, or a code."""

    gateway: str
    secret: str = Field(description="Kept nowhere: this is the only time it is seen")


class ClaimIn(BaseModel):
    """A box says which gateway it is to be, and its code."""

    model_config = ConfigDict(extra="forbid")

    gateway: str = Field(pattern=f"^{ID_PATTERN.pattern}$", examples=["gw-1"])
    code: str = Field(min_length=1, max_length=64, examples=["mfrggzdfmztwq2lk"])


class Claimed(BaseModel):
    """All a box needs to speak to the centre."""

    gateway: str
    controller: str
    user: str = Field(description="At the broker")
    password: str = Field(description="Kept nowhere: this is the only time it is seen")
    root_public: str = Field(description="The root's public key: what commands are checked against in the end")


@router.post("/gateways/{gateway}/credential", summary="Give a gateway a new password at the broker")
async def give(services: Provided, caller: Admin, gateway: GatewayId, wanted: CredentialIn) -> SecretOut:
    """The one before ends, and with it the connection that uses it; a code ends nothing until it is used."""
    make = credentials.offer if wanted.code else credentials.issue
    made = await services.ledger.write(
        lambda ledger: make(
            ledger,
            gateway,
            who=caller.who,
            reason=wanted.reason,
            time_ms=services.clock.wall_ms(),
            random=os.urandom,
        )
    )
    if isinstance(made, Refusal):
        raise not_found("gateway", gateway)
    await services.actions.enrolment_changed()
    return SecretOut(gateway=gateway, secret=made)


@router.post("/enrolment", summary="Exchange a one-time code for a gateway's password")
async def claim(services: Provided, _: Anyone, wanted: ClaimIn) -> Claimed:
    """By the box itself; the code is good once, within a day."""
    password = await services.ledger.write(
        lambda ledger: credentials.claim(
            ledger, wanted.gateway, wanted.code, time_ms=services.clock.wall_ms(), random=os.urandom
        )
    )
    if password is None:
        raise Problem(HTTPStatus.FORBIDDEN, "no-code", "There is no such code, or it was used, or its day is over.")
    await services.actions.enrolment_changed()
    return Claimed(
        gateway=wanted.gateway,
        controller=services.controller,
        user=wanted.gateway,
        password=password,
        root_public=encode_key(services.keys.root_public),
    )
