"""Who is calling, and may they? Every route has its line in `security/routes`, and names the right a token needs."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from lamplighter_controller.api.problems import Problem
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.security import tokens
from lamplighter_controller.security.accounts import sessions
from lamplighter_controller.security.callers import Caller, of_token
from lamplighter_controller.security.rights import Right
from lamplighter_controller.security.routes import ROUTES

COOKIE: Final = "lamplighter_session"
BEARER: Final = HTTPBearer(auto_error=False, description="A token as `lamplighter-controller` prints it")
SESSION: Final = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by POST /session and /session/login")
READS_ONLY: Final = frozenset({"GET", "HEAD", "OPTIONS"})


async def caller_of(connection: HTTPConnection, services: Services) -> Caller | None:
    """Who is behind a connection: a token presented itself, or a session."""
    presented, now_ms = bearer_of(connection), services.clock.wall_ms()
    if presented is not None:
        token = await services.ledger.read(lambda ledger: tokens.check(ledger, presented, now_ms))
        return of_token(token) if token else None
    reference = connection.cookies.get(COOKIE)
    if reference is None:
        return None
    return await services.ledger.read(lambda ledger: sessions.caller_of(ledger, reference, now_ms))


def bearer_of(connection: HTTPConnection) -> str | None:
    """The token a caller presents itself, None when it presents none: other schemes are not ours."""
    scheme, _, presented = connection.headers.get("authorization", "").partition(" ")
    return presented.strip() if scheme.lower() == "bearer" else None


def from_own_page(connection: HTTPConnection) -> bool:
    """True when a browser says that the request comes from a page of this server."""
    origin = connection.headers.get("origin")
    if origin is None:
        return connection.headers.get("sec-fetch-site") == "same-origin"
    return urlsplit(origin).netloc == connection.headers.get("host", "")


def route_of(request: Request) -> str:
    """The route as the table of routes names it."""
    return f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"


@dataclass(frozen=True, slots=True)
class Needs:
    """A dependency that lets only those pass who may; `right` is what an API token needs."""

    right: Right

    async def __call__(
        self,
        request: Request,
        services: Provided,
        _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
        _session: Annotated[str | None, Security(SESSION)],
    ) -> Caller:
        """The caller, with what the right reaches."""
        found = await caller_of(request, services)
        if found is None:
            detail = "This needs a token: Authorization: Bearer …, or a session."
            if bearer_of(request):
                detail = "The token is unknown or was revoked."
            raise Problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
        request.state.who = found.who
        caller = found.at(route_of(request))
        if caller is None:
            raise Problem(HTTPStatus.FORBIDDEN, "forbidden", _why(found, route_of(request), self.right))
        if bearer_of(request) is None and request.method not in READS_ONLY and not from_own_page(request):
            detail = "A session is only good for requests of this server's own pages."
            raise Problem(HTTPStatus.FORBIDDEN, "cross-site", detail)
        return caller


def _why(caller: Caller, route: str, right: Right) -> str:
    if caller.lacks:
        return f"Before anything else, set your own {' and '.join(caller.lacks)}."
    if route not in ROUTES:
        return "No right is declared for this."
    if caller.token and not caller.allows(right):
        return f"The token {caller.name!r} lacks the right {right.value!r}."
    return f"What was granted to {caller.name!r} does not hold this."


@dataclass(frozen=True, slots=True)
class Open:
    """A dependency that says: this route is meant for everyone."""

    async def __call__(self, request: Request, services: Provided) -> Caller | None:
        """The caller, if there is one."""
        return await caller_of(request, services)


Reader = Annotated[Caller, Depends(Needs(Right.READ))]
Commander = Annotated[Caller, Depends(Needs(Right.COMMAND))]
Lighter = Annotated[Caller, Depends(Needs(Right.LIGHTING))]
Admin = Annotated[Caller, Depends(Needs(Right.ADMIN))]
Anyone = Annotated[Caller | None, Depends(Open())]
