"""What the audit trail is told of events at gateways: what was refused there, what a person beside one did. Pure."""

from typing import Final

from lamplighter_contract.wire.events import Event
from lamplighter_controller.security.audit import Entry

REFUSED: Final = ".refused."
# What a person beside a gateway did, and what the trail calls it; single blinks and poles stand in the list of events.
BY_HAND: Final = {
    "local.override": "override.local",
    "commission.begun": "commission.begin",
    "commission.feeder": "commission.switch",
    "commission.ended": "commission.end",
}
BURST: Final = 100.0
PER_S: Final = 0.1


def concerns(event: Event) -> bool:
    """Whether an event belongs into the trail; the others only stand in the list of events."""
    return REFUSED in event.event or event.event in BY_HAND


def entry(gateway: str, event: Event, wall_ms: int) -> Entry:
    """The row of an event that belongs into the trail."""
    said = {"time": event.time, "count": event.count, **event.detail}
    if event.event in BY_HAND:
        who = f"{gateway}/{event.detail.get('by', 'local')}"
        of = f"device:{event.device}" if event.device else f"gateway:{gateway}"
        return Entry(who, BY_HAND[event.event], of, "at the gateway", "accepted", wall_ms, said)
    what, _, reason = event.event.partition(REFUSED)
    words = f"{reason}: {event.detail.get('detail', '')}"
    return Entry(f"gateway:{gateway}", f"{what}.refuse", f"gateway:{gateway}", words, "refused", wall_ms, said)


class Flood:
    """Keeps a gateway under attack from filling the trail: a row for each refusal, and in a flood one every 10 s.

    What is left out stands in the list of events, with its count.
    """

    def __init__(self) -> None:
        """Every gateway may begin with a burst."""
        self._left: dict[str, tuple[float, float]] = {}

    def admits(self, gateway: str, now_s: float) -> bool:
        """True if there is room for one more row; monotonic seconds."""
        left, at_s = self._left.get(gateway, (BURST, now_s))
        left = min(BURST, left + (now_s - at_s) * PER_S)
        admitted = left >= 1
        self._left[gateway] = (left - admitted, now_s)
        return admitted
