"""Accounts of people: made, given roles, reset, ended. A first password is shown once."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.ids import ID_PATTERN
from lamplighter_controller.api.guard import Admin
from lamplighter_controller.api.problems import Problem, not_found, refused
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.resources.session import Desk
from lamplighter_controller.security.accounts import account as rules
from lamplighter_controller.security.accounts.account import MOST_GRANTS, Account
from lamplighter_controller.security.accounts.desk import AccountDesk
from lamplighter_controller.security.callers import Caller
from lamplighter_controller.security.rights import Grant, Role, Scope

router = APIRouter(prefix="/accounts", tags=["accounts"])

AccountName = Annotated[str, Path(pattern=f"^{ID_PATTERN.pattern}$", examples=["wang"])]
Id = Annotated[str, Field(pattern=f"^{ID_PATTERN.pattern}$")]


class GrantIO(BaseModel):
    """A role, and where it holds; without companies and areas, in the whole city."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    companies: list[Id] | None = Field(default=None, max_length=200, description="Whose trucks")
    areas: list[Id] | None = Field(default=None, max_length=2_000, description="Gateways whose lamps it may move")


class AccountIn(ReasonIn):
    """An account to be made."""

    name: str = Field(pattern=f"^{ID_PATTERN.pattern}$", examples=["wang"])
    grants: list[GrantIO] = Field(min_length=1, max_length=MOST_GRANTS, examples=[[{"role": "viewer"}]])


class GrantsIn(ReasonIn):
    """Other roles."""

    grants: list[GrantIO] = Field(min_length=1, max_length=MOST_GRANTS, examples=[[{"role": "viewer"}]])


class AccountOut(BaseModel):
    """An account as it may be shown."""

    name: str
    grants: list[GrantIO]
    has_code: bool = Field(description="Its logins take a one-time code")
    needs_code: bool = Field(description="One of its roles can switch or limit")
    must_change: bool = Field(description="It still has the first password")
    created_ms: int
    created_by: str
    disabled_ms: int | None


class AccountList(BaseModel):
    """All accounts ever made, by name."""

    items: list[AccountOut]


class FirstPassword(BaseModel):
    """What a person logs in with the first time."""

    name: str
    password: str = Field(description="Kept nowhere: this is the only time it is seen; it has to be changed at once")


@router.get("", summary="All accounts, without their secrets")
async def every(desk: Desk, _: Admin) -> AccountList:
    """Disabled ones too."""
    return AccountList(items=[_shown(account) for account in await desk.every()])


@router.post("", status_code=201, summary="Make an account")
async def create(desk: Desk, caller: Admin, wanted: AccountIn) -> FirstPassword:
    """A name is never used again, for the audit trail names people by it."""
    password = await desk.create(wanted.name, _grants(wanted.grants), caller.who, wanted.reason)
    if password is None:
        detail = f"There is, or was, an account {wanted.name!r}; choose another name."
        raise Problem(HTTPStatus.CONFLICT, "taken", detail, field="body.name")
    return FirstPassword(name=wanted.name, password=password)


@router.put("/{account}/grants", summary="Give an account other roles")
async def grant(desk: Desk, caller: Admin, account: AccountName, wanted: GrantsIn) -> AccountOut:
    """At once, in its open sessions too. Nobody changes their own."""
    found = await _other(desk, account, caller)
    await desk.grant(found, _grants(wanted.grants), caller.who, wanted.reason)
    return _shown(await _known(desk, account))


@router.post("/{account}/reset", summary="Give an account a new first password")
async def reset(desk: Desk, caller: Admin, account: AccountName, why: ReasonIn) -> FirstPassword:
    """Its authenticator is forgotten and its sessions end."""
    found = await _other(desk, account, caller)
    return FirstPassword(name=account, password=await desk.reset(found, caller.who, why.reason))


@router.delete("/{account}", status_code=204, summary="End an account")
async def disable(desk: Desk, caller: Admin, account: AccountName, why: ReasonIn) -> None:
    """At once: sessions and live connections end within seconds."""
    await desk.disable(await _other(desk, account, caller), caller.who, why.reason)


async def _known(desk: AccountDesk, name: str) -> Account:
    found = await desk.find(name)
    if found is None or found.disabled_ms is not None:
        raise not_found("account", name)
    return found


async def _other(desk: AccountDesk, name: str, caller: Caller) -> Account:
    found = await _known(desk, name)
    if found.id == caller.account:
        raise Problem(HTTPStatus.CONFLICT, "own-account", "Nobody changes what they may do themselves.")
    return found


def _grants(wanted: list[GrantIO]) -> list[Grant]:
    grants = [Grant(one.role, Scope(_set(one.companies), _set(one.areas))) for one in wanted]
    wrong = rules.mistakes(grants)
    if wrong:
        raise refused("body.grants", "impossible", "; ".join(wrong) + ".")
    return grants


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


def _shown(account: Account) -> AccountOut:
    return AccountOut(
        name=account.name,
        grants=[
            GrantIO(role=grant.role, companies=_list(grant.scope.companies), areas=_list(grant.scope.areas))
            for grant in account.grants
        ],
        has_code=account.has_code,
        needs_code=account.needs_code,
        must_change=account.must_change,
        created_ms=account.created_ms,
        created_by=account.created_by,
        disabled_ms=account.disabled_ms,
    )


def _list(values: frozenset[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)
