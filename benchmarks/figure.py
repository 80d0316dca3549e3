"""One measured number, its aim, and what it was measured with."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import Machine

AIMS: Final[dict[str, tuple[str, float] | None]] = {
    "poll-tcp.rate_max": (">=", 6000),
    "poll-tcp.cores_at_1000": ("<=", 0.15),
    "poll-tcp.rss_mib": ("<=", 64),
    "poll-tcp.dead_unit_loss": ("<=", 0.02),
    "poll-tcp.vs_thingsboard": None,
    "poll-rtu.share_9600": (">=", 0.97),
    "poll-rtu.share_64_buses": (">=", 0.95),
    "poll-rtu.command_p50_ms": ("<=", 100),
    "poll-rtu.command_p95_ms": ("<=", 150),
    "poll-rtu.wrong_values": ("<=", 0),
    "poll-rtu.dead_cost": ("<=", 0.02),
    "uplink.mb_per_day": ("<=", 2),
    "uplink.flash_mb_per_day": None,
    "uplink.rss_mib": None,
    "uplink.packages": None,
    "ingest.duckdb_per_s": None,
    "ingest.duckdb_share": (">=", 0.25),
    "ingest.influx_per_s": None,
    "ingest.influx_share": (">=", 0.5),
    "ingest.million_p99_s": ("<=", 1),
    "command-one.p50_ms": ("<=", 50),
    "command-one.p99_ms": ("<=", 250),
    "plan-year.seconds": ("<=", 1.5),
    "plan-year.vs_astral": None,
    "plan-year.error_s": ("<=", 5),
    "level-now.seconds": ("<=", 0.5),
    "jt808-codec.decode_per_s": (">=", 200_000),
    "jt808-codec.encode_per_s": (">=", 200_000),
    "fleet-quality.precision": (">=", 0.95),
    "fleet-quality.recall": (">=", 0.95),
    "fleet-quality.sensor_dead_f1": (">=", 0.9),
    "fleet-quality.false_limits_per_1000": ("<=", 0.1),
    "fleet-quality.alarms_per_truck_day": None,
    "fleet-ingest.terminals": (">=", 5000),
    "fleet-ingest.positions_per_s": (">=", 2000),
    "fleet-ingest.ack_p99_ms": ("<=", 200),
    "fleet-ingest.rss_mib": None,
    "fleet-views.last_hour_p95_ms": ("<=", 100),
    "fleet-views.replay_s": None,
    "switch-all.seconds": ("<=", 20),
    "switch-all.lost": ("<=", 0),
    "city.compile_s": None,
    "city.publish_s": None,
    "city.restart_s": None,
    "city.litrate_s": None,
    "city.rss_mib": None,
    "diagnosis-quality.macro_f1": (">=", 0.97),
    "diagnosis-quality.root_cause": (">=", 0.95),
    "diagnosis-quality.false_raises_per_1000": ("<=", 0.05),
    "diagnosis-quality.vs_best_rule": (">=", 10),
    "diagnosis-quality.drift_hours": ("<=", 24),
    "diagnosis-quality.wasted_trips": ("<=", 0.05),
    "diagnosis-speed.ms_100k": ("<=", 40),
    "diagnosis-speed.ms_1m": ("<=", 250),
    "diagnosis-speed.bytes_per_lamp": ("<=", 150),
    "maintenance.report_month_s": ("<=", 60),
    "maintenance.figures_128k_s": ("<=", 2),
    "audit.verify_s": ("<=", 60),
    "start.built_s": None,
    "start.cold_s": None,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure; `value` None = it could not be measured, and `config` says why."""

    name: str
    value: float | None
    unit: str
    peer: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def aim(self) -> str | None:
        """What the value should be, None where there is nothing to reach."""
        aim = AIMS[self.name]
        return f"{aim[0]} {aim[1]:g}" if aim else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        aim = AIMS[self.name]
        if aim is None:
            return None
        if self.value is None:
            return False
        return self.value >= aim[1] if aim[0] == ">=" else self.value <= aim[1]

    def as_json(self, machine: Machine) -> str:
        """The figure as one line."""
        return json.dumps(
            {
                "figure": self.name,
                "value": None if self.value is None else rounded(self.value),
                "unit": self.unit,
                "aim": self.aim,
                "met": self.met,
                "peer": dict(self.peer),
                "config": dict(self.config),
                "machine": machine.as_json(),
            },
            ensure_ascii=False,
        )

    def as_row(self) -> str:
        """The figure as a line of a table for people."""
        value = "not measured" if self.value is None else f"{rounded(self.value):,} {self.unit}"
        verdict = {None: "", True: "met", False: "missed"}[self.met]
        return f"{self.name:<26}{value:>24}   {self.aim or '-':<10}{verdict:<8}{_brief(self.peer)}"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a run may take; a quick one is for seeing that everything works.

    Args:
        quick: at most 50 s.
        kept: folder for what parts of a long run have found, so that it goes on where it was stopped; None = nowhere.
    """

    quick: bool
    kept: Path | None = None

    def pick(self, full: float, quick: float) -> float:
        """The one of two sizes that goes with this effort."""
        return quick if self.quick else full


Benchmark = Callable[[Effort], Iterator[Figure]]


def rounded(value: float) -> float:
    """Four significant digits: more would claim a precision that no run here has."""
    shown = float(f"{value:.4g}")
    return int(shown) if shown.is_integer() and abs(shown) >= 10 else shown


def _brief(peer: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in peer.items() if not isinstance(value, dict | list))
