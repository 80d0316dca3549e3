"""How far a command has come, device by device. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lamplighter_contract.commands.command import Command
from lamplighter_contract.commands.results import DeviceResult, Result
from lamplighter_contract.commands.states import FINAL, CommandState, may_follow, summary
from lamplighter_gateway.commands.answers import DEVICES_PER_RESULT


@dataclass(slots=True)
class Progress:
    """States by device (the key "" stands for the gateway itself) and the number of the next result."""

    command: Command
    n: int
    states: dict[str, CommandState] = field(default_factory=dict)

    @classmethod
    def of(cls, command: Command, results: Sequence[Result]) -> "Progress":
        """Go on where results end."""
        progress = cls(command, max((result.n for result in results), default=0) + 1)
        for result in results:
            progress.states.update({part.device: part.state for part in result.devices})
        return progress

    @property
    def state(self) -> CommandState:
        """The state of the whole command."""
        return summary(frozenset(self.states.values()))

    @property
    def finished(self) -> bool:
        """True when every part has ended."""
        return set(self.states.values()) <= FINAL

    def open_devices(self) -> list[str]:
        """Devices whose part has not ended."""
        return [device for device, state in self.states.items() if state not in FINAL and device]

    def take(self, parts: Iterable[DeviceResult]) -> list[DeviceResult]:
        """Parts that bring something new; what cannot follow is dropped."""
        new = []
        for part in parts:
            known = self.states.get(part.device, CommandState.CREATED)
            if may_follow(known, part.state):
                self.states[part.device] = part.state
                new.append(part)
        return new

    def results(
        self, parts: Sequence[DeviceResult], time_ms: int, reason: str = "", detail: str = ""
    ) -> Iterator[Result]:
        """The next results, in portions; each says the state of the whole."""
        for start in range(0, max(1, len(parts)), DEVICES_PER_RESULT):
            portion = tuple(parts[start : start + DEVICES_PER_RESULT])
            yield Result(self.command.id, self.n, time_ms, self.state, reason, detail, portion)
            self.n += 1
