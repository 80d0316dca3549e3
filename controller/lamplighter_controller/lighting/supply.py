"""Whether a lamp has power by plan: one on a circuit that is dead by plan is off, not silent. Pure."""

from collections.abc import Mapping, Sequence

from lamplighter_contract.level import Override
from lamplighter_contract.light.level import circuit_level, level
from lamplighter_contract.light.signals import Signals
from lamplighter_contract.light.view import View


def open_circuit(
    view: View, device: str, now_ms: int, signals: Signals, by_hand: Mapping[str, Sequence[Override]]
) -> str | None:
    """The contactor of a lamp that is to be open now (civil epoch ms), as its gateway decides it; None: it is fed.

    `by_hand`: levels by hand in force, by device.
    """
    circuit = next((one for one in view.circuits.values() if device in one.lamps), None)
    if circuit is None:
        return None
    lamps = {lamp: level(view, lamp, now_ms, signals, by_hand.get(lamp, ())) for lamp in circuit.lamps}
    its = circuit_level(view, circuit, now_ms, lamps, by_hand.get(circuit.id, ()))
    return circuit.id if its.level_percent == 0 else None
