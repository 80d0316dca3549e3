"""Which plan each gateway had through a night, by when it was given it."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection, func, select

from lamplighter_contract.errors import Refusal
from lamplighter_contract.light.city.levels import prepare
from lamplighter_contract.light.plans.plan import decode_plan
from lamplighter_contract.light.sky.nights import Night
from lamplighter_contract.light.view import View
from lamplighter_controller.lighting.proof.light.fleet import Given
from lamplighter_controller.lighting.store import version_table

log = logging.getLogger(__name__)

FOREVER_MS: Final = 2**62


@dataclass(frozen=True, slots=True)
class Document:
    """A plan as a gateway was given it; when, in real epoch ms."""

    gateway: str
    published_ms: int
    body: bytes


def documents(connection: Connection, start_ms: int, end_ms: int) -> list[Document]:
    """Plans that counted in a stretch of real time: the last one before it, and all within; by gateway, in order."""
    table = version_table
    before = (
        select(table.c.gateway, func.max(table.c.version).label("version"))
        .where(table.c.published_ms <= start_ms)
        .group_by(table.c.gateway)
        .subquery()
    )
    columns = (table.c.gateway, table.c.published_ms, table.c.document, table.c.version)
    first = select(*columns).join(before, (table.c.gateway == before.c.gateway) & (table.c.version == before.c.version))
    within = select(*columns).where(table.c.published_ms > start_ms, table.c.published_ms < end_ms)
    rows = [*connection.execute(first), *connection.execute(within)]
    rows.sort(key=lambda row: (row.gateway, row.version))
    return [Document(row.gateway, row.published_ms, row.document) for row in rows]


def given(those: Iterable[Document], civil_ms: Mapping[int, int], during: Night) -> dict[str, list[Given]]:
    """Plans made ready to be asked, by gateway; `civil_ms`: civil time by real time of publishing."""
    by_gateway: dict[str, list[tuple[int, View]]] = {}
    for one in those:
        plan = decode_plan(one.body)
        if isinstance(plan, Refusal):  # an earlier version of this program made it
            log.warning("a plan of %s cannot be read; its lamps count as without one: %s", one.gateway, plan.detail)
            continue
        by_gateway.setdefault(one.gateway, []).append((civil_ms[one.published_ms], View(plan)))
    views = [view for versions in by_gateway.values() for _, view in versions]
    prepare(views, (during.start_ms + during.end_ms) // 2)
    return {gateway: _pieces(versions, during) for gateway, versions in by_gateway.items()}


def _pieces(versions: list[tuple[int, View]], during: Night) -> list[Given]:
    found = []
    for (from_ms, view), (until_ms, _) in pairwise([*versions, (FOREVER_MS, versions[-1][1])]):
        start_ms, end_ms = max(from_ms, during.start_ms), min(until_ms, during.end_ms)
        if start_ms < end_ms:
            found.append(Given(start_ms, end_ms, view))
    return found
