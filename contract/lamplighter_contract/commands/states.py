"""The life of a command. "Unconfirmed" never reads as "did not happen"."""

from enum import StrEnum
from typing import Final


class CommandState(StrEnum):
    """Where a command, or its part for one device, stands.

    created -> sent -> accepted -> applied -> verified, with the other final states reachable as `NEXT` says.
    """

    CREATED = "created"  # stored at the centre
    SENT = "sent"  # handed to the broker
    ACCEPTED = "accepted"  # stored on the gateway's disk
    APPLIED = "applied"  # written to the device
    VERIFIED = "verified"  # read back
    REJECTED = "rejected"  # refused, with a reason; did not act
    FAILED = "failed"  # tried, and known not to be in effect
    EXPIRED = "expired"  # not accepted before its expiry; did not act
    SUPERSEDED = "superseded"  # a newer command for the same device won
    UNCONFIRMED = "unconfirmed"  # it may have acted: the result or the read-back never came


FINAL: Final = frozenset(
    {
        CommandState.VERIFIED,
        CommandState.REJECTED,
        CommandState.FAILED,
        CommandState.EXPIRED,
        CommandState.SUPERSEDED,
        CommandState.UNCONFIRMED,
    }
)

_FORWARD: Final = (CommandState.CREATED, CommandState.SENT, CommandState.ACCEPTED, CommandState.APPLIED)

NEXT: Final[dict[CommandState, frozenset[CommandState]]] = {
    **{state: frozenset(_FORWARD[step + 1 :]) | FINAL for step, state in enumerate(_FORWARD)},
    # Only a late result may correct what was never confirmed.
    CommandState.UNCONFIRMED: FINAL - {CommandState.UNCONFIRMED},
    **{state: frozenset() for state in FINAL - {CommandState.UNCONFIRMED}},
}


def may_follow(state: CommandState, following: CommandState) -> bool:
    """True when a command in `state` may go on to `following`; repeats and steps back are not taken."""
    return following in NEXT[state]


_WORST_FIRST: Final = (
    CommandState.UNCONFIRMED,
    CommandState.FAILED,
    CommandState.REJECTED,
    CommandState.EXPIRED,
    CommandState.SUPERSEDED,
    CommandState.VERIFIED,
)


def summary(states: frozenset[CommandState]) -> CommandState:
    """The state of a whole command from its devices': the earliest open one, else the most doubtful final one."""
    for state in (*_FORWARD, *_WORST_FIRST):
        if state in states:
            return state
    return CommandState.CREATED
