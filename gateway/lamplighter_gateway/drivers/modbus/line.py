"""The arithmetic of a serial line: how long frames take and how long it must be silent between them."""

from dataclasses import dataclass
from typing import Final

from lamplighter_gateway.config.model import Bus, Parity, SerialBus
from lamplighter_gateway.drivers.modbus.planner import BusCost

_FAST_GAP_S: Final = 0.00175  # Modbus over serial line 1.02, 2.5.1.1: fixed above 19,200 baud
_TURNAROUND_S: Final = 0.01  # a common controller; only the planner's choice of holes depends on it
_READ_FRAMES: Final = 8 + 5  # request and answer of a read without registers, in characters
_TCP_COST: Final = BusCost(transaction_s=0.06, register_s=0.001)  # as a serial line of 19,200 baud behind it


@dataclass(frozen=True, slots=True)
class SerialLine:
    """One character and the silence between frames, in seconds."""

    character_s: float
    gap_s: float

    def frame_s(self, characters: int) -> float:
        """Seconds that many characters take."""
        return characters * self.character_s


def serial_line(bus: SerialBus) -> SerialLine:
    """The line's timing from its baud rate, parity and stop bits."""
    bits = 1 + 8 + (bus.parity is not Parity.NONE) + bus.stop_bits
    character_s = bits / bus.baud
    return SerialLine(character_s, _FAST_GAP_S if bus.baud > 19_200 else 3.5 * character_s)


def bus_cost(bus: Bus) -> BusCost:
    """What a transaction costs on this bus."""
    if not isinstance(bus, SerialBus):
        return _TCP_COST
    line = serial_line(bus)
    return BusCost(line.frame_s(_READ_FRAMES) + 2 * line.gap_s + _TURNAROUND_S, line.frame_s(2))
