"""How far an update may go: the next wave only when the one before has proven itself, none after a failure. Pure."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from lamplighter_contract.commands.states import CommandState

MOST_GATEWAYS: Final = 2_000
ENDS: Final = frozenset(
    {
        CommandState.VERIFIED,
        CommandState.FAILED,
        CommandState.REJECTED,
        CommandState.EXPIRED,
        CommandState.SUPERSEDED,
        CommandState.UNCONFIRMED,
    }
)


class State(StrEnum):
    """Where a rollout stands."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class Sent(msgspec.Struct, frozen=True):
    """What became of one gateway: the request that asked it, its state, and why."""

    request: str
    state: CommandState = CommandState.SENT
    why: str = ""


class Rollout(msgspec.Struct, frozen=True):
    """One version on its way through a city.

    Args:
        bundle: the file, as `<sha256>:<bytes>`.
        gateways: in the order in which they take it; the first ones are the canaries.
        canaries: how many go first.
        share_percent: how many of all go next, canaries included.
        tolerated_percent: how many of those that have ended may have failed after the canaries, of which none may.
    """

    id: str
    bundle: str
    gateways: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_GATEWAYS)]
    canaries: int
    share_percent: float
    tolerated_percent: float
    who: str
    reason: str
    begun_ms: int
    state: State = State.RUNNING
    why: str = ""
    sent: dict[str, Sent] = {}

    @property
    def failed(self) -> tuple[str, ...]:
        """Gateways that did not end with the new version."""
        return tuple(
            name for name, its in self.sent.items() if its.state in ENDS and its.state is not CommandState.VERIFIED
        )


def waves(rollout: Rollout) -> tuple[tuple[str, ...], ...]:
    """Canaries, a share, all others; empty waves are left out."""
    first = min(rollout.canaries, len(rollout.gateways))
    second = max(first, math.ceil(len(rollout.gateways) * rollout.share_percent / 100))
    parts = rollout.gateways[:first], rollout.gateways[first:second], rollout.gateways[second:]
    return tuple(part for part in parts if part)


def judged(rollout: Rollout) -> Rollout:
    """Stopped when too many failed, done when all have ended."""
    if rollout.state is not State.RUNNING:
        return rollout
    ended = [name for name, its in rollout.sent.items() if its.state in ENDS]
    failed = rollout.failed
    canaries = waves(rollout)[0]
    if failed and (not set(canaries).isdisjoint(failed) or len(failed) * 100 > rollout.tolerated_percent * len(ended)):
        first = failed[0]
        why = f"{len(failed)} of {len(ended)} failed; {first}: {rollout.sent[first].why or rollout.sent[first].state}"
        return msgspec.structs.replace(rollout, state=State.STOPPED, why=why)
    if len(ended) == len(rollout.gateways):
        return msgspec.structs.replace(rollout, state=State.DONE)
    return rollout


def due(rollout: Rollout) -> tuple[str, ...]:
    """Gateways to be asked now: those of the first wave that is not through."""
    if rollout.state is not State.RUNNING:
        return ()
    for wave in waves(rollout):
        unsent = tuple(name for name in wave if name not in rollout.sent)
        if unsent:
            return unsent
        if any(rollout.sent[name].state not in ENDS for name in wave):
            return ()
    return ()


def heard(rollout: Rollout, news: Mapping[str, Sent]) -> Rollout:
    """The rollout after what gateways have become."""
    return judged(msgspec.structs.replace(rollout, sent={**rollout.sent, **news}))


def stopped(rollout: Rollout, why: str) -> Rollout:
    """A person stops it; what is underway at a gateway comes to its own end."""
    if rollout.state is not State.RUNNING:
        return rollout
    return msgspec.structs.replace(rollout, state=State.STOPPED, why=why)
