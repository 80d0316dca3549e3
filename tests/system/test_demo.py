"""`make run` as a person uses it: it comes up, shows live lamps, ends clean, and goes on after its own data."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.system.process import find_program

COMMAND = Path(sys.executable).with_name("lamplighter-demo")
START_S = 90.0
STOP_S = 60.0
SMALL_CITY = {
    "count: 3, lamps_each: 100": "count: 1, lamps_each: 12",
    "lamps_each: 60": "lamps_each: 6",
    "lamps_each: 92": "lamps_each: 8",
}

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]


class Demo:
    """One run of the launcher."""

    def __init__(self, directory: Path, *arguments: str, **environment: str) -> None:
        self.output = directory.with_suffix(".out")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [str(COMMAND), "--directory", os.path.relpath(directory), *arguments],  # relative, as `make run` does
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"PATH": "/usr/sbin:/usr/bin:/bin", **environment},
                start_new_session=True,
            )

    def address(self) -> tuple[str, str]:
        """Base URL and token, once they are printed."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = re.search(r"(http://\S+)/#token=(\S+)", self.output.read_text())
            if found:
                return found[1], found[2]
            assert self.process.poll() is None, self.output.read_text()
            time.sleep(0.1)
        raise AssertionError(self.output.read_text())

    def end(self) -> list[psutil.Process]:
        """Ctrl-C; returns what is left running."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(STOP_S) == 0, self.output.read_text()
        return [part for part in family if part.is_running() and part.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def small_city(tmp_path: Path) -> Path:
    """The sample city with fewer lamps and no faults."""
    text = Path("config/sim/city.yaml").read_text().split("# A fault holds")[0]
    for many, few in SMALL_CITY.items():
        assert many in text
        text = text.replace(many, few)
    path = tmp_path / "small.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
def test_it_comes_up_shows_lamps_ends_clean_and_goes_on(tmp_path: Path, small_city: Path, broker: str):
    if broker == "mosquitto" and find_program("mosquitto") is None:
        pytest.skip("mosquitto is not installed (Debian package mosquitto)")
    arguments = ("--scenario", str(small_city), "--broker", broker)
    first = Demo(tmp_path / "run", *arguments)
    newest = newest_reading_ms(first)
    assert plans_of(first) == {f"gw-{number}": 1 for number in range(1, 5)}
    assert first.end() == []
    second = Demo(tmp_path / "run", *arguments)
    base, token = second.address()
    clock = httpx.get(f"{base}/api/v1/clock", headers={"Authorization": f"Bearer {token}"}).json()
    assert clock["civil_ms"] > newest
    assert newest_reading_ms(second) > newest
    assert plans_of(second) == {f"gw-{number}": 1 for number in range(1, 5)}  # the same plan goes on
    assert second.end() == []
    assert "Traceback" not in "".join(log.read_text() for log in (tmp_path / "run" / "logs").iterdir())


def plans_of(demo: Demo) -> dict[str, int]:
    """Gateway -> plan in force; each lamp says that the plan decides."""
    base, token = demo.address()
    headers = {"Authorization": f"Bearer {token}"}
    why = httpx.get(f"{base}/api/v1/lamps/lamp-01-001/why", headers=headers).json()
    assert (why["why"]["winner"], why["why"]["program"][:6]) == ("program", "saving")
    given = httpx.get(f"{base}/api/v1/plans/versions", headers=headers).json()["items"]
    assert httpx.get(f"{base}/api/v1/luminaires", headers=headers).json()["total"] > 100
    return {one["gateway"]: one["plan"] for one in given}


def newest_reading_ms(demo: Demo) -> int:
    base, token = demo.address()
    answer = httpx.get(f"{base}/api/v1/latest", params={"kind": "lamp"}, headers={"Authorization": f"Bearer {token}"})
    times = [time_ms for time_ms in answer.json()["time_ms"] if time_ms is not None]
    assert times
    assert "Try this" in demo.output.read_text()
    return int(max(times))


def test_with_influxdb(tmp_path: Path, small_city: Path):
    if find_program("influxd") is None:
        pytest.skip("influxd is not installed (Debian package influxdb)")
    demo = Demo(tmp_path / "run", "--scenario", str(small_city), SERIES="influx")
    assert newest_reading_ms(demo) > 0
    assert "InfluxDB is up" in demo.output.read_text()
    assert demo.end() == []


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (("--scenario", "nowhere.yaml"), {}, "nowhere.yaml"),
        ((), {"SERIES": "oracle"}, "SERIES is 'oracle'"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_left(tmp_path: Path, arguments, environment, words):
    demo = Demo(tmp_path / "run", *arguments, **environment)
    assert demo.process.wait(60) != 0
    assert words in demo.output.read_text()
    assert "Traceback" not in demo.output.read_text()
