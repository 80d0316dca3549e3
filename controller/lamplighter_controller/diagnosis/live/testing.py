"""Active tests from the doubt to the verdict: proposed, approved or allowed by the hour, run one at a time."""

import asyncio
import contextlib
import datetime as dt
import logging
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.diagnosis.desk import RULE, IncidentDesk, Who
from lamplighter_controller.diagnosis.incidents.incident import MOST_TRIALS, Incident, Trial
from lamplighter_controller.diagnosis.live.city import Rules
from lamplighter_controller.diagnosis.live.judge import Judge
from lamplighter_controller.diagnosis.live.levels import Levels, TrialFailed
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.topology import NONE
from lamplighter_controller.diagnosis.trials.judging import concluded, judge
from lamplighter_controller.diagnosis.trials.sequence import LEVELS, is_worth_testing
from lamplighter_controller.ledger.errors import LedgerUnavailable

log = logging.getLogger(__name__)

MOST_WAITING: Final = 200


class Tester:
    """A queue of tests; outside the hours in which they begin by themselves, somebody has to ask for one."""

    def __init__(self, desk: IncidentDesk, judge: Judge, levels: Levels, clock: Clock, rules: Rules) -> None:
        """Begin with none waiting."""
        self._desk, self._judge, self._levels, self._clock, self._rules = desk, judge, levels, clock, rules
        self._waiting: asyncio.Queue[tuple[str, Who]] = asyncio.Queue(MOST_WAITING)

    def consider(self, incident: Incident, now_ms: int) -> None:
        """Begin a test of a doubtful lamp where the hour allows it."""
        if is_worth_testing(incident) and self._allowed(now_ms) and not self._waiting.full():
            self._waiting.put_nowait((incident.id, Who(RULE, "the class is in doubt, and the hour allows a test")))

    async def approve(self, identity: str, by: Who) -> Incident | Refusal | None:
        """Begin a test that somebody wants; None when there is no such incident.

        Raises:
            LedgerUnavailable: it is not known to be stored, and does not begin.
        """
        if self._waiting.full():
            return Refusal(Reason.CAPACITY, f"{MOST_WAITING} tests wait already")
        found = await self._desk.change(identity, lambda one: _begun(one, by.who, self._clock.civil_ms()), by, "tested")
        if isinstance(found, Incident):
            self._waiting.put_nowait((identity, by))
        return found

    async def run(self) -> None:
        """Test by test, for ever; those that a restart has cut off are given up."""
        for incident in self._desk.open():
            trial = _running(incident)
            if trial is not None:
                with contextlib.suppress(LedgerUnavailable):
                    await self._give_up(incident, trial, Who(RULE, "restart"), "cut off by a restart")
        while True:
            identity, by = await self._waiting.get()
            try:
                await self._test(identity, by)
            except LedgerUnavailable as error:
                log.warning("the test of %s is given up: %s", identity, error)

    async def _test(self, identity: str, by: Who) -> None:
        now_ms = self._clock.civil_ms()
        incident = self._desk.incident(identity)
        if incident is not None and _running(incident) is None:
            begun = await self._desk.change(identity, lambda one: _begun(one, by.who, now_ms), by, "tested")
            incident = begun if isinstance(begun, Incident) else None
        trial = None if incident is None else _running(incident)
        due_w = None if incident is None else self._due_w(incident)
        if incident is None or trial is None:
            return
        if due_w is None:
            await self._give_up(incident, trial, by, "its model is not known")
            return
        try:
            read = await self._levels.run(self._device(incident), f"test:{identity}:{trial.time_ms}", by.who)
        except TrialFailed as error:
            await self._give_up(incident, trial, by, str(error))
            return
        done = msgspec.structs.replace(trial, readings=read)
        judged = judge(incident.alternatives, read, due_w)
        now_ms = self._clock.civil_ms()
        await self._desk.change(identity, lambda one: concluded(one, done, judged, now_ms), by, "test-ended")

    async def _give_up(self, incident: Incident, trial: Trial, by: Who, why: str) -> None:
        now_ms = self._clock.civil_ms()
        await self._desk.change(incident.id, lambda one: _ended(one, trial, why, now_ms), by, "test-ended")

    def _device(self, incident: Incident) -> str:
        topology = self._judge.topology
        row = topology.rows_by_name(incident.element.kind.value).get(incident.element.id, NONE)
        return incident.element.id if row == NONE else topology.lamp_device[row]

    def _due_w(self, incident: Incident) -> dict[float, float] | None:
        topology = self._judge.topology
        row = topology.rows_by_name(incident.element.kind.value).get(incident.element.id, NONE)
        model = NONE if row == NONE else int(topology.lamp_model[row])
        known = None if model == NONE else self._judge.supply.models.get(topology.models[model])
        return None if known is None else {level: _drawn_w(known, level) for level in LEVELS}

    def _allowed(self, now_ms: int) -> bool:
        """The hour lies in the window, which may span midnight."""
        local = dt.datetime.fromtimestamp(now_ms / 1000, ZoneInfo(self._rules.sla.zone))
        hour, begin, end = local.hour + local.minute / 60, self._rules.tests_from_h, self._rules.tests_until_h
        return begin <= hour < end if begin <= end else hour >= begin or hour < end


def _drawn_w(model: LampModel, level: float) -> float:
    """What a lamp of that model draws; without a curve, in proportion, and little when it is off."""
    if not model.curve:
        return model.rated_w * max(level / 100, 0.01)
    points = sorted(model.curve)
    if level <= 0:
        return model.rated_w * 0.01
    for (low, low_w), (high, high_w) in zip([(0.0, 0.0), *points], points, strict=False):
        if level <= high:
            return low_w + (high_w - low_w) * (level - low) / (high - low) if high > low else high_w
    return points[-1][1]


def _begun(incident: Incident, who: str, now_ms: int) -> Incident | Refusal:
    if incident.element.kind.value != "lamp" or not incident.is_open:
        return Refusal(Reason.ARGUMENT, "only lamps with an open incident can be tested")
    if _running(incident) is not None:
        return Refusal(Reason.REPEATED, "a test is under way")
    trials = (*incident.trials[-MOST_TRIALS + 1 :], Trial("running", now_ms, who))
    return msgspec.structs.replace(incident, trials=trials, changed_ms=now_ms)


def _running(incident: Incident) -> Trial | None:
    return next((trial for trial in incident.trials if trial.state == "running"), None)


def _ended(incident: Incident, trial: Trial, why: str, now_ms: int) -> Incident:
    rest = tuple(one for one in incident.trials if one.time_ms != trial.time_ms)
    ended = msgspec.structs.replace(trial, state="refused", text=why)
    return msgspec.structs.replace(incident, trials=(*rest, ended), changed_ms=now_ms)
