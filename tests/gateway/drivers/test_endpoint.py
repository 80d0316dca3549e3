from typing import Final

import pytest

from lamplighter_gateway.drivers.modbus.endpoint import DOUBTFUL_AFTER, Endpoint

METER: Final = 240
NONE: Final[frozenset[int]] = frozenset()


def endpoint_of(lamps: int, *, answered: tuple[int, ...] = ()) -> Endpoint[int]:
    endpoint = Endpoint(dict.fromkeys(range(1, lamps + 1), "lamp") | {METER: "cabinet"})
    for unit in answered:
        endpoint.answer(unit)
    return endpoint


def silent(endpoint: Endpoint[int], *units: int) -> None:
    for unit in units:
        endpoint.silence(unit)


def test_lamps_that_fall_silent_together_are_no_dead_connection_while_the_meter_answers():
    endpoint = endpoint_of(20, answered=(METER, 1, 2))
    for _ in range(5):
        silent(endpoint, 1, 2, 3)
        assert not endpoint.stalled(NONE)
        assert endpoint.witness(NONE) == METER
        endpoint.answer(METER)
        assert endpoint.witness(NONE) is None


def test_a_connection_is_given_up_when_the_witness_says_nothing_either():
    endpoint = endpoint_of(20, answered=(METER, 3))
    silent(endpoint, 1, 2, 3, METER)
    assert endpoint.stalled(NONE)
    assert endpoint.witness(NONE) is None


@pytest.mark.parametrize("row", [(), (1,), (1, 2), (1, 1, 1, 1), (1, 2, 1, 2, 1)])
def test_a_few_silent_units_put_no_connection_in_doubt(row):
    endpoint = endpoint_of(20, answered=(METER,))
    silent(endpoint, *row)
    assert endpoint.witness(NONE) is None
    assert not endpoint.stalled(NONE)


def test_a_meter_known_to_be_dead_is_no_witness():
    endpoint = endpoint_of(20, answered=(METER, 3))
    silent(endpoint, 1, 2, 3)
    assert endpoint.stalled(frozenset({METER}))


def test_where_nobody_ever_answered_a_few_are_enough():
    endpoint = endpoint_of(20)
    silent(endpoint, 1, 2, 3)
    assert endpoint.stalled(NONE)


def test_after_a_connection_given_up_the_last_that_answered_are_asked_first_even_if_thought_dead():
    endpoint = endpoint_of(20, answered=(METER, 3))
    silent(endpoint, 1, 2, 3, METER)
    for _ in range(3):
        endpoint.renew(NONE)
        dead = frozenset({1, 2, 3, METER})
        asked = []
        while (unit := endpoint.witness(dead)) is not None:
            asked.append(unit)
            silent(endpoint, unit)
        assert sorted(asked) == [3, METER]
    endpoint.answer(METER)
    assert endpoint.witness(NONE) is None


def test_a_bus_of_one_unit_is_given_up_after_as_many_tries():
    endpoint = Endpoint({7: "lamp"})
    silent(endpoint, *[7] * (DOUBTFUL_AFTER - 1))
    assert not endpoint.stalled(NONE)
    silent(endpoint, 7)
    assert endpoint.stalled(NONE)
