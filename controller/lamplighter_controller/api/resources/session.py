"""A browser's session: a token exchanged once for a cookie, so that it stands in no address and no script."""

from typing import Annotated

from fastapi import APIRouter, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field

from lamplighter_controller.api import sessions
from lamplighter_controller.api.guard import BEARER, Anyone, Reader
from lamplighter_controller.api.services import Provided
from lamplighter_controller.security.tokens import Right, Token

router = APIRouter(prefix="/session", tags=["session"])


class Session(BaseModel):
    """Who this browser acts as."""

    name: str = Field(examples=["demo"])
    rights: list[Right]


@router.post("", summary="Exchange a token for a session")
async def begin(
    request: Request,
    response: Response,
    services: Provided,
    caller: Reader,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
) -> Session:
    """The cookie is for this server only, unseen by scripts, and ends with its token or after 12 hours."""
    expires_ms = services.clock.wall_ms() + sessions.LIFE_S * 1000
    response.set_cookie(
        sessions.COOKIE,
        sessions.seal(services.session_key, caller.id, expires_ms),
        max_age=sessions.LIFE_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )
    return _session(caller)


@router.get("", summary="The session, if there is one", responses={204: {"description": "There is none"}})
async def current(response: Response, caller: Anyone) -> Session | None:
    """Answers everyone, so that a page can ask without an error."""
    if caller is None:
        response.status_code = 204
        return None
    return _session(caller)


@router.delete("", status_code=204, summary="End the session in this browser")
async def end(response: Response, _: Anyone) -> None:
    """The token stays in force."""
    response.delete_cookie(sessions.COOKIE, path="/")


def _session(token: Token) -> Session:
    return Session(name=token.name, rights=sorted(token.rights))
