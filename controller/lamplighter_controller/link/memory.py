"""The link in memory, for tests: what was published is kept, and can be made to fail."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from lamplighter_controller.link.port import Handler, LinkDown, Message, OnUp, PublishDenied


@dataclass(slots=True)
class MemoryLink:
    """Hands `deliver`ed messages to the handler and keeps what is published."""

    handler: Handler = lambda _message: None
    up: bool = True
    sent: list[tuple[str, bytes, bool]] = field(default_factory=list)
    denied: Callable[[str], bool] = lambda _topic: False
    renewed: int = 0
    callbacks: list[OnUp] = field(default_factory=list)

    def deliver(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """A message comes from the broker."""
        self.handler(Message(topic, payload, retained))

    def on_up(self, callback: OnUp) -> None:
        """Have `callback` awaited when `run` begins."""
        self.callbacks.append(callback)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Keep the message in `sent`."""
        if not self.up:
            raise LinkDown("made to be down")
        if self.denied(topic):
            raise PublishDenied(f"publish to {topic}: made to be denied")
        self.sent.append((topic, payload, retain))
        await asyncio.sleep(0)

    async def renew(self) -> None:
        """Count the call."""
        if not self.up:
            raise LinkDown("made to be down")
        self.renewed += 1

    async def run(self) -> None:
        """Wait for ever."""
        for callback in self.callbacks:
            await callback()
        await asyncio.Event().wait()
