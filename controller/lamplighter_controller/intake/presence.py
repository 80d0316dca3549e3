"""Whether a gateway is there, and whether it is one. Pure: what was heard goes in, the next state comes out.

unknown --birth--> online --will of the same boot--> offline
                   online --nothing heard in time--> stale --anything heard--> online
                   online or stale --our own connection lost--> unknown --birth, or any frame of its boot--> online
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

SILENCE_S: Final = 450.0  # 1.5 times the period at which every gateway tells its health
BIRTH_WAIT_S: Final = 45.0  # 1.5 times the usual keepalive: what a gateway has to come back after a broker restart
STRAGGLERS_S: Final = 10.0  # messages of a boot that ended may still be on their way for this long
SETTLED_S: Final = 120.0
BOOTS_REMEMBERED: Final = 8
OUT_OF_SIGHT_S: Final = 75.0  # 2.5 times the usual keepalive: how long lamps are shown as they were last seen


class Status(StrEnum):
    """What we may say about a gateway."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    OFFLINE = "offline"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Presence:
    """One gateway. Times are monotonic seconds.

    Args:
        status: what may be said about it.
        boot: of the last birth, empty before the first.
        due_s: something must be heard until then; 0 before our first connection.
        former: boots that another one followed, and when; the newest last.
        doubled_s: when a boot that had been followed was heard again, None when that never was or is settled.
        unseen_s: since when our own connection keeps it out of sight, None while it does not.
    """

    status: Status = Status.UNKNOWN
    boot: str = ""
    due_s: float = 0.0
    former: tuple[tuple[str, float], ...] = ()
    doubled_s: float | None = None
    unseen_s: float | None = None

    @property
    def doubled(self) -> bool:
        """True while two gateways seem to share the id."""
        return self.doubled_s is not None


def born(known: Presence, boot: str, now_s: float) -> Presence:
    """A birth was heard. One of a boot that another had followed can only come from a second gateway."""
    former = known.former
    if known.boot not in {"", boot}:
        former = (*(item for item in former if item[0] not in {boot, known.boot}), (known.boot, now_s))
    return Presence(
        Status.ONLINE,
        boot,
        now_s + SILENCE_S,
        former[-BOOTS_REMEMBERED:],
        now_s if is_former(known, boot) else known.doubled_s,
    )


def is_former(known: Presence, boot: str) -> bool:
    """True for a boot that another one followed."""
    return any(boot == followed for followed, _ in known.former)


def heard(known: Presence, boot: str | None, now_s: float) -> Presence:
    """A frame of `boot` or another message was heard."""
    followed_s = next((when_s for name, when_s in known.former if name == boot), None)
    doubled = followed_s is not None and now_s - followed_s > STRAGGLERS_S
    in_sight = known.unseen_s is not None and boot == known.boot
    back = known.status is Status.STALE or (known.status is Status.UNKNOWN and in_sight)
    return replace(
        known,
        status=Status.ONLINE if back else known.status,
        due_s=now_s + SILENCE_S,
        doubled_s=now_s if doubled else known.doubled_s,
        unseen_s=None if back else known.unseen_s,
    )


def willed(known: Presence, boot: str) -> Presence:
    """A will was heard; that of another boot than the last one born says nothing."""
    return replace(known, status=Status.OFFLINE) if boot == known.boot else known


def out_of_sight(known: Presence, since_s: float) -> Presence:
    """Our own connection is lost since then: nothing is known of it any more, and nothing is due."""
    if known.unseen_s is not None or known.status is Status.OFFLINE:
        return known
    return replace(known, status=Status.UNKNOWN, due_s=0.0, unseen_s=since_s)


def vouched(known: Presence, now_s: float) -> bool:
    """True while its devices may be shown as they were last read."""
    unseen = known.unseen_s is not None and now_s - known.unseen_s > OUT_OF_SIGHT_S
    return not unseen and known.status in {Status.ONLINE, Status.UNKNOWN}


def asked_again(known: Presence, now_s: float) -> Presence:
    """Our own connection is new: the gateway has to be heard soon."""
    soon_s = now_s + BIRTH_WAIT_S
    return replace(known, due_s=soon_s if known.status is Status.UNKNOWN else min(known.due_s, soon_s))


def passed(known: Presence, now_s: float) -> Presence:
    """Time has passed."""
    if known.doubled_s is not None and now_s - known.doubled_s > SETTLED_S:
        known = replace(known, doubled_s=None)
    if known.status in _SILENT and 0 < known.due_s <= now_s:
        known = replace(known, status=_SILENT[known.status])
    return known


_SILENT: Final = {Status.ONLINE: Status.STALE, Status.UNKNOWN: Status.OFFLINE}
