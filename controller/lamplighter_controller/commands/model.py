"""Requests, the commands they become, and their parts for each device."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lamplighter_contract.commands.command import Command, Operation, Target
from lamplighter_contract.commands.states import CommandState


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """What somebody asks for: devices for operations on devices, gateways for operations on gateways themselves.

    Args:
        expires_s: real seconds in which a gateway may still accept it.
        key: the caller's own name for this request; asking again with the same key does nothing again.
    """

    op: Operation
    devices: tuple[str, ...] = ()
    args: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    approvals: tuple[str, ...] = ()
    expires_s: float = 60.0
    key: str | None = None
    gateways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was taken; times in real epoch ms."""

    id: str
    op: Operation
    args: Mapping[str, Any]
    reason: str
    approvals: tuple[str, ...]
    who: str
    key: str | None
    content: str  # what a second request with the same key must be equal in
    issued_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Part:
    """One device's part of a command; `reading` is the read-back, canonical quantity -> value."""

    device: str
    state: CommandState
    reason: str = ""
    reading: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """One command to one gateway. `accepted`: the gateway said at least once that it has taken it."""

    id: str
    request: Request
    gateway: str
    seq: int
    state: CommandState
    reason: str = ""
    accepted: bool = False
    parts: Mapping[str, Part] = field(default_factory=dict)

    def command(self) -> Command:
        """The command as the gateway is to get it."""
        request = self.request
        return Command(
            id=self.id,
            seq=self.seq,
            gateway=self.gateway,
            issued=request.issued_ms,
            expires=request.expires_ms,
            by=request.who,
            reason=request.reason,
            target=Target(devices=tuple(self.parts)),
            op=request.op,
            args=dict(request.args),
            approvals=request.approvals,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """An order after something happened to it, and which of its parts changed."""

    order: Order
    changed: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request with all its commands; `repeated` when it had been taken before under the same key."""

    request: Request
    state: CommandState
    orders: tuple[Order, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    """A request in a list: its state, how many of its parts are in which, and its device when it has just one."""

    request: Request
    state: CommandState
    parts: Mapping[CommandState, int]
    device: str | None = None
