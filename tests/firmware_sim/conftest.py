import datetime as dt
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_firmware_sim.scenario import Scenario, load_scenario, read_scenario

CONFIG = Path(__file__).parents[2] / "config"
CHINA = dt.timezone(dt.timedelta(hours=8))

SMALL = """
scenario: small
seed: 7
place: {latitude: 36.65, longitude: 117.12}
gateways: 1
cabinets:
  - {wire: modbus-tcp, count: 1, lamps_each: 30}
  - {wire: modbus-rtu, count: 1, lamps_each: 12}
  - {wire: mqtt, count: 1, lamps_each: 12}
serial: {baud: 115200, turnaround_ms: 2}
lamps:
  - {model: LED 100, technology: led, rated_w: 100, share: 0.8}
  - {model: HPS 250, technology: hps, rated_w: 250, share: 0.2}
roads:
  - {zh: 云杉路, en: Spruce Road}
"""


def scenario_of(text: str) -> Scenario:
    scenario = read_scenario(text)
    assert isinstance(scenario, Scenario), "\n".join(map(str, scenario))
    return scenario


def civil_ms(text: str) -> int:
    """Epoch ms of a Chinese local time, such as 2025-11-20 22:00."""
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1000)


@pytest.fixture
def small() -> Scenario:
    return scenario_of(SMALL)


@pytest.fixture
def sample() -> Scenario:
    scenario = load_scenario(CONFIG / "sim" / "city.yaml")
    assert isinstance(scenario, Scenario)
    return scenario


@pytest.fixture
def night() -> ManualClock:
    """22:00 on a November night."""
    return ManualClock(now_ms=civil_ms("2025-11-20 22:00"))
