"""Judges how dark the city would be by hand and by shows, from what is in force and to come."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.level import Override
from lamplighter_contract.light.plans.plan import Plan, decode_plan
from lamplighter_contract.quantities import Kind
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import records
from lamplighter_controller.lighting.inventory import Inventory
from lamplighter_controller.lighting.overrides import share
from lamplighter_controller.lighting.overrides.floors import floors_of
from lamplighter_controller.lighting.overrides.in_force import in_force
from lamplighter_controller.lighting.scenes.scene import lowest
from lamplighter_controller.lighting.scenes.store import Showing, ahead
from lamplighter_controller.twin.columns import Twin

Levels = Mapping[str, float]
Span = tuple[int, int]  # civil epoch ms


@dataclass(frozen=True, slots=True)
class DarkJudge:
    """Asked before a level by hand or a show is given. Raises LedgerUnavailable wherever it waits."""

    ledger: Ledger
    twin: Twin
    clock: Clock

    async def grave(self, levels: Levels, span: Span, inventory: Inventory) -> tuple[str, ...]:
        """Why lamps at these levels for that time need a second person, empty when they do not."""
        asked = await self._dark(levels, inventory)
        if not asked:
            return ()
        by_hand, shows = await self.ledger.read(lambda connection: self._beside(connection, span))
        served = frozenset(entry.device for entry in self.twin.entries() if entry.kind is Kind.LAMP)
        now = await self._dark(share.levels_of(by_hand), inventory)
        for show in shows:
            now |= await self._dark(lowest(show.scene, inventory, sorted(served)), inventory)
        return await asyncio.to_thread(share.grave, now, asked, served, inventory)

    async def _dark(self, levels: Levels, inventory: Inventory) -> frozenset[str]:
        """Those that are off need no floor; it is looked up for those that are dimmed."""
        dimmed = frozenset(lamp for lamp, level_percent in levels.items() if level_percent > 0)
        gateways = {name for lamp in dimmed if (name := self.twin.gateway_of(lamp)) is not None}

        def find(connection: Connection) -> list[bytes]:
            return list(records.documents(connection, gateways).values()) if gateways else []

        documents = await self.ledger.read(find)
        programs = (await self.ledger.read(records.library)).programs if dimmed else ()

        def judge() -> frozenset[str]:
            return share.dark(levels, floors_of(dimmed, map(_decoded, documents), programs, inventory))

        return await asyncio.to_thread(judge)

    def _beside(self, connection: Connection, span: Span) -> tuple[list[Override], list[Showing]]:
        """Levels by hand, and shows, that are of effect within a time."""
        starts_ms, ends_ms = span
        standing = in_force(connection, self.clock.wall_ms(), self.clock.civil_ms())
        by_hand = [record for one in standing for record in one.records if record.until_ms > starts_ms]
        shows = [one for one in ahead(connection, starts_ms) if one.starts_ms < ends_ms]
        return by_hand, shows


def _decoded(document: bytes) -> Plan:
    plan = decode_plan(document)
    assert not isinstance(plan, Refusal), plan.detail
    return plan
