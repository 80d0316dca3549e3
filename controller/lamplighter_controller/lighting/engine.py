"""Keeps the plan of every gateway before it: retained, signed when it is sent, again at each connect."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.errors import Refusal
from lamplighter_contract.light.plans.plan import decode_plan
from lamplighter_contract.wire.topics import Down, down
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.lighting import records
from lamplighter_controller.lighting.versions import behind
from lamplighter_controller.link.port import Link, LinkDown, PublishDenied
from lamplighter_controller.security import enrolment

log = logging.getLogger(__name__)

LOOK_S: Final = 30.0
QUIET_S: Final = 600.0
READ_AT_ONCE: Final = 100


class PlanKeeper:
    """Tells every enrolled gateway its newest plan; nobody is told anything while the controller is held."""

    def __init__(
        self, link: Link, ledger: Ledger, signer: Signer, gateways: Gateways, alarms: Alarms, held: Callable[[], bool]
    ) -> None:
        """Tell what the ledger holds; `run` does it."""
        self._link, self._ledger, self._signer = link, ledger, signer
        self._gateways, self._alarms, self._held = gateways, alarms, held
        self._told: dict[str, tuple[int, int]] = {}  # version and generation
        self._generations: dict[str, int] = {}
        self._wake = asyncio.Event()

    async def connected(self) -> None:
        """The broker may have forgotten everything."""
        self._told.clear()
        self._wake.set()

    def wake(self) -> None:
        """Something was published, somebody may be new, or the hold has ended."""
        self._wake.set()

    async def run(self) -> None:
        """Tell whoever was not told; look again from time to time, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_S)
            self._wake.clear()
            with contextlib.suppress(LedgerUnavailable, LinkDown):  # both are told by their rooms; we look again
                await self.look()

    async def look(self) -> None:
        """Tell whoever was not told, once.

        Raises:
            LedgerUnavailable: the database does not answer.
            LinkDown: the connection to the broker was lost.
        """
        if self._held() or not self._link.up:
            return
        in_force, self._generations = await self._ledger.read(
            lambda connection: (records.in_force(connection), enrolment.generations(connection))
        )
        due = [given for given in in_force if self._is_due(given) and not self._is_behind(given)]
        for start in range(0, len(due), READ_AT_ONCE):
            some = due[start : start + READ_AT_ONCE]
            names = [given.gateway for given in some]
            documents = await self._ledger.read(partial(records.documents, gateways=names))
            for given in some:
                await self._send(given, documents[given.gateway])

    def _is_due(self, given: records.Version) -> bool:
        return given.gateway in self._gateways.enrolled and self._told.get(given.gateway) != self._as_told(given)

    def _as_told(self, given: records.Version) -> tuple[int, int]:
        return given.version, self._generations.get(given.gateway, 0)

    async def _send(self, given: records.Version, document: bytes) -> None:
        payload = await asyncio.to_thread(self._signed, document, self._generations.get(given.gateway, 0))
        if self._held():
            return
        try:
            await self._link.publish(down(given.gateway, Down.PLAN), payload, retain=True)
        except PublishDenied as error:
            self._alarms.raised("plan-denied", f"the broker refuses our plans: {error}", quiet_s=QUIET_S)
        else:
            log.info("plan %d is before %s as version %d", given.plan, given.gateway, given.version)
        self._told[given.gateway] = self._as_told(given)

    def _signed(self, document: bytes, generation: int) -> bytes:
        """Another box takes over what the one before it held first, and follows a plan only then."""
        plan = decode_plan(document)
        assert not isinstance(plan, Refusal), plan.detail
        return self._signer.sign(replace(plan, generation=generation).as_json())

    def _is_behind(self, given: records.Version) -> bool:
        """A restored ledger may hold an older plan than the gateway runs: it would refuse it."""
        key = f"plan-behind:{given.gateway}"
        state = self._gateways.report(given.gateway).state
        told = state.plan_version if state else 0
        if not behind(given.version, told):
            self._alarms.cleared(key)
            return False
        text = f"{given.gateway} runs plan version {told}, newer than ours ({given.version}); publish a plan again"
        self._alarms.raised(key, text)
        return True
