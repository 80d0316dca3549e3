"""Who is calling, and may they? Every route declares the right it needs; `Anyone` is a declaration too."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from lamplighter_controller.api import sessions
from lamplighter_controller.api.problems import Problem
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.security import tokens
from lamplighter_controller.security.tokens import Right, Token

BEARER: Final = HTTPBearer(auto_error=False, description="A token as `lamplighter-controller` prints it")
SESSION: Final = APIKeyCookie(name=sessions.COOKIE, auto_error=False, description="Set by POST /session")
READS_ONLY: Final = frozenset({"GET", "HEAD", "OPTIONS"})


async def caller_of(connection: HTTPConnection, services: Services) -> Token | None:
    """The token in force behind a connection: presented itself, or through a session."""
    presented = bearer_of(connection)
    if presented is not None:
        return await services.ledger.read(lambda ledger: tokens.check(ledger, presented))
    cookie = connection.cookies.get(sessions.COOKIE)
    if cookie is None:
        return None
    identity = sessions.token_of(services.session_key, cookie, services.clock.wall_ms())
    return None if identity is None else await token_by_id(services, identity)


def bearer_of(connection: HTTPConnection) -> str | None:
    """The token a caller presents itself, None when it presents none: other schemes are not ours."""
    scheme, _, presented = connection.headers.get("authorization", "").partition(" ")
    return presented.strip() if scheme.lower() == "bearer" else None


async def token_by_id(services: Services, identity: str) -> Token | None:
    """The token with that id, if it is in force."""
    return await services.ledger.read(lambda ledger: tokens.in_force(ledger, identity))


def from_own_page(connection: HTTPConnection) -> bool:
    """True when a browser says that the request comes from a page of this server."""
    origin = connection.headers.get("origin")
    if origin is None:
        return connection.headers.get("sec-fetch-site") == "same-origin"
    return urlsplit(origin).netloc == connection.headers.get("host", "")


@dataclass(frozen=True, slots=True)
class Needs:
    """A dependency that lets only callers with a right pass."""

    right: Right

    async def __call__(
        self,
        request: Request,
        services: Provided,
        _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
        _session: Annotated[str | None, Security(SESSION)],
    ) -> Token:
        """The caller's token."""
        token = await caller_of(request, services)
        if token is None:
            detail = "This needs a token: Authorization: Bearer …, or a session."
            if bearer_of(request):
                detail = "The token is unknown or was revoked."
            raise Problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
        request.state.who = token.who
        if not token.allows(self.right):
            detail = f"The token {token.name!r} lacks the right {self.right.value!r}."
            raise Problem(HTTPStatus.FORBIDDEN, "forbidden", detail)
        if bearer_of(request) is None and request.method not in READS_ONLY and not from_own_page(request):
            detail = "A session is only good for requests of this server's own pages."
            raise Problem(HTTPStatus.FORBIDDEN, "cross-site", detail)
        return token


@dataclass(frozen=True, slots=True)
class Open:
    """A dependency that says: this route is meant for everyone."""

    async def __call__(self, request: Request, services: Provided) -> Token | None:
        """The caller's token, if there is one."""
        return await caller_of(request, services)


Reader = Annotated[Token, Depends(Needs(Right.READ))]
Commander = Annotated[Token, Depends(Needs(Right.COMMAND))]
Lighter = Annotated[Token, Depends(Needs(Right.LIGHTING))]
Admin = Annotated[Token, Depends(Needs(Right.ADMIN))]
Anyone = Annotated[Token | None, Depends(Open())]
