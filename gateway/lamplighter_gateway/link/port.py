"""What the uplink needs of a broker."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from lamplighter_gateway.errors import GatewayError


class LinkDownError(GatewayError):
    """There is no connection to the broker, or it is gone."""


class PublishDeniedError(GatewayError):
    """The broker took the message and refused it: access rules do not allow the topic."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us, retained, when we are gone without a word."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message for us; `token` is the connection's own note for `done`."""

    topic: str
    payload: bytes
    retained: bool
    token: object = None


class Connection(Protocol):
    """One session with the broker, QoS 1 both ways. Every method raises LinkDownError when it is gone."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send, and return when the broker has confirmed it.

        Raises:
            PublishDeniedError: the broker refused it.
        """

    def messages(self) -> AsyncIterator[Incoming]:
        """Messages in order of arrival; the broker holds back more until they are `done`."""

    def done(self, message: Incoming) -> None:
        """The message is dealt with."""


class Link(Protocol):
    """Opens sessions."""

    def connect(self, will: Will, topics: tuple[str, ...]) -> AbstractAsyncContextManager[Connection]:
        """Connect with a will, and subscribe to topics.

        Raises:
            LinkDownError: nobody answers, or we are not let in.
        """
