"""What is due: which open commands are to be sent, sent again, or ended by the clock. In memory, no I/O."""

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lamplighter_contract.commands.states import may_follow
from lamplighter_controller.commands import rules
from lamplighter_controller.commands.model import Order

FIRST_RESEND_S: Final = 2.0
LONGEST_RESEND_S: Final = 15.0
LAST_COPY_MS: Final = 5_000


@dataclass(slots=True)
class Waiting:
    """An open command; `send_s` is when it is to be sent next (None: when its gateway is back, or not any more)."""

    order: Order
    send_s: float | None
    overdue_s: float
    tries: int = 0
    payload: bytes | None = None  # signed once with a key, sent as often as needed
    kid: str = ""


class Outbox:
    """Open commands by when something is due; times in monotonic seconds."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        """Begin empty; `jitter` gives [0, 1)."""
        self._jitter = jitter
        self._by_id: dict[str, Waiting] = {}
        self._by_gateway: defaultdict[str, set[str]] = defaultdict(set)
        self._parked: defaultdict[str, set[str]] = defaultdict(set)
        self._sends: list[tuple[float, int, str]] = []
        self._ends: list[tuple[float, str]] = []

    def __len__(self) -> int:
        """How many commands are open."""
        return len(self._by_id)

    def put(self, order: Order, now_s: float, wall_ms: int) -> None:
        """Take a new command or one that changed; one that is at its end is forgotten, a step back is not taken."""
        overdue_ms = rules.overdue_ms(order)
        known = self._by_id.get(order.id)
        if overdue_ms is None:
            self._forget(order)
            return
        overdue_s = now_s + (overdue_ms - wall_ms) / 1000
        if known is None:
            known = self._by_id[order.id] = Waiting(order, None, overdue_s)
            self._by_gateway[order.gateway].add(order.id)
            self._send_at(known, now_s)
        if _goes_back(known.order, order):
            order = known.order
        known.order, known.overdue_s = order, overdue_s
        heapq.heappush(self._ends, (overdue_s, order.id))

    def due(self, now_s: float, wall_ms: int, ready: Callable[[str], bool]) -> list[Waiting]:
        """What is to be sent now, in the order of the numbers; what its gateway is not ready for waits for it."""
        for gateway in [gateway for gateway in self._parked if ready(gateway)]:
            self.back(gateway, now_s)
        found = []
        while self._sends and self._sends[0][0] <= now_s:
            waiting = self._to_send(heapq.heappop(self._sends))
            if waiting is None or not _in_time(waiting, wall_ms):
                continue
            waiting.send_s = None
            if ready(waiting.order.gateway):
                found.append(waiting)
            else:
                self._parked[waiting.order.gateway].add(waiting.order.id)
        return sorted(found, key=lambda waiting: waiting.order.seq)

    def tried(self, waiting: Waiting, now_s: float) -> None:
        """A command was sent, or could not be: try again later, unless a result comes first."""
        pause_s = min(FIRST_RESEND_S * 2.0 ** min(waiting.tries, 8), LONGEST_RESEND_S)
        waiting.tries += 1
        self._send_at(waiting, now_s + pause_s * (0.75 + 0.5 * self._jitter()))

    def back(self, gateway: str, now_s: float) -> None:
        """A gateway is there again: everything it has not taken yet is due at once."""
        self._parked.pop(gateway, None)
        for command in self._by_gateway.get(gateway, ()):
            waiting = self._by_id[command]
            if rules.wants_sending(waiting.order):
                waiting.tries = 0
                self._send_at(waiting, now_s)

    def overdue(self, now_s: float) -> list[Order]:
        """What time has ended."""
        found = {}
        while self._ends and self._ends[0][0] <= now_s:
            waiting = self._to_end(heapq.heappop(self._ends))
            if waiting is not None:
                found[waiting.order.id] = waiting.order
        return list(found.values())

    def next_s(self) -> float | None:
        """When something may be due next, None when nothing is."""
        while self._sends and self._to_send(self._sends[0]) is None:
            heapq.heappop(self._sends)
        while self._ends and self._to_end(self._ends[0]) is None:
            heapq.heappop(self._ends)
        return min((heap[0][0] for heap in (self._sends, self._ends) if heap), default=None)

    @property
    def parked(self) -> bool:
        """True while a command waits for its gateway."""
        return bool(self._parked)

    def commands(self) -> list[str]:
        """The ids of what is open."""
        return list(self._by_id)

    def gateways(self) -> list[str]:
        """The gateways that something is open for."""
        return list(self._by_gateway)

    def _to_send(self, entry: tuple[float, int, str]) -> Waiting | None:
        """What an entry of the heap stands for, None when it was overtaken."""
        waiting = self._by_id.get(entry[2])
        stands = waiting is not None and waiting.send_s == entry[0] and rules.wants_sending(waiting.order)
        return waiting if stands else None

    def _to_end(self, entry: tuple[float, str]) -> Waiting | None:
        waiting = self._by_id.get(entry[1])
        return waiting if waiting is not None and waiting.overdue_s == entry[0] else None

    def _send_at(self, waiting: Waiting, time_s: float) -> None:
        waiting.send_s = time_s
        heapq.heappush(self._sends, (time_s, waiting.order.seq, waiting.order.id))

    def _forget(self, order: Order) -> None:
        if self._by_id.pop(order.id, None) is None:
            return
        for index in (self._by_gateway, self._parked):
            if order.gateway in index:
                index[order.gateway].discard(order.id)
                if not index[order.gateway]:
                    del index[order.gateway]


def _in_time(waiting: Waiting, wall_ms: int) -> bool:
    """True while a gateway may still accept it."""
    # A copy that arrives after the expiry would be answered "expired", whatever became of the first one.
    margin_ms = LAST_COPY_MS if waiting.tries else 0
    return wall_ms + margin_ms < waiting.order.request.expires_ms


def _goes_back(known: Order, order: Order) -> bool:
    """True for an older view of a command, read before the known one was written."""
    return may_follow(order.state, known.state) or (known.accepted and not order.accepted)
