"""Three nights without a centre at 240 civil seconds a second: is every lamp where its plan wants it?"""

from datetime import timedelta
from typing import Any, Final

from tests.system.world_night import Night, at

BEGINS: Final = at("2026-06-20 14:50")
CENTRE_DIES: Final = at("2026-06-20 16:00")
NIGHTS: Final = 3
MORNING: Final = at("2026-06-21 03:00")
NEWS_S: Final = 90.0
MOST_LATE_S: Final = 3.0


def three_nights() -> dict[str, Any]:
    """A verdict; `late_s` is the longest time, in real seconds, that a lamp was off its plan."""
    with Night(BEGINS) as night:
        night.wait_until(CENTRE_DIES)
        night.kill_the_centre()
        with night.watched() as watcher:
            night.wait_until(MORNING + timedelta(days=NIGHTS - 1))
            written = len(night.world.city.writes())
            night.bring_back_the_centre()
            night.world.meet_controller()
            night.world.wait_for_news(within_s=NEWS_S)
            moved = len(night.world.city.writes()) - written
            seen = watcher.seen
    good = seen.late_s <= MOST_LATE_S and not moved
    return {"good": good, "nights": NIGHTS, "late_s": round(seen.late_s, 2), "latest": seen.latest, "moved": moved}
