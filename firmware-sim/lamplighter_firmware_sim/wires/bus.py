"""One bus: the slaves on it by unit id, and what they do with a request."""

from dataclasses import dataclass

from lamplighter_firmware_sim.wires.modbus import BROADCAST, Unit, respond


@dataclass(slots=True)
class Bus:
    """The slaves of one bus and what passed over it."""

    units: dict[int, Unit]
    requests: int = 0
    unanswered: int = 0
    corrupt: int = 0

    def ask(self, unit_id: int, pdu: bytes) -> tuple[bytes, float] | None:
        """Answer and the seconds by which it is late, or None: nobody there, no supply, silent, or a broadcast."""
        self.requests += 1
        if unit_id == BROADCAST:
            for unit in self.units.values():
                if unit.hears_broadcast and unit.answers():
                    respond(unit, pdu)
            return None
        addressed = self.units.get(unit_id)
        if addressed is None or not addressed.answers():
            self.unanswered += 1
            return None
        return respond(addressed, pdu), addressed.delay_s()
