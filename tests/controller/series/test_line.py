"""Columns to line protocol: every number exactly, nothing for what was not read."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_controller.series.influx import influxql
from lamplighter_controller.series.influx.line import LINES_AT_ONCE, encode_readings
from lamplighter_controller.series.port import SeriesUnavailable
from tests.controller.series.columns import NOT_READ, readings

number = st.one_of(
    st.just(NOT_READ), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53).map(float)
)


def test_a_frame_as_lines() -> None:
    batch = readings(["lamp-1", "lamp-2"], [5, 6], quality=[0, 4], power_w=[57.1, NOT_READ], level_percent=[60, 0])
    assert b"".join(encode_readings(batch)) == (
        b"lamp,device=lamp-1 quality=0.0,power_w=57.1,level_percent=60.0 5\n"
        b"lamp,device=lamp-2 quality=4.0,level_percent=0.0 6\n"
    )


def test_nothing_gives_no_line() -> None:
    assert list(encode_readings(readings([], [], power_w=[]))) == []


def test_many_rows_are_cut_into_bodies() -> None:
    count = 2 * LINES_AT_ONCE + 1
    bodies = list(encode_readings(readings(["lamp-1"] * count, list(range(count)), power_w=[1] * count)))
    assert [body.count(b"\n") for body in bodies] == [LINES_AT_ONCE, LINES_AT_ONCE, 1]


@given(st.lists(st.tuples(st.integers(0, 2**52), number, number), min_size=1, max_size=20))
def test_every_number_comes_back_exactly(cells: list[tuple[int, float, float]]) -> None:
    times, power, level = zip(*cells, strict=True)
    batch = readings(["lamp-1"] * len(cells), times, power_w=power, level_percent=level)
    lines = b"".join(encode_readings(batch)).decode().splitlines()
    for line, (time_ms, *values) in zip(lines, cells, strict=True):
        _, fields, time = line.split(" ")
        read = {name: float(text) for name, text in (field.split("=") for field in fields.split(","))}
        assert int(time) == time_ms
        expected = {
            name: value
            for name, value in zip(("power_w", "level_percent"), values, strict=True)
            if not math.isnan(value)
        }
        assert read == {"quality": 0.0, **expected}


def test_names_and_texts_are_quoted() -> None:
    assert influxql.name('a"; DROP DATABASE x; --') == '"a\\"; DROP DATABASE x; --"'
    assert influxql.text("a' OR 'a'='a\\") == "'a\\' OR \\'a\\'=\\'a\\\\'"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"results": [{"series": 3}]}', b'{"error": "no"}'])
def test_an_answer_that_cannot_be_read_is_unavailability(body: bytes) -> None:
    with pytest.raises(SeriesUnavailable):
        influxql.read_answer(body)


def test_what_is_missing_in_an_answer_is_not_a_number() -> None:
    body = b'{"results":[{"series":[{"tags":{"device":"a"},"columns":["time","x"],"values":[[1,null],[2,3]]}]}]}'
    (table,) = influxql.read_answer(body)
    assert table.device == "a"
    np.testing.assert_array_equal(table.numbers()["x"], [math.nan, 3])
