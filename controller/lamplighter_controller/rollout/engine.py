"""Rollouts at work: asks gateways wave by wave, hears what became of them, stops by itself."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import uuid7
from lamplighter_contract.wire.files import FileName
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.commands.rules import state_of
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.rollout import rules, store
from lamplighter_controller.rollout.files import Bundles
from lamplighter_controller.rollout.rules import Rollout, Sent, State
from lamplighter_controller.security import audit

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0
EXPIRES_S: Final = 24 * 3_600.0

Random = Callable[[int], bytes]


class Commands(Protocol):
    """What rollouts need of commanding."""

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Store a request and have it sent; a repeat under the same key changes nothing."""

    async def request(self, request: str) -> Submitted | None:
        """A request with its commands, None when there is none of that id."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for."""

    bundle: FileName
    gateways: Sequence[str]
    canaries: int
    share_percent: float
    tolerated_percent: float
    reason: str


class RolloutKeeper:
    """All rollouts of one controller; what they are is in the ledger before anybody is asked."""

    def __init__(
        self,
        ledger: Ledger,
        commands: Commands,
        gateways: Gateways,
        bundles: Bundles,
        alarms: Alarms,
        clock: Clock,
        random: Random,
    ) -> None:
        """`random` gives that many random bytes, for ids."""
        self._ledger, self._commands, self._gateways = ledger, commands, gateways
        self._bundles, self._alarms, self._clock, self._random = bundles, alarms, clock, random
        self._wake = asyncio.Event()

    async def begin(self, wish: Wish, who: str) -> Rollout | Refusal:
        """Take a wish; on return it is stored.

        Raises:
            LedgerUnavailable: it is not known to be stored.
        """
        unknown = sorted(set(wish.gateways) - self._gateways.enrolled)
        if unknown or not wish.gateways:
            return Refusal(Reason.UNKNOWN_GATEWAY, f"not enrolled: {', '.join(unknown[:5]) or 'no gateway is named'}")
        if not await asyncio.to_thread(self._bundles.has, wish.bundle):
            return Refusal(Reason.ARGUMENT, f"{wish.bundle} is not here; `lamplighter-controller bundle` brings it")
        now_ms = self._clock.wall_ms()
        rollout = Rollout(
            uuid7(now_ms, self._random(10)),
            str(wish.bundle),
            tuple(dict.fromkeys(wish.gateways)),
            max(1, wish.canaries),
            wish.share_percent,
            wish.tolerated_percent,
            who,
            wish.reason,
            now_ms,
        )
        await self._keep(rollout, "gateway.rollout", who, wish.reason)
        self._wake.set()
        return rollout

    async def stop(self, identity: str, who: str, reason: str) -> Rollout | None:
        """Go no further; None when there is no such rollout."""
        rollout = await self._ledger.read(lambda connection: store.find(connection, identity))
        if rollout is None:
            return None
        rollout = rules.stopped(rollout, f"{who}: {reason}")
        await self._keep(rollout, "gateway.rollout.stop", who, reason)
        return rollout

    async def every(self) -> list[Rollout]:
        """The newest first."""
        return await self._ledger.read(store.every)

    async def run(self) -> None:
        """Look from time to time, and when one has begun, for ever."""
        while True:
            with contextlib.suppress(LedgerUnavailable):  # the ledger says so itself
                for rollout in await self.every():
                    if rollout.state is State.RUNNING:
                        await self.step(rollout)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            self._wake.clear()

    async def step(self, rollout: Rollout) -> Rollout:
        """One look at a rollout."""
        after = rules.heard(rollout, await self._news(rollout))
        asked = {name: await self._ask(after, name) for name in rules.due(after)}
        after = rules.heard(after, asked)
        # A person may have stopped it meanwhile.
        standing = await self._ledger.read(lambda connection: store.find(connection, rollout.id))
        if standing is not None and standing.state is not State.RUNNING:
            after = rules.stopped(after, standing.why)
        if after != rollout:
            await self._ledger.write(lambda connection: store.put(connection, after))
        if after.state is State.STOPPED:
            log.error("rollout %s has stopped: %s", after.id, after.why)
            self._alarms.raised(f"rollout:{after.id}", f"the update of gateways has stopped: {after.why}")
        return after

    async def _ask(self, rollout: Rollout, gateway: str) -> Sent:
        wanted = CommandRequest(
            Operation.GATEWAY_UPDATE,
            args={"bundle": rollout.bundle},
            reason=rollout.reason,
            expires_s=EXPIRES_S,
            key=f"rollout-{rollout.id}-{gateway}",
            gateways=(gateway,),
        )
        answer = await self._commands.submit(wanted, rollout.who)
        if isinstance(answer, Refusal):
            return Sent("", CommandState.REJECTED, answer.detail)
        return Sent(answer.request.id)

    async def _news(self, rollout: Rollout) -> dict[str, Sent]:
        found = {}
        for gateway, its in rollout.sent.items():
            # What was never confirmed may still turn out well: a late result corrects it.
            if its.state in rules.ENDS - {CommandState.UNCONFIRMED} or not its.request:
                continue
            submitted = await self._commands.request(its.request)
            if submitted is not None:
                why = next((order.reason for order in submitted.orders if order.reason), "")
                found[gateway] = Sent(its.request, state_of(submitted.orders), why)
        return found

    async def _keep(self, rollout: Rollout, action: str, who: str, reason: str) -> None:
        def work(connection: Connection) -> None:
            store.put(connection, rollout)
            audit.record(
                connection,
                who=who,
                action=action,
                subject=f"rollout:{rollout.id}",
                reason=reason,
                result=str(rollout.state),
                detail={"bundle": rollout.bundle, "gateways": len(rollout.gateways)},
                time_ms=self._clock.wall_ms(),
            )

        await self._ledger.write(work)
