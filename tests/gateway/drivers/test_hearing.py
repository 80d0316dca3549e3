import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU

from lamplighter_gateway.drivers.modbus.hearing import Hearing
from lamplighter_gateway.drivers.modbus.planner import Span
from lamplighter_gateway.drivers.modbus.questions import read_question, write_registers
from lamplighter_gateway.profiles.model import Table


def framed(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


ASKED = framed("03 03 0000 0002")
READ = read_question(3, Table.HOLDING, Span(0, 2))
ANSWER = framed("03 03 04 0001 003c")
WRITE = write_registers(3, 32, [50])
WRITTEN = framed("03 06 0020 0032")


@pytest.fixture
def ear():
    hearing = Hearing()
    hearing.asks(READ)
    hearing.sends(ASKED)
    return hearing


@pytest.mark.parametrize("before", ["", "00", "ff 00", "03", "03 03"])
def test_the_answer_is_heard_past_a_byte_or_two_of_noise(ear, before):
    assert ear.hears(bytes.fromhex(before) + ANSWER, 1.0) == ANSWER


def test_bytes_behind_the_answer_cost_nothing(ear):
    assert ear.hears(ANSWER + b"\x00\xff", 1.0) == ANSWER


@pytest.mark.parametrize(
    "heard",
    [
        ANSWER[:-1],
        framed("04 03 04 0001 003c"),  # another unit
        framed("03 04 04 0001 003c"),  # another function
        framed("03 03 02 0001"),  # another length
        framed("03 84 02"),  # another function refused
        ANSWER[:4] + b"\x7f" + ANSWER[5:],
        b"\x00\x00\x00" + ANSWER,
        framed("05 03 02 0001") + ANSWER,  # somebody else was first: whose answer is this?
    ],
)
def test_nothing_else_is_an_answer(ear, heard):
    assert ear.hears(heard, 1.0) == b""


def test_an_older_answer_of_the_unit_is_told_by_its_length_and_passed_over(ear):
    older = framed("03 03 06 0001 003c 0903")
    assert ear.hears(older, 1.0) == b""
    assert not ear.judges()
    assert ear.hears(older + ANSWER, 1.1) == ANSWER


def test_a_refusal_is_an_answer(ear):
    assert ear.hears(framed("03 83 02"), 1.0) == framed("03 83 02")


@given(st.data())
def test_an_answer_in_pieces_is_heard_when_it_is_whole(data):
    hearing = Hearing()
    hearing.asks(READ)
    hearing.sends(ASKED)
    cut = data.draw(st.integers(0, len(ANSWER) - 1))
    assert hearing.hears(ANSWER[:cut], 1.0) == b""
    assert hearing.hears(ANSWER, 1.1) == ANSWER


def test_an_echo_is_found_by_a_read_and_left_out_of_writes(ear):
    assert ear.hears(ASKED[:3], 1.0) == b""
    assert ear.hears(ASKED, 1.0) == b""
    assert not ear.judges()
    assert ear.hears(ASKED + ANSWER, 1.1) == ANSWER
    assert ear.echoes
    ear.asks(WRITE)
    ear.sends(WRITTEN)
    assert ear.hears(WRITTEN, 2.0) == b""
    assert ear.hears(WRITTEN + WRITTEN, 2.1) == WRITTEN
    ear.rests()
    assert ear.hears(WRITTEN, 2.2) == b""
    assert ear.strays == 0


def test_an_adapter_without_echo_in_its_place_is_noticed(ear):
    ear.hears(ASKED + ANSWER, 1.0)
    ear.asks(READ)
    ear.sends(ASKED)
    assert ear.hears(ANSWER, 2.0) == ANSWER
    assert not ear.echoes


def test_what_comes_unasked_is_a_stray_once_until_the_next_question(ear):
    ear.rests()
    ear.hears(b"\x01", 1.0)
    ear.hears(b"\x01\x02", 1.1)
    assert (ear.strays, ear.disturbed, ear.stray_s) == (1, True, 1.0)
    ear.asks(READ)
    assert not ear.disturbed


def test_a_late_answer_is_no_stray(ear):
    ear.rests(late_expected=True)
    ear.hears(ANSWER, 1.0)
    assert (ear.late, ear.strays, ear.disturbed) == (1, 0, False)


@pytest.mark.parametrize(
    ("heard", "noise", "foreign"),
    [(ANSWER[:5], True, False), (framed("07 03 02 0001"), False, True), (b"\x00", True, False)],
)
def test_a_pause_shows_whether_it_was_noise_or_somebody_else(ear, heard, noise, foreign):
    ear.hears(heard, 1.0)
    assert (ear.judges(), ear.foreign) == (noise, foreign)


def test_a_frame_of_full_length_need_not_be_waited_for_long(ear):
    ear.hears(ANSWER[:-1] + b"\x00", 1.0)
    assert ear.whole
    ear.hears(ANSWER[:-1], 1.0)
    assert not ear.whole
