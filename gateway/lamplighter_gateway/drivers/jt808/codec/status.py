"""Names of the alarm and status bits (JT/T 808-2019 tables 24 and 25; 23 to 31 of the status are a vendor's)."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class Load(IntEnum):
    """Status bits 8 and 9, from the edition of 2013 on."""

    EMPTY = 0
    HALF = 1
    RESERVED = 2
    FULL = 3


IGNITION: Final = 1 << 0
FIXED: Final = 1 << 1
OUT_OF_SERVICE: Final = 1 << 4
ENCRYPTED: Final = 1 << 5
LOAD_SHIFT: Final = 8
FUEL_CUT: Final = 1 << 10
CIRCUIT_CUT: Final = 1 << 11
DOORS_LOCKED: Final = 1 << 12
MOVING: Final = 1 << 22

ALARMS: Final[Mapping[int, str]] = dict(
    enumerate(
        (
            "sos", "overspeed", "fatigue", "danger", "gnss_fault", "antenna_cut", "antenna_short", "undervoltage",
            "power_lost", "display_fault", "tts_fault", "camera_fault", "card_reader_fault", "overspeed_warning",
            "fatigue_warning", "banned_time", "tyre_pressure", "right_blind_spot", "day_driving", "parking_time",
            "area", "route", "segment_time", "off_route", "speed_sensor_fault", "fuel", "theft", "illegal_ignition",
            "illegal_move", "collision", "rollover", "illegal_door",
        )
    )
)  # fmt: skip
ANSWERED_ALARMS: Final = 1 << 0 | 1 << 20 | 1 << 21 | 1 << 27 | 1 << 28  # the terminal clears them after an ack

_STATES: Final[Mapping[int, str]] = {
    0: "ignition",
    1: "fixed",
    2: "south",
    3: "west",
    4: "out_of_service",
    5: "encrypted",
    6: "forward_collision_warning",
    7: "lane_departure_warning",
    10: "fuel_cut",
    11: "circuit_cut",
    12: "doors_locked",
    13: "door_1_open",
    14: "door_2_open",
    15: "door_3_open",
    16: "door_4_open",
    17: "door_5_open",
    18: "gps",
    19: "beidou",
    20: "glonass",
    21: "galileo",
    22: "moving",
}


def alarms_of(word: int) -> list[str]:
    """Names of the alarms that stand."""
    return [name for bit, name in ALARMS.items() if word >> bit & 1]


def states_of(word: int) -> list[str]:
    """Names of the states that stand, the load among them; bits without a standard meaning are left to profiles."""
    load = Load(word >> LOAD_SHIFT & 3)
    return [name for bit, name in _STATES.items() if word >> bit & 1] + [f"load_{load.name.lower()}"]
