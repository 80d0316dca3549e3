"""What the numbers were measured on."""

import os
import platform
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import psutil


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine; `load_before` is the one-minute load average when the run began: above 0.5, others were at work."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    load_before: float

    @classmethod
    def here(cls) -> Self:
        """The machine this runs on, now."""
        return cls(
            cpu=_cpu(),
            cores=len(os.sched_getaffinity(0)),
            memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
            system=f"{_distribution()}, Linux {platform.release()}",
            python=platform.python_version(),
            load_before=round(os.getloadavg()[0], 2),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def versions(*packages: str) -> dict[str, str]:
    """Installed versions of these packages."""
    return {name: metadata.version(name) for name in packages}


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()
