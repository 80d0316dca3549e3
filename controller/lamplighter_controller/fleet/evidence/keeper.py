"""Looks after evidence by itself: asks for it while gateways still have it, keeps tracks, lets go what is due."""

import asyncio
import logging
from typing import Final, NoReturn

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.fleet.cases.life import CLOSED
from lamplighter_controller.fleet.evidence import records
from lamplighter_controller.fleet.evidence.desk import EvidenceDesk
from lamplighter_controller.fleet.evidence.gathering import AROUND_MS
from lamplighter_controller.fleet.evidence.packing import FRAMES, TRACK
from lamplighter_controller.fleet.evidence.retention import DAY_MS, Policy, due
from lamplighter_controller.fleet.evidence.shelf import Shelf
from lamplighter_controller.fleet.violations.violation import State
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.security import audit

log = logging.getLogger(__name__)

WHO: Final = "controller"
LOOK_S: Final = 30.0
HOUR_S: Final = 3_600.0
AT_ONCE: Final = 20
GATEWAYS_KEEP_MS: Final = 3 * DAY_MS
INCOMING_S: Final = 86_400.0
WANTED: Final = tuple(state for state in State if state is not State.INVALID)
IN_PROCESS: Final = tuple(state for state in State if state not in CLOSED and state is not State.CANDIDATE)


class EvidenceKeeper:
    """Asks again and again what should be there; a missed look heals itself."""

    def __init__(self, desk: EvidenceDesk, ledger: Ledger, shelf: Shelf, clock: Clock, policy: Policy) -> None:
        """Keep `shelf` by `policy`."""
        self._desk, self._ledger, self._shelf, self._clock, self._policy = desk, ledger, shelf, clock, policy
        self._asked: set[str] = set()
        self._tidied_s: float | None = None
        self._complained = False

    async def run(self) -> NoReturn:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except (ControllerError, OSError) as error:
                if not self._complained:
                    log.warning("evidence is not looked after for the moment: %s", error)
                self._complained = True
            else:
                self._complained = False
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Do what is due.

        Raises:
            ControllerError: a store or the shelf does not take or give.
            OSError: the disk does not.
        """
        await self._collect()
        await self._freeze()
        now_s = self._clock.monotonic_s()
        if self._tidied_s is None or now_s - self._tidied_s >= HOUR_S:
            await self.tidy()
            self._tidied_s = now_s

    async def tidy(self) -> int:
        """Let go what the policy says; of how many violations.

        Raises:
            LedgerUnavailable: some of it may have gone; the rest goes next time.
        """
        wall_ms, civil_ms = self._clock.wall_ms(), self._clock.civil_ms()
        oldest_ms = civil_ms - self._policy.driver_days * DAY_MS

        def work(connection: Connection) -> tuple[list[str], list[str]]:
            held = records.held(connection)
            gone = due(self._policy, records.kept(connection), held, wall_ms)
            digests = [digest for violation in gone for digest in records.forget(connection, violation)]
            spared = records.trucks_of(connection, [*held, *records.in_process(connection, IN_PROCESS)])
            drivers = records.forget_drivers(connection, oldest_ms, spared)
            if gone or drivers:
                _record(connection, gone, drivers, wall_ms)
            return gone, digests

        gone, digests = await self._ledger.write(work)
        await asyncio.to_thread(self._shelf.remove, digests)
        await asyncio.to_thread(self._shelf.forget_incoming, wall_ms / 1000 - INCOMING_S)
        return len(gone)

    async def _collect(self) -> None:
        since_ms, ended_ms = self._clock.wall_ms() - GATEWAYS_KEEP_MS, self._clock.civil_ms() - AROUND_MS
        found = await self._ledger.read(
            lambda connection: records.wanting(
                connection, FRAMES, WANTED, since_ms, ended_ms, AT_ONCE + len(self._asked)
            )
        )
        self._asked &= set(found)
        for violation in [one for one in found if one not in self._asked][:AT_ONCE]:
            answer = await self._desk.collect(violation, WHO, key=f"evidence:{violation}")
            if isinstance(answer, Refusal):
                log.info("no raw frames of %s are asked for: %s", violation, answer.detail)
            self._asked.add(violation)

    async def _freeze(self) -> None:
        now_ms = self._clock.civil_ms()
        found = await self._ledger.read(
            lambda connection: records.wanting(connection, TRACK, IN_PROCESS, 0, now_ms, AT_ONCE)
        )
        for violation in found:
            await self._desk.freeze(violation)


def _record(connection: Connection, gone: list[str], drivers: int, time_ms: int) -> None:
    audit.record(
        connection,
        who=WHO,
        action="evidence.retention",
        subject="evidence",
        reason="retention policy",
        result="done",
        detail={"violations": gone[:AT_ONCE], "number": len(gone), "drivers": drivers},
        time_ms=time_ms,
    )
