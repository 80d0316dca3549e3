"""The probe itself: ask, note, and stop when it is clear or the time is over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_gateway.commissioning.probe.attempts import Attempt, Observed
from lamplighter_gateway.commissioning.probe.settings import worth_trying
from lamplighter_gateway.commissioning.wire.asking import ask
from lamplighter_gateway.commissioning.wire.frames import Kind, read_pdu
from lamplighter_gateway.commissioning.wire.port import Line, Setting, Trouble

LISTEN_S: Final = 1.0  # long enough for the poll of most other masters
SLOWEST_S: Final = 1.0  # a unit that thinks longer is taken for silent
FEW: Final = 3  # units asked at a setting that is only a guess
PATIENCE: Final = 2  # questions to a unit that says nothing
TIMES: Final = 3  # each unit of a setting that works, to see what share is garbled


@dataclass(frozen=True, slots=True)
class Target:
    """One register of one unit that ought to be there."""

    unit: int
    function: int = 3
    address: int = 0
    count: int = 1

    @property
    def pdu(self) -> bytes:
        """The request."""
        return read_pdu(self.function, self.address, self.count)


@dataclass(slots=True)
class Probe:
    """One probe of one line. `say` is told each step, for a person who waits.

    It listens for `listen_s` before it asks, and gives a unit `slowest_s` before it takes it for silent.
    """

    line: Line
    targets: Sequence[Target]
    configured: Setting | None
    timeout_s: float
    budget_s: float
    clock: Clock
    say: Callable[[str], None] = lambda _text: None
    listen_s: float = LISTEN_S
    slowest_s: float = SLOWEST_S
    _attempts: list[Attempt] = field(default_factory=list)
    _unsupported: list[Setting] = field(default_factory=list)
    _end_s: float = 0.0
    _cut: bool = False

    async def run(self) -> Observed:
        """Everything that was seen; the line is closed."""
        self._end_s = self.clock.monotonic_s() + self.budget_s
        seen = Observed(self.line.name, self.line.is_serial, self.configured, self.timeout_s)
        failure = await self.line.open(self.configured)
        try:
            if failure is not None and failure.trouble is not Trouble.UNSUPPORTED:
                return replace(seen, not_opened=failure)
            unasked = await self.line.listen(self.listen_s) if failure is None else b""
            await self._try_settings()
        finally:
            self.line.close()
        if not self._attempts:
            return replace(seen, not_opened=failure)
        attempts, unsupported = tuple(self._attempts), tuple(self._unsupported)
        return replace(seen, attempts=attempts, unasked=unasked, unsupported=unsupported, cut=self._cut)

    async def _try_settings(self) -> None:
        guesses: Sequence[Setting | None] = [None] if self.configured is None else worth_trying(self.configured)
        for setting in guesses:
            if self._over:
                self._cut = True
                return
            if self._lost:
                return
            if setting is not None and await self.line.open(setting) is not None:
                self._unsupported.append(setting)
                continue
            if await self._works(setting):
                await self._look_closely(setting)
                return

    async def _works(self, setting: Setting | None) -> bool:
        """Whether anybody is understood at a setting; the configured one is given more time and more units."""
        own = setting == self.configured
        self.say(f"{self.line.name} {setting or ''}: asking {len(self.targets if own else self.targets[:FEW])} units")
        for target in self.targets if own else self.targets[:FEW]:
            if self._over:
                break
            if (await self._ask(setting, target, self.timeout_s)).said.alive:
                return True
        if own and self.targets and not self._over:
            await self.line.listen(self.slowest_s)  # a late answer must not be taken for the next question's
            return (await self._ask(setting, self.targets[0], max(self.slowest_s, self.timeout_s))).said.alive
        return False

    async def _look_closely(self, setting: Setting | None) -> None:
        """Somebody answers: everybody is asked, more than once, with patience for the slow."""
        self.say(f"{self.line.name} {setting or ''}: somebody answers, asking all {len(self.targets)} units")
        slow = any(one.said.alive and (one.after_s or 0.0) > self.timeout_s for one in self._attempts)
        patience_s = max(self.slowest_s, self.timeout_s)
        for turn in range(TIMES):
            for target in self.targets:
                if self._over:
                    self._cut = True
                    return
                if self._lost:
                    return
                dead = turn and self._silent(setting, target.unit)
                if not dead:
                    await self._ask(setting, target, self.timeout_s if turn and not slow else patience_s)

    def _silent(self, setting: Setting | None, unit: int) -> bool:
        """A unit that said nothing twice is not waited for again, unless noise may have swallowed the question."""
        own = [one for one in self._attempts if one.unit == unit and one.setting == setting]
        noisy = any(one.said.kind is Kind.GARBLED for one in self._attempts if one.setting == setting)
        return len(own) >= PATIENCE and all(not one.heard for one in own) and not noisy

    async def _ask(self, setting: Setting | None, target: Target, patience_s: float) -> Attempt:
        patience_s = min(patience_s, max(self._end_s - self.clock.monotonic_s(), 0.05))
        answer = await ask(self.line, target.unit, target.pdu, patience_s)
        heard = answer.heard
        attempt = Attempt(setting, target.unit, answer.said, heard.data, heard.after_s, patience_s)
        self._attempts.append(attempt)
        return attempt

    @property
    def _lost(self) -> bool:
        """True once a serial port is gone."""
        return self.line.is_serial and bool(self._attempts) and self._attempts[-1].said.kind is Kind.CLOSED

    @property
    def _over(self) -> bool:
        return self.clock.monotonic_s() >= self._end_s
