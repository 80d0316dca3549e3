"""Which civil time a demo shows: the first begins shortly before dusk, the next goes on after the last one's data."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from lamplighter_contract.clock import CivilScale, decode_scale, encode_scale

Elevation = Callable[[int], float]  # civil epoch ms -> the sun's elevation in degrees

DUSK_DEG: Final = -3.0
BEFORE_DUSK_MS: Final = 45 * 60_000  # at 60 times the speed, time enough to open the page and see the lamps come on
MINUTE_MS: Final = 60_000
GAP_MS: Final = 60_000  # between the last run's data and this one's


def before_dusk(elevation: Elevation, wall_ms: int, zone: str) -> int:
    """Civil ms a little before the sun sinks through `DUSK_DEG` on the local day of `wall_ms`; else 17:00."""
    day = datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(ZoneInfo(zone)).date()
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    for minute in range(12 * 60):
        moment = _ms(noon + timedelta(minutes=minute))
        if elevation(moment) < DUSK_DEG:
            return moment - BEFORE_DUSK_MS
    return _ms(noon + timedelta(hours=5))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def begin(clock_file: Path, last_file: Path, rate: float, wall_ms: int, first_ms: int) -> CivilScale:
    """Write the clock file all programs share, so that civil time never runs over stored readings again."""
    origin_ms = first_ms
    if last_file.exists():
        origin_ms = max(int(last_file.read_text()) + GAP_MS, 0)
    scale = CivilScale(rate, origin_ms, wall_ms)
    _replace(clock_file, encode_scale(scale))
    return scale


def remember(last_file: Path, civil_ms: int) -> None:
    """Keep the civil time this run has reached at least."""
    _replace(last_file, str(civil_ms).encode())


def present(clock_file: Path) -> CivilScale:
    """The clock file's content.

    Raises:
        ValueError: it holds something else.
    """
    return decode_scale(clock_file.read_bytes())


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)
