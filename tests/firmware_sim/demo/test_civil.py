"""Which civil time a demo begins at."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lamplighter_contract.clock import CivilScale
from lamplighter_firmware_sim.demo import civil
from lamplighter_firmware_sim.demo.layout import choose_ports
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.physics.sky import solar_elevation_deg


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "earliest", "latest"),
    [
        ("2026-12-21T03:00:00+00:00", "16:20", "16:35"),  # published: the sun stands at -3 degrees at 17:12
        ("2026-06-21T03:00:00+00:00", "18:55", "19:10"),  # 19:47
        ("2026-03-20T03:00:00+00:00", "17:42", "17:57"),  # 18:34
    ],
)
def test_a_demo_begins_shortly_before_dusk(day, earliest, latest):
    begins = civil.before_dusk(lambda t: solar_elevation_deg(t, 36.67, 117.0), ms(day), "Asia/Shanghai")
    local = datetime.fromtimestamp(begins / 1000 + 8 * 3600, UTC)
    assert earliest <= f"{local:%H:%M}" <= latest
    assert local.date().isoformat() == day[:10]


def test_where_the_sun_never_sets_a_demo_begins_at_five():
    begins = civil.before_dusk(lambda _: 10.0, ms("2026-06-21T03:00:00+00:00"), "Asia/Shanghai")
    assert begins == ms("2026-06-21T17:00:00+08:00")


def test_the_next_demo_goes_on_after_the_last_ones_data(tmp_path: Path):
    clock, last = tmp_path / "clock.json", tmp_path / "last"
    first = civil.begin(clock, last, 60, 1_000, 5_000_000)
    assert first == CivilScale(60, 5_000_000, 1_000)
    civil.remember(last, 9_000_000)
    second = civil.begin(clock, last, 30, 2_000, 5_000_000)
    assert second.rate == 30
    assert second.civil_origin_ms > 9_000_000
    assert civil.present(clock) == second


def test_ports_that_are_taken_are_left_alone():
    taken = {8080, 18_830, 15_003}
    ports = choose_ports(20, None, lambda port: port not in taken)
    assert (ports.http, ports.uplink, ports.buses_from) == (8081, 18_831, 15_100)
    with pytest.raises(SimError, match="8080 is taken"):
        choose_ports(20, 8080, lambda port: port not in taken)
    with pytest.raises(SimError):
        choose_ports(20, None, lambda _: False)
