"""`python -m benchmarks.soak`: the whole path at load, three nights that nobody looks after, suns, limits of trucks."""

import json
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import click
import numpy as np
import psutil

from benchmarks.__main__ import end_cleanly
from benchmarks.limits_of_trucks import ten_thousand_sequences
from benchmarks.machine import Machine
from benchmarks.nights import three_nights
from benchmarks.parts.stack import LAMPS, whole_path
from benchmarks.suns import twenty_years

SAMPLE_S: Final = 5.0
SHOWN_EVERY: Final = 12  # samples
WARM_UP_SHARE: Final = 0.2  # of the run: caches fill, the spool reaches its size
MOST_MIB_PER_HOUR: Final = 24.0
MOST_FILES: Final = 3
LEAST_SHARE: Final = 0.98  # of the readings asked for
POLL_S: Final = 1.25
HEARTBEAT_S: Final = 1.0  # shorter than a poll: nothing moves in the scenario, and yet every reading is to be sent


@dataclass(slots=True)
class Trace:
    """What one program used over time."""

    pid: int
    at_s: list[float] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    def sample(self, at_s: float) -> None:
        """Look at it now."""
        process = psutil.Process(self.pid)
        with process.oneshot():
            self.at_s.append(at_s)
            self.rss_mib.append(process.memory_info().rss / 2**20)
            self.files.append(process.num_fds())
            self.threads.append(process.num_threads())

    def verdict(self) -> dict[str, Any]:
        """Growth after the warm-up: memory as a slope, files and threads as last minus first quarter's median."""
        start = int(len(self.at_s) * WARM_UP_SHARE)
        hours = np.array(self.at_s[start:]) / 3600
        slope = float(np.polyfit(hours, self.rss_mib[start:], 1)[0])
        files, threads = (_growth(series[start:]) for series in (self.files, self.threads))
        return {
            "rss_mib": round(self.rss_mib[-1], 1),
            "rss_mib_per_h": round(slope, 2),
            "files": self.files[-1],
            "files_grown": files,
            "threads": self.threads[-1],
            "threads_grown": threads,
            "good": slope <= MOST_MIB_PER_HOUR and files <= MOST_FILES and threads <= MOST_FILES,
        }


def _growth(series: list[int]) -> int:
    quarter = max(1, len(series) // 4)
    return round(float(np.median(series[-quarter:]) - np.median(series[:quarter])))


def _path(minutes: float) -> bool:
    with whole_path(POLL_S, heartbeat_s=HEARTBEAT_S) as path:
        traces = {name: Trace(pid) for name, pid in path.pids.items()}
        first, begun = path.controller.stored(), time.monotonic()
        for number in range(max(10, round(minutes * 60 / SAMPLE_S))):
            time.sleep(max(0.0, begun + number * SAMPLE_S - time.monotonic()))
            for trace in traces.values():
                trace.sample(time.monotonic() - begun)
            if number % SHOWN_EVERY == 0:
                _show("sample", {"at_s": round(time.monotonic() - begun), **_latest(traces)})
        stored, seconds = path.controller.stored() - first, time.monotonic() - begun
        return _conclude(traces, seconds, stored)


def _conclude(traces: Mapping[str, Trace], seconds: float, stored: int) -> bool:
    verdicts = {name: trace.verdict() for name, trace in traces.items()}
    share = stored / seconds / (LAMPS / POLL_S)
    good = share >= LEAST_SHARE and all(verdict["good"] for verdict in verdicts.values())
    numbers = {"seconds": round(seconds), "stored_per_s": round(stored / seconds), "share_of_demand": round(share, 3)}
    _show("verdict", {"good": good, **numbers, "programs": verdicts, "machine": Machine.here().as_json()})
    return good


def _latest(traces: Mapping[str, Trace]) -> dict[str, Any]:
    return {
        name: {"rss_mib": round(trace.rss_mib[-1], 1), "files": trace.files[-1], "threads": trace.threads[-1]}
        for name, trace in traces.items()
    }


def _nights(_minutes: float) -> bool:
    verdict = three_nights()
    _show("verdict", verdict, "nights")
    return bool(verdict["good"])


def _suns(_minutes: float) -> bool:
    verdict = twenty_years()
    _show("verdict", verdict, "suns")
    return bool(verdict["good"])


def _trucks(_minutes: float) -> bool:
    verdict = ten_thousand_sequences()
    _show("verdict", verdict, "trucks")
    return bool(verdict["good"])


def _show(what: str, content: Mapping[str, Any], campaign: str = "path") -> None:
    click.echo(json.dumps({"soak": campaign, "what": what, **content}))


CAMPAIGNS: Final = {"path": _path, "nights": _nights, "suns": _suns, "trucks": _trucks}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(CAMPAIGNS)), metavar="[NAME …]")
@click.option(
    "--minutes",
    type=click.FloatRange(min=1),
    default=30,
    show_default=True,
    help="How long the path runs; nights last 15.",
)
def main(names: tuple[str, ...], minutes: float) -> None:
    """Run long campaigns; exit code 1 if something grew, fell behind or stood in the dark.

    path: a thousand lamps through everything; nights: three nights by plan without broker and controller;
    suns: every dusk and dawn of twenty years against an ephemeris; trucks: 10,000 sequences of commands, fixes and
    faults, after which no rule of limiting may be broken.
    """
    signal.signal(signal.SIGTERM, end_cleanly)
    good = [CAMPAIGNS[name](minutes) for name in names or CAMPAIGNS]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.soak")
