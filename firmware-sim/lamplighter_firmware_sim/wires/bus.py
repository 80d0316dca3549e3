"""One bus: the slaves on it by unit id, what they do with a request, and what is wrong with its line."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lamplighter_firmware_sim.wires.modbus import BROADCAST, Unit, respond

_EVERY: Final = 3  # answers, of which the last is late


class Answer(NamedTuple):
    """What a slave says, in whose name, and the real seconds by which it is late."""

    pdu: bytes
    unit: int
    late_s: float


def sound(_fault: str) -> float:
    """A line without faults."""
    return 0.0


@dataclass(slots=True)
class Bus:
    """The slaves of one bus and what passed over it; `strength` tells how strongly a fault befalls its line."""

    units: dict[int, Unit]
    strength: Callable[[str], float] = sound
    requests: int = 0
    unanswered: int = 0
    corrupt: int = 0
    _answered: Counter[int] = field(default_factory=Counter)

    def ask(self, unit_id: int, pdu: bytes) -> Answer | None:
        """The answer, or None: nobody there, no supply, silent, or a broadcast."""
        self.requests += 1
        if unit_id == BROADCAST:
            for unit in list(self.units.values()):
                if unit.hears_broadcast and unit.answers():
                    respond(unit, pdu)
            return None
        addressed = self.units.get(unit_id)
        if addressed is None or not addressed.answers():
            self.unanswered += 1
            return None
        return self._answer(addressed, unit_id, pdu)

    def _answer(self, unit: Unit, unit_id: int, pdu: bytes) -> Answer:
        self._answered[unit_id] += 1
        refusal = int(unit.strength("refuses"))
        said = bytes((pdu[0] | 0x80, refusal)) if refusal else respond(unit, pdu)
        late_ms = unit.strength("slow")
        if self._answered[unit_id] % _EVERY == 0:
            late_ms += unit.strength("third_late")
        return Answer(said, (unit_id + int(unit.strength("wrong_unit"))) % 256, late_ms / 1000)
