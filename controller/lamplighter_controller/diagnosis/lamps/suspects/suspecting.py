"""From readings to suspicions: opens a case when evidence is enough, gathers for it, and closes it when refuted."""

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, U32, Arrays, Flags
from lamplighter_controller.diagnosis.lamps.expectation.inference import level_in_force
from lamplighter_controller.diagnosis.lamps.expectation.tables import ModelTables
from lamplighter_controller.diagnosis.lamps.seen import Seen
from lamplighter_controller.diagnosis.lamps.sequences.triggers import Trigger
from lamplighter_controller.diagnosis.lamps.suspects import cases as casebook
from lamplighter_controller.diagnosis.lamps.suspects.cases import Cases, Latest
from lamplighter_controller.diagnosis.lamps.suspects.evidence import evidence
from lamplighter_controller.diagnosis.lamps.suspects.late import Backlog, correct, look
from lamplighter_controller.diagnosis.lamps.suspects.posterior import CLASSES, log_likelihood, posterior
from lamplighter_controller.diagnosis.lamps.watch import LampWatch
from lamplighter_controller.diagnosis.samples import Rows, Samples
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.suspicions import LampSuspicions
from lamplighter_controller.diagnosis.topology import Topology


class LampSuspector:
    """The statistical core over all lamps."""

    def __init__(self, topology: Topology, tables: ModelTables, settings: Settings) -> None:
        """Begin with nothing known of any lamp."""
        self.topology = topology
        self.watch = LampWatch(topology, tables, settings)
        self.cases: Cases = casebook.none()
        self._backlog = Backlog()
        self.suspect = np.zeros(len(topology.lamps), np.bool_)
        """(n,) lamps of which there is a case."""

    def step(self, samples: Samples, now_ms: int) -> tuple[LampSuspicions, Seen]:
        """What the readings of a step say of the lamps."""
        self._renew(samples.replaced)
        watch = self.watch
        level = level_in_force(samples.lamps, watch.model, watch.tables, self.topology.lamp_cabinet)
        seen = watch.step(samples, level, self.suspect, now_ms)
        raised = self._open(seen, samples)
        if len(seen.stale):
            raised = np.union1d(raised, self._second_pass(seen.stale, samples, level))
        latest = self._latest(samples, seen, level)
        casebook.gather(self.cases, latest)
        well = casebook.clear(self.cases, latest)
        cleared = self._close(well)
        return self._suspicions(raised, cleared), seen

    def _renew(self, rows: Rows) -> None:
        if len(rows):
            self.watch.held.forget(rows)
            self.suspect[rows] = False
            self.cases = self.cases.only(~np.isin(self.cases.row, rows))

    def _open(self, seen: Seen, samples: Samples) -> Rows:
        bits = seen.bits
        spoke = samples.lamps.answered.copy()
        spoke[seen.stale] = False
        rows = np.flatnonzero((bits != 0) & ~self.suspect & spoke)
        if len(rows):
            held = self.watch.held
            raised = held.heard[rows]
            onset = self._onset(rows, bits[rows])
            creeping = raised - np.minimum(held.slow_since[rows], raised)
            crept_h = np.where(held.slow[rows] > 0, creeping, 0) / np.float32(3600)
            self.cases = self.cases.with_rows(rows, bits[rows], np.minimum(onset, raised), raised, crept_h)
            self.suspect[rows] = True
        return rows

    def _onset(self, rows: Rows, bits: U32) -> U32:
        """The earliest sign of what raised each."""
        held = self.watch.held
        latest = held.heard[rows]
        onset = np.where(held.odd_since[rows] > 0, held.odd_since[rows], latest)
        for trigger, since in (
            (Trigger.DRIFT, held.slow_since),
            (Trigger.LOW, held.low_since),
            (Trigger.HIGH, held.high_since),
        ):
            marked = ((bits & np.uint32(trigger)) != 0) & (since[rows] > 0)
            onset = np.where(marked, np.minimum(onset, since[rows]), onset)
        frozen = (bits & np.uint32(Trigger.FROZEN)) != 0
        span = (held.frozen[rows] * np.float32(self.watch.settings.period_s)).astype(np.uint32)
        return np.where(frozen, np.minimum(onset, latest - span), onset).astype(np.uint32)

    def _second_pass(self, stale: Rows, samples: Samples, level: F32) -> Rows:
        """What readings older than the newest say: of cases, and of lamps that are to have one."""
        rows = stale if samples.excused is None else stale[~samples.excused[stale]]
        looks = look(rows, samples, self.watch, level)
        if len(self.cases):
            correct(self.cases, looks, self.watch.settings.period_s)
        opened = self._backlog.take(looks, self.suspect, self.watch)
        if len(opened.row):
            nothing = np.zeros(len(opened.row), np.float32)
            self.cases = self.cases.with_rows(opened.row, opened.bits, opened.onset, opened.onset, nothing)
            self.suspect[opened.row] = True
            at = np.searchsorted(self.cases.row, opened.row)
            casebook.shown(self.cases, at, opened.readings, looks.power_w[np.searchsorted(looks.row, opened.row)])
        return opened.row

    def _latest(self, samples: Samples, seen: Seen, level: F32) -> Latest:
        row = self.cases.row
        held, lamps, watch_model = self.watch.held, samples.lamps, self.watch.model
        time_s = (lamps.time_ms[row] // 1000).astype(np.uint32)
        fresh = seen.fresh[row]

        def column(name: str) -> F32:
            return lamps.column(name)[row].astype(np.float32)

        level_now = level[row].astype(np.float32)
        expected_w = seen.expected_w[row]
        tables, model = self.watch.tables, watch_model[row]
        full_w = tables.most_w(model) * held.gain[row, -1]
        return Latest(
            time_s,
            np.where(fresh, seen.bits[row], 0).astype(np.uint32),
            fresh,
            seen.usable[row],
            seen.judged[row],
            seen.dark[row],
            seen.lit[row],
            seen.usable[row] & (level_now < 1),
            seen.residual[row],
            seen.sigma[row],
            level_now,
            column("power_w"),
            expected_w,
            full_w,
            column("current_a"),
            column("power_factor"),
            seen.usual_factor[row],
            column("voltage_v"),
            column("temperature_c"),
            column("tilt_deg"),
            seen.blocks[row],
            tables.discharge[model],
            np.nan_to_num(column("fault_bits")).astype(np.uint32),
            held.edges[row],
        )

    def _close(self, well: Flags) -> Rows:
        cleared = self.cases.row[well]
        if len(cleared):
            held = self.watch.held
            for column in (held.low, held.high, held.slow, held.noise, held.dark, held.lit):
                column[cleared] = 0
            cycled = (self.cases.bits[well] & np.uint32(Trigger.CYCLING)) != 0
            held.edges[cleared[cycled]] = 0
            self.suspect[cleared] = False
            self.cases = self.cases.only(~well)
        return cleared

    def _suspicions(self, raised: Rows, cleared: Rows) -> LampSuspicions:
        cases = self.cases
        discharge = self.watch.tables.discharge[self.watch.model[cases.row]]
        scores = log_likelihood(cases, discharge)
        return LampSuspicions(
            cases.row,
            CLASSES,
            scores,
            posterior(scores),
            np.isin(cases.row, raised, assume_unique=True),
            cases.onset.astype(np.int64) * 1000,
            cases.first.astype(np.int64) * 1000,
            np.asarray(cases.well == 0),
            evidence(cases),
            cleared,
        )

    def export(self) -> Arrays:
        """Everything held of lamps and cases, by name."""
        held = {f"lamp.{name}": array for name, array in self.watch.held.export().items()}
        return held | {f"case.{name}": array for name, array in self.cases.export().items()}

    def take(self, arrays: Arrays, source: Rows) -> None:
        """Take up what was exported; `source` (n,) is the former row of each lamp, -1 = new."""
        lamp = {name[5:]: array for name, array in arrays.items() if name.startswith("lamp.")}
        case = {name[5:]: array for name, array in arrays.items() if name.startswith("case.")}
        self.watch.held.take(lamp, source)
        now_at = np.full(len(lamp["heard"]), -1, np.int64)
        kept = np.flatnonzero(source >= 0)
        now_at[source[kept]] = kept
        self.cases = casebook.restored(case, now_at[case["row"].astype(np.int64)])
        self.suspect[:] = False
        self.suspect[self.cases.row] = True
