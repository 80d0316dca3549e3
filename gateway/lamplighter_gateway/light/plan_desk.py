"""Where plans and signals come in: verified, kept on disk, and only then in force. What is refused changes nothing."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.level import Override
from lamplighter_contract.light.overrides import under_plan
from lamplighter_contract.light.plans.plan import Plan, decode_plan, encode_plan, read_plan, unfit
from lamplighter_contract.light.signals import SignalsDocument, by_name, read_signals
from lamplighter_contract.light.view import View
from lamplighter_contract.wire.bounded import read_object
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.keys import Keys
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.events import Events
from lamplighter_gateway.light.wanted import Wanted
from lamplighter_gateway.watch.counters import Counters

log = logging.getLogger(__name__)

PLAN: Final = "plan"
SIGNAL: Final = "signal"


class PlanDesk:
    """Takes plans and signals from the uplink, and those kept at the start."""

    def __init__(
        self,
        gateway: str,
        entries: Mapping[str, DeviceEntry],
        keys: Keys,
        journal: Journal,
        wanted: Wanted,
        events: Events,
        counters: Counters,
        changed: Callable[[], None],
        unfit_shows: Callable[[Plan], Refusal | None],
    ) -> None:
        """`changed` is called when another plan is in force; `unfit_shows` says what of it the wires cannot carry."""
        self._gateway = gateway
        self._entries = entries
        self._keys = keys
        self._journal = journal
        self._wanted = wanted
        self._events = events
        self._counters = counters
        self._changed = changed
        self._unfit_shows = unfit_shows
        self._signals = SignalsDocument(gateway, 0, ())
        self._waiting: dict[str, bytes] = {}
        keys.changed.append(self.try_again)

    @property
    def version(self) -> int:
        """The version of the plan in force, 0 without one."""
        return self._wanted.view.plan.version if self._wanted.view is not None else 0

    async def open(self) -> None:
        """Take up the plan and the signals that were in force; whose key signed them no longer matters."""
        # Signals first: a plan that is followed for a moment without them would move lamps.
        body = await self._journal.signals()
        signals = read_signals(msgspec.json.decode(body)) if body is not None else None
        if isinstance(signals, SignalsDocument):
            self._signals, self._wanted.signals = signals, by_name(signals)
        body = await self._journal.plan()
        if body is not None:
            plan = await asyncio.to_thread(decode_plan, body)
            if isinstance(plan, Refusal):
                self._without_plan(plan.detail)
            else:
                self._wanted.follow(await asyncio.to_thread(View, plan))
        elif await self._journal.commissioned():
            self._without_plan("it was lost with the ledger")

    def _without_plan(self, why: str) -> None:
        log.error("the kept plan is of no use (%s): light by the sensors, or full light, until a new one comes", why)
        self._events.say("plan.unusable", detail=why)
        self._wanted.follow(None)

    async def take_plan(self, payload: bytes, _retained: bool) -> None:
        """A plan as it came."""
        # In a thread: a plan of 1 MiB takes a while to verify, and polls go on meanwhile.
        plan = await asyncio.to_thread(self._read_plan, payload)
        if isinstance(plan, Refusal):
            self._refuse(PLAN, plan, payload)
        elif plan is not None and plan.generation > self._journal.generation:
            self._waiting[PLAN] = payload
            log.warning("plan %d waits: isolations and locks of the box before this one come first", plan.version)
        elif plan is not None:
            await self._adopt(plan, payload)

    async def take_signals(self, payload: bytes, _retained: bool) -> None:
        """Signals as they came; they replace all of those before."""
        signals = self._read_signals(payload)
        if isinstance(signals, Refusal):
            self._refuse(SIGNAL, signals, payload)
            return
        self._waiting.pop(SIGNAL, None)
        if signals == self._signals:
            return
        try:
            await self._journal.keep_signals(msgspec.json.encode(signals))
        except DiskFullError:
            log.warning("no room to keep signals; they count until the next start")
        self._signals, self._wanted.signals = signals, by_name(signals)
        self._counters.add("signals_accepted")

    def _read_plan(self, payload: bytes) -> Plan | Refusal | None:
        """The plan, or None when it is the one in force."""
        document = self._authentic(payload)
        plan = read_plan(document) if not isinstance(document, Refusal) else document
        if isinstance(plan, Refusal):
            return plan
        refusal = unfit(plan, self._gateway, self.version)
        if refusal is not None:
            return refusal
        if self._wanted.view is None or plan.version > self.version:
            return self._unfit_shows(plan) or plan
        if replace(plan, generation=0) == replace(self._wanted.view.plan, generation=0):
            return None
        return Refusal(Reason.PLAN_VERSION, f"version {plan.version} is in force and says something else")

    def _read_signals(self, payload: bytes) -> SignalsDocument | Refusal:
        document = self._authentic(payload)
        signals = read_signals(document) if not isinstance(document, Refusal) else document
        if isinstance(signals, Refusal):
            return signals
        if signals.gateway != self._gateway:
            return Refusal(Reason.ADDRESS, f"the signals are for {signals.gateway}")
        if signals.version < self._signals.version:
            return Refusal(Reason.REPLAYED, f"version {signals.version}, {self._signals.version} is known")
        return signals

    def _authentic(self, payload: bytes) -> Mapping[str, Any] | Refusal:
        document = read_object(payload, MAX_DOCUMENT_BYTES)
        if isinstance(document, Refusal):
            return document
        return self._keys.check(document) or document

    async def _adopt(self, plan: Plan, payload: bytes) -> None:
        view = await asyncio.to_thread(View, plan)
        try:
            await self._journal.keep_plan(encode_plan(plan), lambda: self._in_force(plan))
        except DiskFullError:
            self._waiting[PLAN] = payload
            self._counters.add("plans_no_room")
            log.warning("plan %d waits: no room on the disk to keep it; plan %d goes on", plan.version, self.version)
            return
        self._waiting.pop(PLAN, None)
        self._wanted.follow(view)
        self._counters.add("plans_accepted")
        self._events.say("plan.accepted", version=plan.version)
        log.info("plan %d is in force", plan.version)
        self._changed()

    def _in_force(self, plan: Plan) -> list[Override]:
        desired = self._journal.desired
        found = under_plan(plan, desired.overrides(), desired.resumed)
        return [record for record in found if record.device in self._entries]

    def _refuse(self, what: str, refusal: Refusal, payload: bytes) -> None:
        # Retained documents come in no order: one may be here before the key that it was signed with.
        if refusal.reason is Reason.KEY:
            self._waiting[what] = payload
        self._counters.add(f"{what}_refused_{refusal.reason}")
        self._events.say(f"{what}.refused.{refusal.reason}", detail=refusal.detail)
        log.warning("a %s was refused: %s", what, refusal.detail)

    async def try_again(self) -> None:
        """What waited for a key, for room or for a handover may go on."""
        waiting, self._waiting = self._waiting, {}
        if PLAN in waiting:
            await self.take_plan(waiting[PLAN], True)
        if SIGNAL in waiting:
            await self.take_signals(waiting[SIGNAL], True)
