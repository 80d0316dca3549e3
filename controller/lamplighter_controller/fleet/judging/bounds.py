"""When something counts. Defaults come from thresholds in use; each can be set by a bureau."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Speeds in km/h, times in civil seconds, distances in metres."""

    ahead_s: float = 60.0  # a report from the future is told by a wrong clock
    fastest_kmh: float = 150.0  # between two positions; more is a jump, not a truck
    jump_m: float = 500.0
    gap_s: float = 180.0
    gap_m: float = 2_000.0
    frozen_s: float = 600.0
    frozen_m: float = 2.0
    frozen_odometer_km: float = 0.5
    standing_kmh: float = 5.0
    stay_m: float = 50.0
    loading_s: float = 180.0
    overspeed_kmh: float = 5.0
    overspeed_s: float = 10.0
    city_limit_kmh: float = 60.0
    cover_kmh: float = 10.0
    cover_s: float = 10.0
    cover_seen_s: float = 60.0  # reports further apart do not tell whether it was opened at a standstill
    lift_moving_kmh: float = 10.0
    lift_moving_s: float = 10.0
    lift_stuck_kmh: float = 30.0
    lift_stuck_s: float = 300.0
    raised_s: float = 20.0
    dumping_kmh: float = 10.0
    unload_s: float = 60.0
    settle_s: float = 40.0  # after the body is down a load sensor may still change its mind
    corridor_m: float = 50.0
    back_m: float = 40.0
    off_route_s: float = 180.0
    banned_s: float = 60.0
    power_s: float = 60.0
    gone_s: float = 60.0  # how long a condition is gone before its episode is over
    lift_cycle_s: float = 480.0  # a body that is up for longer is mended or rinsed, not emptied
    told: float = 0.8  # a dump is told from this score on; policies limit from a higher one
