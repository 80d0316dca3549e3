"""What the controller asks of a message broker, whichever it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from lamplighter_controller.errors import ControllerError


class LinkDown(ControllerError):
    """There is no connection to the broker, or it was lost before the broker answered: nothing is known to be sent."""


class PublishDenied(ControllerError):
    """The broker refused to take this message; the topic and its reason are in the message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message from the broker; `retained` when it was there before we asked."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we are gone."""

    topic: str
    payload: bytes


# Called for every message as it comes; must return at once, and bound for itself what it keeps.
Handler = Callable[[Message], None]
# Called after each connect, before any message is handed over.
OnUp = Callable[[], Awaitable[None]]


class Link(Protocol):
    """A connection that comes back by itself. QoS 1, retained messages are seen anew at each connect."""

    @property
    def up(self) -> bool:
        """True while connected and subscribed."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand a message to the broker; returns when it has taken it.

        Raises:
            LinkDown: not connected, or the connection went before the answer.
            PublishDenied: the broker said no.
        """

    async def renew(self) -> None:
        """Subscribe once more, so that every retained message comes again.

        Raises:
            LinkDown: not connected.
        """

    async def run(self) -> None:
        """Connect, listen, connect again; for ever."""
