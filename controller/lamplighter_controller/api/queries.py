"""A query says only what its route understands: a misspelt filter must not quietly mean everything."""

from http import HTTPStatus
from typing import Final

from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from lamplighter_controller.api.problems import Fault, several

NAMED: Final = 5


def known_query(connection: HTTPConnection) -> None:
    """Refuse parameters that the route does not have.

    Raises:
        Problem: naming the first few, and those that there are.
    """
    route = connection.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = {field.alias for field in get_flat_params(route.dependant) if isinstance(field.field_info, Query)}
    strange = sorted(set(connection.query_params) - known)[:NAMED]
    if strange:
        there = ", ".join(sorted(known)) or "none"
        faults = [
            Fault(field=f"query.{name[:64]}", rule="unknown", detail=f"No such parameter; there are: {there}")
            for name in strange
        ]
        detail = "; ".join(f"{fault.field}: {fault.detail}" for fault in faults[:3])
        raise several(HTTPStatus.UNPROCESSABLE_ENTITY, "validation", detail, faults)
