import pytest

from lamplighter_firmware_sim.physics.sky import daylight_lux, sky_at, solar_elevation_deg
from tests.firmware_sim.conftest import civil_ms


@pytest.mark.parametrize(
    ("local", "elevation_deg"),
    [  # published crossing times of 36.67 N 117.0 E
        ("2025-03-20 18:24", -0.833),
        ("2025-06-21 19:47", -3.0),
        ("2025-06-21 04:36", -4.0),
        ("2025-09-23 18:24", -4.0),
        ("2025-12-21 17:28", -6.0),
        ("2025-12-21 07:08", -3.0),
    ],
)
def test_the_sun_crosses_when_it_does_in_jinan(local: str, elevation_deg: float) -> None:
    assert solar_elevation_deg(civil_ms(local), 36.67, 117.0) == pytest.approx(elevation_deg, abs=0.35)


def test_daylight_rises_with_the_sun() -> None:
    lux = [daylight_lux(elevation) for elevation in range(-30, 91)]
    assert lux == sorted(lux)
    assert daylight_lux(-4) == pytest.approx(20)


def test_july_afternoons_are_warmer_than_january_nights() -> None:
    july = sky_at(civil_ms("2025-07-20 15:00"), 36.65, 117.12, "Asia/Shanghai")
    january = sky_at(civil_ms("2025-01-20 04:00"), 36.65, 117.12, "Asia/Shanghai")
    assert july.ambient_c > 30
    assert january.ambient_c < 0
