"""Power and antenna of a tracker, as it tells of them itself."""

from dataclasses import dataclass, field

from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.episodes import Episodes
from lamplighter_controller.fleet.judging.fixes import YES, Fixes
from lamplighter_controller.fleet.judging.violations import Class, Finding


@dataclass(slots=True)
class TrackerHealth:
    """What trackers complain of."""

    trucks: int
    bounds: Bounds
    power: Episodes = field(init=False)
    antenna: Episodes = field(init=False)

    def __post_init__(self) -> None:
        """All is well."""
        self.power = Episodes(self.trucks, self.bounds.power_s, self.bounds.gone_s)
        self.antenna = Episodes(self.trucks, self.bounds.power_s, self.bounds.gone_s)

    def step(self, fixes: Fixes) -> list[Finding]:
        """What began or ended."""
        found = []
        cases = (
            (Class.POWER_CUT, self.power, fixes.power_cut),
            (Class.ANTENNA_FAULT, self.antenna, fixes.antenna_fault),
        )
        for kind, episodes, flag in cases:
            turned = episodes.step(fixes.truck, flag == YES, flag < 0, fixes.time_ms)
            if not len(turned.began) and not len(turned.ended):
                continue
            began = zip(turned.began, turned.since_ms, strict=True)
            found += [Finding(int(truck), kind, 0.9, int(since_ms)) for truck, since_ms in began]
            ended = dict(zip(fixes.truck.tolist(), fixes.time_ms.tolist(), strict=True))
            found += [Finding(int(truck), kind, 0.9, 0, last_ms=ended[int(truck)]) for truck in turned.ended]
        return found
