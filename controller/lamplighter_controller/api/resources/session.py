"""A browser's session: a person's login, or a token exchanged once; a reference in a cookie that no script sees."""

import os
from http import HTTPStatus
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_controller.api.guard import BEARER, COOKIE, Anyone, Reader
from lamplighter_controller.api.problems import Problem, refused
from lamplighter_controller.api.services import Provided
from lamplighter_controller.security.accounts import passwords, sessions
from lamplighter_controller.security.accounts.desk import AccountDesk, Login, Wait
from lamplighter_controller.security.callers import Caller
from lamplighter_controller.security.rights import Right

router = APIRouter(prefix="/session", tags=["session"])


def desk_of(request: Request) -> AccountDesk:
    """Where accounts are kept."""
    desk = request.app.state.accounts
    assert isinstance(desk, AccountDesk)
    return desk


Desk = Annotated[AccountDesk, Depends(desk_of)]


class Session(BaseModel):
    """Who this browser acts as."""

    name: str = Field(examples=["demo"])
    rights: list[Right]
    roles: list[str] = Field(default=[], description="Of a person; a token has none")
    lacks: list[str] = Field(default=[], description="To be set before anything else: `password`, `code`")


class LoginIn(BaseModel):
    """A person logs in."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64, examples=["wang"])
    password: str = Field(min_length=1, max_length=200, examples=["a long one of your own"])
    code: str = Field(default="", max_length=12, description="Of the authenticator, for roles that switch or limit")


class PasswordIn(BaseModel):
    """A new password for oneself."""

    model_config = ConfigDict(extra="forbid")

    old: str = Field(min_length=1, max_length=200)
    new: str = Field(min_length=1, max_length=200)


class CodeIn(BaseModel):
    """A code of the authenticator."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(pattern="^[0-9]{6}$", examples=["287082"])


class CodeSecret(BaseModel):
    """What an authenticator takes, seen this one time."""

    secret: str = Field(description="Base32")
    address: str = Field(examples=["otpauth://totp/centre:wang?secret=…&issuer=centre"])


@router.post("", summary="Exchange a token for a session")
async def begin(
    request: Request,
    response: Response,
    services: Provided,
    caller: Reader,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
) -> Session:
    """The cookie is for this server only, unseen by scripts, and ends with its token or after 12 hours."""
    now_ms, address = services.clock.wall_ms(), address_of(request)
    reference = await services.ledger.write(lambda ledger: sessions.begin(ledger, caller, address, now_ms, os.urandom))
    _give(request, response, reference)
    return _session(caller)


@router.post("/login", summary="Log in as a person", responses={429: {"description": "Too many tries"}})
async def login(request: Request, response: Response, desk: Desk, _: Anyone, tried: LoginIn) -> Session:
    """Name, password and, for roles that switch or limit, a code; nothing tells which of them was wrong."""
    entered = await desk.login(Login(tried.name, tried.password, tried.code, address_of(request)))
    if isinstance(entered, Wait):
        raise _later(entered)
    if entered is None:
        if await desk.known(tried.name):  # who mistook the field for the name may have typed a password into it
            request.state.who = f"user:{tried.name}"
        detail = "Name, password or code is wrong."
        raise Problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
    _give(request, response, entered.reference)
    return _session(entered.caller)


@router.get("", summary="The session, if there is one", responses={204: {"description": "There is none"}})
async def current(response: Response, caller: Anyone) -> Session | None:
    """Answers everyone, so that a page can ask without an error."""
    if caller is None:
        response.status_code = 204
        return None
    return _session(caller)


@router.delete("", status_code=204, summary="End the session")
async def end(request: Request, response: Response, services: Provided, _: Anyone) -> None:
    """Here and in the browser; a token stays in force."""
    reference = request.cookies.get(COOKIE)
    if reference is not None:
        await services.ledger.write(lambda ledger: sessions.end(ledger, reference))
    response.delete_cookie(COOKIE, path="/")


@router.post("/password", status_code=204, summary="Set one's own password")
async def password(request: Request, desk: Desk, caller: Reader, wanted: PasswordIn) -> None:
    """Other sessions of the account end."""
    _person(caller)
    wrong = passwords.mistakes(wanted.new, caller.name)
    if wrong:
        raise refused("body.new", "weak", "; ".join(wrong) + ".")
    changed = await desk.change_password(
        caller, wanted.old, wanted.new, address_of(request), request.cookies.get(COOKIE, "")
    )
    if isinstance(changed, Wait):
        raise _later(changed)
    if not changed:
        raise refused("body.old", "wrong", "The old password is not that.")


@router.post("/code", summary="Begin with an authenticator")
async def begin_code(desk: Desk, caller: Reader) -> CodeSecret:
    """Its secret is in force once a code of it was given."""
    _person(caller)
    begun = await desk.begin_code(caller)
    if begun is None:
        raise Problem(HTTPStatus.CONFLICT, "has-code", "The account has an authenticator; a reset takes it away.")
    return CodeSecret(secret=begun[0], address=begun[1])


@router.put("/code", status_code=204, summary="Confirm the authenticator with a code of it")
async def confirm_code(request: Request, desk: Desk, caller: Reader, wanted: CodeIn) -> None:
    """From now on a login takes a code."""
    _person(caller)
    confirmed = await desk.confirm_code(caller, wanted.code, address_of(request))
    if isinstance(confirmed, Wait):
        raise _later(confirmed)
    if not confirmed:
        raise refused("body.code", "wrong", "The code is not one of the authenticator that was begun.")


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def _give(request: Request, response: Response, reference: str) -> None:
    response.set_cookie(
        COOKIE,
        reference,
        max_age=sessions.LIFE_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )


def _person(caller: Caller) -> None:
    if caller.account is None:
        raise Problem(HTTPStatus.CONFLICT, "no-account", "A token has no password and no code.")


def _later(wait: Wait) -> Problem:
    headers = {"Retry-After": str(ceil(wait.seconds))}
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-often", "Too many tries; wait a minute.", headers=headers)


def _session(caller: Caller) -> Session:
    roles = sorted({grant.role.value for grant in caller.grants})
    return Session(name=caller.name, rights=sorted(caller.rights), roles=roles, lacks=list(caller.lacks))
