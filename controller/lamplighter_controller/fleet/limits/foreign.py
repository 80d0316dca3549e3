"""Limits that trucks show and that we did not send: the terminal's own, the district's, the maker's."""

from collections.abc import Iterable, Mapping

from lamplighter_controller.fleet.limits import judging
from lamplighter_controller.fleet.limits.ground import Ground
from lamplighter_controller.fleet.limits.limit import OPEN, Limit, LimitState, What
from lamplighter_controller.fleet.live.city import City


def showing(ground: Ground, city: City, known: Iterable[Limit], ended: Mapping[tuple[str, What], int]) -> list[Limit]:
    """Those that nobody has written down yet, of trucks that told something since the last look."""
    wall_ms = ground.clock.wall_ms()
    ours = {(one.truck, one.what) for one in known if one.state in OPEN - {LimitState.WAITING}}
    shown, ground.sights.limited = ground.sights.limited, set()
    found = []
    for device, what in sorted(shown):
        row = city.find(device)
        if row is None or (row.truck, what) in ours:
            continue
        sight = ground.sight(device)
        if judging.is_foreign(sight, what, ours=False, ended_ms=ended.get((row.truck, what))):
            target = sight.values.get("limit_kmh") if what is What.SPEED else None
            found.append(
                Limit(
                    ground.new_id(),
                    row.truck,
                    device,
                    what,
                    LimitState.FOREIGN,
                    wall_ms,
                    target=target,
                    detail="of the terminal, the district or the maker",
                    effective_ms=wall_ms,
                )
            )
    return found
