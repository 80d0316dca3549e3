"""The lock of a crew on site: asked for, held once the gateway has confirmed it, ended by the person on site. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from lamplighter_contract.commands.states import FINAL, CommandState
from lamplighter_controller.maintenance.orders.order import NEVER

HELD_TEXT: Final = "locked at the gateway; test for voltage by hand"
ASKED_TEXT: Final = "asked for; not locked until the gateway has confirmed it"
MAYBE_TEXT: Final = "the gateway has not confirmed that the lock has ended: it may still hold"


class LockState(StrEnum):
    """What is known of a lock. It never lapses by itself."""

    ASKED = "asked"
    HELD = "held"
    REFUSED = "refused"
    DOUBTFUL = "doubtful"  # the gateway never told; it may hold
    RELEASING = "releasing"
    RELEASED = "released"


IN_FORCE: Final = frozenset({LockState.ASKED, LockState.HELD, LockState.DOUBTFUL, LockState.RELEASING})


class Lock(msgspec.Struct, frozen=True, omit_defaults=True):
    """Circuits, or devices, that only their holder commands; times civil epoch ms.

    Args:
        request: the command that asked for it.
        until_ms: when the crew means to be done; later it is overdue and escalates, and still holds.
        release: the commands that end it: closing what was isolated, then the lock itself.
    """

    id: str
    order: str
    devices: tuple[str, ...]
    holder: str
    state: LockState
    asked_ms: int
    until_ms: int
    request: str = ""
    text: str = ""
    confirmed_ms: int = NEVER
    release: tuple[str, ...] = ()
    released_ms: int = NEVER
    escalated_ms: int = NEVER

    @property
    def in_force(self) -> bool:
        """It holds, or may."""
        return self.state in IN_FORCE

    def is_overdue(self, now_ms: int) -> bool:
        """It is held for longer than the crew meant to."""
        return self.in_force and now_ms > self.until_ms


def followed(lock: Lock, states: Sequence[tuple[CommandState, str]], now_ms: int) -> Lock:
    """The lock after its command, or the commands that end it, went on; `states` with what was said of each."""
    if lock.state in {LockState.ASKED, LockState.DOUBTFUL}:
        return _asked(lock, *states[0], now_ms)
    if lock.state is LockState.RELEASING:
        return _releasing(lock, states, now_ms)
    return lock


def _asked(lock: Lock, state: CommandState, why: str, now_ms: int) -> Lock:
    if state is CommandState.VERIFIED:
        held = {"state": LockState.HELD, "text": HELD_TEXT, "confirmed_ms": now_ms}
        return msgspec.structs.replace(lock, **held)
    if state is CommandState.UNCONFIRMED:
        text = f"the gateway has not answered: {why or 'it may hold'}; treat it as not locked"
        return msgspec.structs.replace(lock, state=LockState.DOUBTFUL, text=text)
    if state in FINAL:
        text = f"not locked: {why or state.value}; lock by hand"
        return msgspec.structs.replace(lock, state=LockState.REFUSED, text=text)
    return lock


def _releasing(lock: Lock, states: Sequence[tuple[CommandState, str]], now_ms: int) -> Lock:
    if all(state is CommandState.VERIFIED for state, _ in states):
        over = {"state": LockState.RELEASED, "released_ms": now_ms, "text": "ended by the person on site"}
        return msgspec.structs.replace(lock, **over)
    failed = [
        f"{state.value}: {why or 'no reason given'}"
        for state, why in states
        if state in FINAL - {CommandState.VERIFIED}
    ]
    if failed:
        text = f"{MAYBE_TEXT} ({'; '.join(failed)})"
        return msgspec.structs.replace(lock, state=LockState.HELD, text=text)
    return lock
