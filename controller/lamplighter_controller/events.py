"""What the rooms of the controller tell each other; they never import one another sideways."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.series.port import Readings

QUEUE_LIMIT: Final = 10_000


@dataclass(frozen=True, slots=True)
class ReadingsStored:
    """Readings that are in the series store; backlog (`live` false) never moves a lamp or limits a truck."""

    gateway: str
    readings: Readings
    live: bool


@dataclass(frozen=True, slots=True)
class CommandChanged:
    """A command, or its part for one device, went on to another state."""

    request: str
    command: str
    gateway: str
    state: CommandState
    devices: tuple[tuple[str, CommandState, str], ...]  # device, state, reason


@dataclass(frozen=True, slots=True)
class GatewayChanged:
    """A gateway came, went, or told something new about itself; `online` is None while that is not known."""

    gateway: str
    online: bool | None


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    """A gateway serves other devices than before."""

    gateway: str


@dataclass(frozen=True, slots=True)
class InventoryChanged:
    """What stands in the streets was entered anew or differently; `what` names the kind of thing."""

    what: str


@dataclass(frozen=True, slots=True)
class AlarmChanged:
    """An alarm about the system itself was raised or cleared; `key` names it for good."""

    key: str
    raised: bool
    text: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """An incident of the street was raised, or went on; `time_ms` is civil."""

    incident: str
    element_kind: str
    element: str
    class_id: str
    state: str
    severity: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class DeviceHappened:
    """A gateway told of something at a device, and the ledger has it; a repeat may be told again. `time_ms` civil."""

    gateway: str
    device: str
    event: str
    detail: Mapping[str, str | float | int | bool | None]
    time_ms: int


@dataclass(frozen=True, slots=True)
class FleetChanged:
    """A violation, a limit, an ask, a switch or the register of the fleet changed; `time_ms` civil."""

    what: str
    id: str
    truck: str
    state: str
    time_ms: int
    class_id: str = ""


@dataclass(frozen=True, slots=True)
class ElementReplaced:
    """A part was exchanged on site: what was learned of these elements, (kind, id), no longer holds."""

    elements: tuple[tuple[str, str], ...]
    time_ms: int


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """A work order began, or went on; `time_ms` is civil."""

    order: str
    element_kind: str
    element: str
    class_id: str
    state: str
    priority: int
    time_ms: int


Event = (
    ReadingsStored
    | CommandChanged
    | GatewayChanged
    | DevicesChanged
    | InventoryChanged
    | AlarmChanged
    | IncidentChanged
    | DeviceHappened
    | FleetChanged
    | ElementReplaced
    | OrderChanged
)


@dataclass(slots=True)
class Subscription:
    """One listener's queue; when it does not keep up, the oldest events go and `missed` counts them."""

    kinds: tuple[type[Event], ...] = ()
    queue: asyncio.Queue[Event] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))
    missed: int = 0

    def put(self, event: Event) -> None:
        """Take an event, dropping the oldest when full."""
        if self.queue.full():
            self.queue.get_nowait()
            self.missed += 1
        self.queue.put_nowait(event)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Events as they come, for ever."""
        while True:
            yield await self.queue.get()


class Events:
    """Hands every event to every listener; never waits for one."""

    def __init__(self) -> None:
        """Begin with no listener."""
        self._by_id: dict[int, Subscription] = {}

    def publish(self, event: Event) -> None:
        """Tell everyone."""
        for subscription in self._by_id.values():
            if isinstance(event, subscription.kinds):
                subscription.put(event)

    @contextmanager
    def subscribe(self, *kinds: type[Event]) -> Iterator[Subscription]:
        """Listen to events of these kinds while the block runs."""
        subscription = Subscription(kinds)
        self._by_id[id(subscription)] = subscription
        try:
            yield subscription
        finally:
            del self._by_id[id(subscription)]
