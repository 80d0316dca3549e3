"""One street of lamps, hand-made: straight curves, quiet meters, a reading every 15 minutes."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.diagnoser import Diagnoser
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.places import LampPlace
from lamplighter_controller.diagnosis.samples import Columns, Samples, nothing_from
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.suspicions import Suspicions

LAMPS = 12
RATED_W = 100.0
PERIOD_MS = 900_000
START_MS = 1_760_000_400_000
NOISE = 0.002
Values = dict[str, np.ndarray]


@dataclass
class Street:
    """Twelve lamps of one model on one feeder; `step` reads them all once."""

    source: str = "led"
    seed: int = 7
    diagnoser: Diagnoser = field(init=False)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.now_ms = START_MS
        self.diagnoser = self.new()

    def new(self) -> Diagnoser:
        """Somebody who knows nothing yet."""
        lamps = tuple(
            LampPlace(f"l{row:02}", f"l{row:02}", "c0", "c0-1", "a", "f1", f"p{row:02}", row, "model")
            for row in range(LAMPS)
        )
        return Diagnoser(assemble(Places(lamps=lamps)), {"model": LampModel("model", RATED_W, self.source)}, Settings())

    def healthy(self, level_percent: float) -> Values:
        """What twelve healthy lamps say at a level."""
        share = 0.05 + 0.95 * level_percent / 100 if level_percent else 0.0
        power_w = RATED_W * share * (1 + NOISE * self.random.standard_normal(LAMPS)) + (0.4 if not level_percent else 0)
        voltage_v = 230 + self.random.standard_normal(LAMPS)
        factor = np.full(LAMPS, 0.95 if level_percent else 0.33)
        return {
            "power_w": power_w,
            "voltage_v": voltage_v,
            "current_a": power_w / voltage_v / factor,
            "power_factor": factor,
            "temperature_c": 30 + self.random.standard_normal(LAMPS),
            "desired_percent": np.full(LAMPS, level_percent),
        }

    def step(
        self,
        level_percent: float = 100.0,
        spoil: Callable[[Values], None] | None = None,
        *,
        silent: tuple[int, ...] = (),
        **more: object,
    ) -> Suspicions:
        """One reading of every lamp; `spoil` changes what they say."""
        self.now_ms += PERIOD_MS
        values = self.healthy(level_percent)
        if spoil is not None:
            spoil(values)
        answered = np.ones(LAMPS, np.bool_)
        answered[list(silent)] = False
        time_ms = np.where(answered, self.now_ms - 5_000 + values.pop("ahead_ms", np.zeros(LAMPS)), 0).astype(np.int64)
        columns = Columns(
            np.ones(LAMPS, np.bool_), answered, time_ms, {k: v.astype(np.float32) for k, v in values.items()}
        )
        samples = Samples(columns, nothing_from(1), nothing_from(1), **more)  # type: ignore[arg-type]
        return self.diagnoser.suspect(samples, self.now_ms)

    def steps(
        self, count: int, level_percent: float = 100.0, spoil: Callable[[Values], None] | None = None
    ) -> Suspicions:
        """Several of them; what was said last."""
        for _ in range(count):
            said = self.step(level_percent, spoil)
        return said


def told(said: Suspicions) -> dict[int, str]:
    """The likeliest class of every lamp under suspicion."""
    lamps = said.lamps
    return {int(row): lamps.classes[int(p.argmax())] for row, p in zip(lamps.row, lamps.probability, strict=True)}
