"""API tokens: made, listed, ended. A token's text is shown once."""

import os
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import ID_PATTERN
from lamplighter_controller.api.guard import Admin
from lamplighter_controller.api.problems import Problem, not_found, refused
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided
from lamplighter_controller.security import tokens
from lamplighter_controller.security.rights import Right, Scope

router = APIRouter(prefix="/tokens", tags=["tokens"])

TokenName = Annotated[str, Path(pattern=f"^{ID_PATTERN.pattern}$", examples=["wall-screen"])]


Name = Annotated[str, Field(pattern=f"^{ID_PATTERN.pattern}$")]


class TokenIn(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=f"^{ID_PATTERN.pattern}$", examples=["wall-screen"])
    rights: set[Right] = Field(min_length=1, examples=[["read"]])
    reason: str = Field(min_length=1, max_length=500, examples=["screen in the control room"])
    expires_ms: int | None = Field(default=None, ge=0, lt=2**53, description="Real epoch ms; absent = until revoked")
    companies: list[Name] | None = Field(default=None, min_length=1, max_length=200, description="Only their trucks")
    areas: list[Name] | None = Field(default=None, min_length=1, max_length=2_000, description="Only these gateways")


class TokenOut(BaseModel):
    """A token as it may be shown."""

    name: str
    rights: list[Right]
    created_ms: int
    created_by: str
    revoked_ms: int | None
    expires_ms: int | None = None
    companies: list[str] | None = None
    areas: list[str] | None = None


class TokenMade(BaseModel):
    """A new token."""

    name: str
    token: str = Field(description="Kept nowhere: this is the only time it is seen")


class TokenList(BaseModel):
    """All tokens ever made, oldest first."""

    items: list[TokenOut]


@router.get("", summary="All tokens, without their secrets")
async def every(services: Provided, _: Admin) -> TokenList:
    """Revoked ones too."""
    found = await services.ledger.read(tokens.every)
    return TokenList(
        items=[
            TokenOut(
                name=token.name,
                rights=sorted(token.rights),
                created_ms=token.created_ms,
                created_by=token.created_by,
                revoked_ms=token.revoked_ms,
                expires_ms=token.expires_ms,
                companies=_list(token.scope.companies),
                areas=_list(token.scope.areas),
            )
            for token in found
        ]
    )


@router.post("", status_code=201, summary="Make a token")
async def create(services: Provided, caller: Admin, wanted: TokenIn) -> TokenMade:
    """Nobody can give rights that they have not themselves."""
    lacking = {right for right in wanted.rights if not caller.allows(right)}
    if lacking:
        raise refused("body.rights", "not-yours", f"Your own token lacks {', '.join(sorted(lacking))}.")
    if wanted.companies is not None and wanted.areas is not None:
        raise refused("body.areas", "impossible", "A token is of companies or of areas, not both.")
    made = await services.ledger.write(
        lambda ledger: tokens.create(
            ledger,
            wanted.name,
            wanted.rights,
            who=caller.who,
            reason=wanted.reason,
            time_ms=services.clock.wall_ms(),
            random=os.urandom,
            expires_ms=wanted.expires_ms,
            scope=Scope(_set(wanted.companies), _set(wanted.areas)),
        )
    )
    if isinstance(made, Refusal):
        status = HTTPStatus.CONFLICT if made.reason is Reason.REPLAYED else HTTPStatus.UNPROCESSABLE_ENTITY
        raise Problem(status, made.reason, made.detail, field="body.name")
    return TokenMade(name=wanted.name, token=made)


@router.delete("/{name}", status_code=204, summary="End a token")
async def revoke(services: Provided, caller: Admin, name: TokenName, why: ReasonIn) -> None:
    """At once; sessions and live connections that stand on it end within seconds."""
    ended = await services.ledger.write(
        lambda ledger: tokens.revoke(ledger, name, who=caller.who, reason=why.reason, time_ms=services.clock.wall_ms())
    )
    if not ended:
        raise not_found("token", name)


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


def _list(values: frozenset[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)
