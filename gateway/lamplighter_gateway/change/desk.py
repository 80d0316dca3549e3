"""Where other configurations come in: judged as a whole, tried bus by bus, taken back when they cut something off."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

import msgspec

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.bounded import read_object
from lamplighter_contract.wire.config import ConfigDocument, read_config
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES, MAX_TEXT
from lamplighter_gateway.app import Ending, Gateway
from lamplighter_gateway.buses import Served
from lamplighter_gateway.change.starting import Found, Start, of_file
from lamplighter_gateway.change.store import Kept
from lamplighter_gateway.change.trial import Trial, Verdict, judge
from lamplighter_gateway.config.candidate import Candidate, said_by
from lamplighter_gateway.config.load import read
from lamplighter_gateway.config.model import Config, Rules
from lamplighter_gateway.config.problem import Problems
from lamplighter_gateway.control import Answer, Request
from lamplighter_gateway.errors import GatewayError
from lamplighter_gateway.readings import Reports
from lamplighter_gateway.settings import InForce

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
S_PER_MIN: Final = 60.0
MOST_TOLD: Final = 4  # mistakes in an event; the log has them all

Prepare = Callable[[Config, Config], tuple[Served, Reports]]


class ConfigDesk:
    """Takes configurations from the centre and from the person beside it; only one of both rules."""

    def __init__(
        self, start: Start, gateway: Gateway, clock: Clock, environment: Mapping[str, str], prepare: Prepare
    ) -> None:
        """`prepare` makes the drivers that are new when one configuration follows another; it raises GatewayError."""
        self._file, self._store, self._kept = start.file, start.store, start.kept
        self._config, self._candidate, self._instead = start.config, start.candidate, start.instead
        self._gateway, self._clock, self._environment, self._prepare = gateway, clock, environment, prepare
        self._one_at_a_time = asyncio.Lock()
        self._waiting = b""
        self._trial: Trial | None = None
        self._since_s = clock.monotonic_s()
        gateway.keys.changed.append(self._try_again)

    @property
    def about(self) -> Answer:
        """For the person beside it: what is in force, what is on trial, what is not followed and why."""
        return {
            "version": self._candidate.version,
            "number": self._candidate.number,
            "rules": self._candidate.source,
            "trial": self._trial is not None and self._kept.good is not None,
            "instead": list(self._instead),
            "taken_back": list(self._kept.taken_back),
        }

    @property
    def in_force(self) -> tuple[Config, Mapping[str, Any]]:
        """The configuration, and its trees as they were read."""
        its = self._candidate
        return self._config, {"file": its.tree, "centre": its.central, "about": self.about}

    async def run(self) -> NoReturn:
        """Watch over trials until cancelled."""
        for why in self._instead:
            log.error("the configuration of the file is not followed, the last good one is: %s", why)
            self._gateway.events.say("config.refused", detail=why[:MAX_TEXT], version=self._candidate.version)
        if self._kept.trial is not None:
            self._begin_trial()
        while True:
            await asyncio.sleep(LOOK_S)
            async with self._one_at_a_time:
                await self.look()

    async def look(self) -> None:
        """One look at the trial, and at what answers now that never did."""
        answers = self._gateway.answering(self._since_s)
        if self._trial is None:
            more = answers.also(self._kept.answers)
            if self._kept.good is not None and more != self._kept.answers:
                self._keep(msgspec.structs.replace(self._kept, answers=more))
            return
        verdict = judge(self._trial, answers, self._clock.monotonic_s())
        if verdict is Verdict.PROVEN:
            self._trial = None
            self._keep(self._kept.proves(answers))
            log.info("the configuration %s is good", self._candidate.version)
            self._gateway.events.say("config.proven", version=self._candidate.version)
        elif verdict is Verdict.FAILED and self._kept.good is not None:
            await self._take_back(answers.lack(self._trial.before))

    async def reload(self, _request: Request, user: str) -> Answer:
        """The file was changed: try it, or say everything that is wrong with it."""
        async with self._one_at_a_time:
            found = of_file(self._file, self._kept.central, self._environment)
            if not isinstance(found, Found):
                return {"error": "not taken, the old one goes on", "problems": list(map(str, found))}
            if found.candidate.version == self._candidate.version:
                return {"outcome": "unchanged", "version": found.candidate.version}
            return await self._try(found, f"local:{user}")

    async def take(self, payload: bytes, _retained: bool) -> None:
        """A central configuration as it came."""
        async with self._one_at_a_time:
            document = self._central(payload)
            if isinstance(document, Refusal):
                self._refuse(document, payload)
            elif document is not None:
                await self._adopt(document)

    def _central(self, payload: bytes) -> ConfigDocument | Refusal | None:
        """What the centre wants followed; None when nothing new is said."""
        found = read_object(payload, MAX_DOCUMENT_BYTES) if payload else None
        if found is None or isinstance(found, Refusal):
            return found
        document = self._gateway.keys.check(found) or read_config(found)
        return document if isinstance(document, Refusal) else self._judged(document)

    def _judged(self, document: ConfigDocument) -> ConfigDocument | Refusal | None:
        if document.gateway != self._config.gateway:
            return Refusal(Reason.ADDRESS, f"the configuration is for {document.gateway}")
        if self._config.ruling.rules is Rules.LOCAL:
            return Refusal(Reason.OPERATION, "the gateway's own file rules (config.rules: local)")
        said = self._candidate.central
        if said is not None and said == said_by(document):
            return None
        if document.version <= self._candidate.number:
            return Refusal(Reason.REPLAYED, f"version {document.version}, {self._candidate.number} is in force")
        return document

    async def _adopt(self, document: ConfigDocument) -> None:
        self._waiting = b""
        found = of_file(self._file, said_by(document), self._environment)
        if not isinstance(found, Found):
            self._refuse(_mistaken(found), b"")
        elif found.candidate.version not in self._kept.taken_back:
            answer = await self._try(found, "centre")
            if "error" in answer:
                self._refuse(Refusal(Reason.MALFORMED, str(answer.get("problems", answer["error"]))[:MAX_TEXT]), b"")

    async def _try(self, found: Found, by: str) -> Answer:
        candidate, config = found.candidate, found.config
        restarts = not only_served_differs(self._config, config)
        try:
            prepared = None if restarts else self._prepare(self._config, config)
        except GatewayError as error:
            return {"error": "not taken, the old one goes on", "problems": [str(error)]}
        since_s = self._clock.monotonic_s() - config.ruling.trial_min * S_PER_MIN
        if not self._keep(self._kept.tries(candidate, self._gateway.answering(since_s))):
            return {"error": "no room on the disk to keep it; the old one goes on"}
        self._gateway.events.say("config.tried", version=candidate.version, by=by)
        log.info("configuration %s is tried for %g min (%s)", candidate.version, config.ruling.trial_min, by)
        if prepared is None:
            self._gateway.stop(Ending.RESTART)
            return {"outcome": "restarts", "version": candidate.version}
        buses = changed_buses(self._config, config)
        await self._follow(candidate, config, prepared)
        self._begin_trial()
        return {"outcome": "on trial", "version": candidate.version, "buses": buses}

    async def _take_back(self, lack: str) -> None:
        bad, good = self._candidate.version, self._kept.good
        assert good is not None, "only then a trial can fail"
        self._trial = None
        self._keep(self._kept.takes_back())
        self._instead = (f"version {bad} was taken back after its trial: {lack}",)
        log.error("configuration %s is taken back (%s); %s goes on", bad, lack, good.version)
        self._gateway.events.say("config.taken_back", version=bad, detail=lack, instead=good.version)
        config = read(good, self._environment)
        if isinstance(config, tuple) or not only_served_differs(self._config, config):
            self._gateway.stop(Ending.RESTART)
        else:
            await self._follow(good, config, self._prepare(self._config, config))

    async def _follow(self, candidate: Candidate, config: Config, prepared: tuple[Served, Reports]) -> None:
        await self._gateway.serve(*prepared, InForce(candidate.number, candidate.source))
        self._candidate, self._config = candidate, config

    def _begin_trial(self) -> None:
        now_s = self._clock.monotonic_s()
        self._since_s = now_s
        self._trial = Trial(self._kept.before, now_s + self._config.ruling.trial_min * S_PER_MIN)

    def _keep(self, kept: Kept) -> bool:
        saved = self._store.save(kept)
        if saved:
            self._kept = kept
        return saved

    def _refuse(self, refusal: Refusal, payload: bytes) -> None:
        # Retained documents come in no order: this one may be here before the key that it was signed with.
        self._waiting = payload if refusal.reason is Reason.KEY else b""
        self._gateway.events.say(f"config.refused.{refusal.reason}", detail=refusal.detail)
        log.warning("a configuration of the centre was refused: %s", refusal.detail)

    async def _try_again(self) -> None:
        waiting, self._waiting = self._waiting, b""
        if waiting:
            await self.take(waiting, True)


def _mistaken(problems: Problems) -> Refusal:
    for problem in problems:
        log.error("the centre's configuration: %s", problem)
    told = "; ".join(map(str, problems[:MOST_TOLD]))
    more = f" (and {len(problems) - MOST_TOLD} more)" if len(problems) > MOST_TOLD else ""
    return Refusal(Reason.MALFORMED, (told + more)[:MAX_TEXT])


def only_served_differs(old: Config, new: Config) -> bool:
    """True when nothing differs that needs a new process start."""
    return old.report.compress == new.report.compress and replace(old, **_served(new)) == new


def changed_buses(old: Config, new: Config) -> list[str]:
    """Buses that are gone, new, or not what they were, devices and profiles included."""
    before = {bus.id: (bus, old.devices_on(bus.id)) for bus in old.buses}
    after = {bus.id: (bus, new.devices_on(bus.id)) for bus in new.buses}
    return [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]


def _served(config: Config) -> dict[str, Any]:
    """The parts that may change while the gateway runs."""
    return {
        "version": config.version,
        "number": config.number,
        "buses": config.buses,
        "devices": config.devices,
        "report": config.report,
    }
