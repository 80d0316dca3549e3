"""What every resource of maintenance shares: the caller's key, and how a refusal is told."""

from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

from fastapi import Header, Path, Response

from lamplighter_controller.api.problems import Problem, not_found, refused
from lamplighter_controller.maintenance.refused import Refused

T = TypeVar("T")

REPLAYED: Final = "Idempotent-Replayed"
OrderId = Annotated[str, Path(min_length=1, max_length=64, examples=["WO-000007"])]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        description="Your own name for this request: sending it again does nothing again, and has the same answer",
    ),
]


def met(result: T | Refused | None, what: str, name: str) -> T:
    """What came of a request.

    Raises:
        Problem: it was refused, or there is no such thing.
    """
    if result is None:
        raise not_found(what, name)
    if isinstance(result, Refused):
        raise problem_of(result)
    return result


def problem_of(refusal: Refused) -> Problem:
    """A refusal as a problem document that names the field and the rule."""
    if refusal.conflict:
        return Problem(HTTPStatus.CONFLICT, refusal.rule, refusal.detail, field=refusal.field or "body")
    return refused(refusal.field or "body", refusal.rule, refusal.detail)


def mark(response: Response, *, repeated: bool) -> None:
    """Tell a phone that its request had been met before."""
    if repeated:
        response.headers[REPLAYED] = "true"


def or_none(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """The same with null for what is not known yet."""
    return values | {name: values[name] or None for name in names}
