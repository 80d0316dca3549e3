"""CPU time and memory of process trees, and a counter's rate, over one window of time."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import psutil

SAMPLE_S: Final = 0.25


class BenchmarkError(Exception):
    """A run that cannot give a number; the message says what did not happen."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process tree has used: CPU seconds since its start, resident memory now."""

    cpu_s: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Window:
    """What happened in `seconds`: items, CPU seconds and the highest resident memory of the measured processes.

    `others_cpu_s` is what this machine did besides the benchmark: near zero, or the numbers are worth little.
    """

    seconds: float
    items: int
    cpu_s: float
    rss_bytes: int
    others_cpu_s: float = 0.0

    @property
    def rate(self) -> float:
        """Items per second of wall time."""
        return self.items / self.seconds

    @property
    def cores(self) -> float:
        """Cores in use."""
        return self.cpu_s / self.seconds

    @property
    def others_cores(self) -> float:
        """Cores that others used meanwhile."""
        return max(0.0, self.others_cpu_s / self.seconds)

    @property
    def per_cpu_s(self) -> float:
        """Items per second of CPU time."""
        return self.items / self.cpu_s if self.cpu_s else 0.0

    @property
    def rss_mib(self) -> float:
        """Highest resident memory in MiB."""
        return self.rss_bytes / 2**20


def spent(pids: Sequence[int]) -> Spent:
    """What these processes and their children have used."""
    cpu_s, rss = 0.0, 0
    for process in _family(pids):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            cpu_s += times.user + times.system
            rss += process.memory_info().rss
    return Spent(cpu_s, rss)


def measure(count: Callable[[], int], pids: Sequence[int], seconds: float, patience_s: float = 0) -> Window:
    """Let time pass, and say what was counted and spent meanwhile.

    What is counted in large steps (a commit of thousands of rows) is measured from step to step: `patience_s` is how
    long to wait for one.
    """
    _await_step(count, patience_s)
    others = _others_cpu_s()
    begun, first, before = time.monotonic(), count(), spent(pids)
    rss = before.rss_bytes
    while (left := begun + seconds - time.monotonic()) > 0:
        time.sleep(min(left, SAMPLE_S))
        rss = max(rss, spent(pids).rss_bytes)
    _await_step(count, patience_s)
    last, after, ended = count(), spent(pids), time.monotonic()
    return Window(ended - begun, last - first, after.cpu_s - before.cpu_s, rss, _others_cpu_s() - others)


def _await_step(count: Callable[[], int], patience_s: float) -> None:
    if not patience_s:
        return
    before, deadline = count(), time.monotonic() + patience_s
    while count() == before and time.monotonic() < deadline:
        time.sleep(0.002)


def middle(windows: Sequence[Window]) -> Window:
    """The medians of several windows; the highest memory of all of them."""
    return Window(
        median(window.seconds for window in windows),
        round(median(window.items for window in windows)),
        median(window.cpu_s for window in windows),
        max(window.rss_bytes for window in windows),
        median(window.others_cpu_s for window in windows),
    )


def wait_for(what: str, condition: Callable[[], bool], timeout_s: float) -> None:
    """Come back when the condition holds.

    Raises:
        BenchmarkError: it did not hold in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{what}: not within {timeout_s:g} s")
        time.sleep(0.02)


def _others_cpu_s() -> float:
    """CPU seconds since its start that the machine spent on anything but this process and its children."""
    busy = sum(psutil.cpu_times()[:3]) + sum(psutil.cpu_times()[5:8])  # user, nice, system; irq, softirq, steal
    return busy - spent([os.getpid()]).cpu_s


def _family(pids: Sequence[int]) -> list[psutil.Process]:
    family: list[psutil.Process] = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(pid)
            family += [parent, *parent.children(recursive=True)]
    return family
