"""Which events at a gateway a person must be told of, and when that is over. Pure."""

from dataclasses import dataclass
from typing import Final

from lamplighter_contract.wire.events import Event

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S
FORGED: Final = frozenset({"signature", "key", "retained", "address"})
REFUSED: Final = "command.refused."
NO_PLAN: Final = "plan.refused."
EXPECTED: Final = frozenset({"key"})  # a plan may come before the key it is signed with, and is then taken later


@dataclass(frozen=True, slots=True)
class Telling:
    """An alarm to raise with `text`, over by itself after `quiet_s` without another such event; None: to clear."""

    key: str
    text: str | None
    quiet_s: float | None = None


def telling(gateway: str, event: Event) -> Telling | None:
    """The alarm an event stands for, None for what only belongs into the list of events."""
    if event.event in {"spool.full", "spool.failed"}:
        return Telling(f"spool:{gateway}", f"the spool of {gateway} takes nothing more on disk ({event.event})")
    if event.event == "spool.ok":
        return Telling(f"spool:{gateway}", None)
    if event.event in {"spool.set_aside", "ledger.set_aside"}:
        what = event.event.partition(".")[0]
        text = f"{gateway} found its {what} damaged and began a new one; the old is kept as {event.detail.get('file')}"
        return Telling(f"{what}-set-aside:{gateway}", text, DAY_S)
    if event.event == "plan.accepted":
        return Telling(f"plan:{gateway}", None)
    if event.event == "plan.unusable":
        text = f"{gateway} has no usable plan and goes by light sensors or full light: {event.detail.get('detail')}"
        return Telling(f"plan:{gateway}", text)
    return _refused(gateway, event)


def _refused(gateway: str, event: Event) -> Telling | None:
    if event.event.startswith(REFUSED) and event.event.removeprefix(REFUSED) in FORGED:
        text = f"{gateway} refuses commands that are not ours: {event.detail.get('detail')}"
        return Telling(f"forged:{gateway}", text, HOUR_S)
    if event.event.startswith(NO_PLAN) and event.event.removeprefix(NO_PLAN) not in EXPECTED:
        text = f"{gateway} does not take a plan, the one in force goes on: {event.detail.get('detail')}"
        return Telling(f"plan:{gateway}", text, DAY_S)
    return None
