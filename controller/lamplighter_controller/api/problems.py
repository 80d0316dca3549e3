"""Every refusal of the API is a problem document (RFC 9457) that names the field and the rule."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from textwrap import shorten
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from lamplighter_controller.errors import ControllerError

MEDIA_TYPE: Final = "application/problem+json"
MAX_DETAIL: Final = 1_000  # holds every list of allowed words
_TYPE_PREFIX: Final = "urn:lamplighter:problem:"

log = logging.getLogger(__name__)


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    field: str = Field(
        description="Where it stands: body, query, path or header, then the names", examples=["query.limit"]
    )
    rule: str = Field(description="The rule it breaks", examples=["less_than_equal"])
    detail: str = Field(description="The rule in words", examples=["Input should be less than or equal to 1000"])


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["urn:lamplighter:problem:validation"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str
    errors: list[Fault] = []


class Problem(ControllerError):
    """A request that is refused, as it is answered."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        *,
        field: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.faults = [Fault(field=field, rule=kind, detail=detail)] if field else []


def not_found(what: str, name: str) -> Problem:
    """There is no such thing."""
    return Problem(HTTPStatus.NOT_FOUND, "not-found", f"There is no {what} {name[:64]!r}.", field=f"path.{what}")


def refused(field: str, rule: str, detail: str) -> Problem:
    """A request that is well-formed and still cannot be met."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, rule, detail, field=field)


def several(status: HTTPStatus, kind: str, detail: str, faults: Sequence[Fault]) -> Problem:
    """A request with many things wrong, all of them listed."""
    problem = Problem(status, kind, detail)
    problem.faults = list(faults)
    return problem


def document(status: int, kind: str, detail: str, faults: Sequence[Fault] = ()) -> dict[str, Any]:
    """A problem document as plain JSON values."""
    title = HTTPStatus(status).phrase
    problem = ProblemDocument(type=_TYPE_PREFIX + kind, title=title, status=status, detail=detail, errors=list(faults))
    return problem.model_dump(exclude_defaults=True)


def _answer(
    status: int, kind: str, detail: str, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(document(status, kind, detail, faults), status, headers=headers, media_type=MEDIA_TYPE)


async def _on_problem(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Problem)
    request.state.refusal = problem.kind
    return _answer(problem.status, problem.kind, problem.detail, problem.faults, problem.headers)


async def _on_invalid(request: Request, invalid: Exception) -> JSONResponse:
    assert isinstance(invalid, RequestValidationError)
    request.state.refusal = "validation"
    faults = [
        Fault(
            field=".".join(str(part)[:64] for part in error["loc"]), rule=error["type"], detail=_bounded(error["msg"])
        )
        for error in invalid.errors()[:20]
    ]
    detail = "; ".join(f"{fault.field}: {fault.detail}" for fault in faults[:3])
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, "validation", detail, faults)


def _bounded(text: str) -> str:
    """At most `MAX_DETAIL` characters, cut between words."""
    return text if len(text) <= MAX_DETAIL else shorten(text, MAX_DETAIL, placeholder=" …")


async def _on_http(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, HTTPException)
    kind = HTTPStatus(refusal.status_code).name.lower().replace("_", "-")
    return _answer(refusal.status_code, kind, str(refusal.detail), headers=refusal.headers)


async def _on_unavailable(_: Request, error: Exception) -> JSONResponse:
    return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", str(error)[:300], headers={"Retry-After": "2"})


async def _on_bug(request: Request, _: Exception) -> JSONResponse:
    detail = f"The controller failed on {request.method} {request.url.path}; its log has the cause."
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail)


def install(app: FastAPI, unavailable: Sequence[type[Exception]]) -> None:
    """Answer every refusal with a problem document; `unavailable` errors ask the caller to come back."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for error in unavailable:
        app.add_exception_handler(error, _on_unavailable)
    app.add_exception_handler(HTTPStatus.INTERNAL_SERVER_ERROR, _on_bug)


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ProblemDocument, "description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in {
        400: "The body cannot be read",
        401: "No valid token or session",
        403: "The token or the person lacks the right",
        404: "No such thing",
        409: "It contradicts what is there already",
        413: "The body is larger than allowed",
        422: "A field breaks a rule",
        429: "Too many requests; come back after `Retry-After`",
        503: "A store does not answer; try again",
    }.items()
}
