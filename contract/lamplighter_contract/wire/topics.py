"""Topic names of `lamplighter/1/…` and who may use them."""

from enum import StrEnum
from typing import Final

ROOT: Final = "lamplighter/1"
CONTROLLER_STATE: Final = f"{ROOT}/controller/state"


class Up(StrEnum):
    """What a gateway says."""

    STATE = "state"
    DEVICES = "devices"
    HEALTH = "health"
    URGENT = "urgent"
    LIVE = "live"
    BACKLOG = "backlog"
    WANTS = "wants"


class Down(StrEnum):
    """What a gateway is told."""

    ACK = "ack"
    COMMAND = "command"
    PLAN = "plan"
    SIGNAL = "signal"
    CONFIG = "config"
    KEYS = "keys"
    HANDOVER = "handover"
    FILE = "file"


RETAINED: Final = frozenset({Up.STATE, Up.DEVICES, Down.PLAN, Down.SIGNAL, Down.CONFIG, Down.KEYS, Down.HANDOVER})
LANES: Final = (Up.URGENT, Up.LIVE, Up.BACKLOG)  # in order of precedence


def up(gateway: str, channel: Up) -> str:
    """The topic a gateway writes."""
    return f"{ROOT}/up/{gateway}/{channel}"


def down(gateway: str, channel: Down) -> str:
    """The topic a gateway reads."""
    return f"{ROOT}/down/{gateway}/{channel}"


UP_FILTER: Final = f"{ROOT}/up/+/+"


def down_filter(gateway: str) -> str:
    """Everything one gateway is told."""
    return f"{ROOT}/down/{gateway}/#"


def parse_up(topic: str) -> tuple[str, Up] | None:
    """Gateway and channel of an upward topic, or None for a foreign one."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[:3] != ["lamplighter", "1", "up"] or parts[4] not in set(Up):
        return None
    return parts[3], Up(parts[4])


def parse_down(topic: str) -> tuple[str, Down] | None:
    """Gateway and channel of a downward topic, or None for a foreign one."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[:3] != ["lamplighter", "1", "down"] or parts[4] not in set(Down):
        return None
    return parts[3], Down(parts[4])
