import pytest

from lamplighter_gateway.drivers.modbus.crowd import LEAST_PATIENCE_S, TOGETHER, WITHIN_S, Crowd
from tests.gateway.drivers.rig import lamps, running, tcp, until
from tests.gateway.drivers.units import TcpServer, Units


def crowd_of(silent: int, *, slowest_s: float = 0.004) -> Crowd[int]:
    crowd: Crowd[int] = Crowd()
    crowd.answered(0, slowest_s)
    for unit in range(1, silent + 1):
        crowd.silent(unit, 100.0 + unit)
    return crowd


@pytest.mark.parametrize(("silent", "patience_s"), [(TOGETHER - 1, 0.5), (TOGETHER, LEAST_PATIENCE_S)])
def test_a_few_silent_units_have_their_time_many_have_not(silent, patience_s):
    assert crowd_of(silent).patience_s(0.5, 110.0) == patience_s


def test_a_slow_bus_is_given_what_it_takes_and_never_more_than_usual():
    assert crowd_of(6, slowest_s=0.03).patience_s(0.5, 110.0) == pytest.approx(0.12)
    assert crowd_of(6, slowest_s=0.4).patience_s(0.5, 110.0) == 0.5


def test_who_never_answered_before_is_no_measure():
    crowd: Crowd[int] = Crowd()
    for unit in range(6):
        crowd.silent(unit, 1.0)
    assert crowd.patience_s(0.5, 1.0) == 0.5


def test_a_crowd_disperses_with_time_and_with_answers():
    crowd = crowd_of(6)
    assert not crowd.gathers(106.0 + WITHIN_S)
    crowd = crowd_of(TOGETHER)
    crowd.answered(1, 0.004)
    assert not crowd.gathers(110.0)


async def test_a_third_of_the_lamps_is_found_silent_within_one_poll():
    """Three asks of twenty lamps at half a second each would take thirty seconds."""
    units = Units(range(1, 61))
    async with TcpServer(units) as server, running(tcp(server.port, 0.5), lamps(60, poll_s=3)) as rig:
        await until(lambda: len(rig.readings) >= 60)
        units.dead = set(range(1, 61, 3))
        await until(lambda: len(rig.driver.status().silent) == 20, 2 * 3 + 2)
        assert rig.driver.status().timeouts >= 60
