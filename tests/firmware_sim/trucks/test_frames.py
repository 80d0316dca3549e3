"""The terminals' own reading of JT/T 808, held against the platform's and against the standard's example."""

from hypothesis import given
from hypothesis import strategies as st

from lamplighter_firmware_sim.trucks.wire import messages
from lamplighter_firmware_sim.trucks.wire.frames import Message, Reader, Writer
from lamplighter_gateway.drivers.jt808.codec.faults import Refused
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, Header, read_frame, write_message
from lamplighter_gateway.drivers.jt808.codec.framing import Deframer
from lamplighter_gateway.drivers.jt808.codec.location import Batch, Location, read_batch, read_location
from lamplighter_gateway.drivers.jt808.codec.messages import read_body

PHONE = "13964000001"
FIX = messages.Fix(1_795_000_000_000, 36.651234, 117.123456, 42.5, 271.0, 20_123.4, 0, 0b11 | 1 << 28)


def platform_reads(frames):
    """What the platform makes of frames, which is all of them."""
    between = [one for one in Deframer().feed(b"".join(frames)) if isinstance(one, bytes)]
    return [frame for frame in map(read_frame, between) if isinstance(frame, Frame)]


@given(st.binary(max_size=1023), st.booleans(), st.integers(0, 0xFFFF))
def test_the_platform_reads_what_a_terminal_writes(body, new, message):
    [frame] = platform_reads(Writer(PHONE, new).frames(message, body))
    assert (frame.header.message, frame.header.phone.lstrip("0"), frame.body) == (message, PHONE, body)


@given(st.binary(max_size=900), st.booleans(), st.integers(0, 0xFFFF), st.lists(st.integers(1, 40), max_size=5))
def test_a_terminal_reads_what_the_platform_writes_however_it_arrives(body, new, serial, cuts):
    header = Header(0x8300, PHONE.rjust(20 if new else 12, "0"), serial, int(new))
    data = b"".join(write_message(header, body))
    reader, at = Reader(), 0
    found: list[Message] = []
    for size in [*cuts, len(data)]:
        found += reader.feed(data[at : at + size])
        at += size
    assert [(one.id, one.serial, one.body) for one in found] == [(0x8300, serial, body)]


def test_escapes_as_the_standards_example_has_them():
    [frame] = Writer(PHONE, new=False).frames(0x0200, bytes.fromhex("307e087d55"))
    assert bytes.fromhex("307d02087d0155") in frame


@given(st.binary(max_size=300))
def test_anything_may_arrive_and_neighbours_are_read_all_the_same(garbage):
    header = Header(0x8201, PHONE.rjust(12, "0"), 7, 0)
    reader = Reader()
    list(reader.feed(garbage + b"\x7e"))
    whole = b"".join(write_message(header, b""))
    assert [one.id for one in reader.feed(whole)][-1:] == [0x8201]


def test_a_long_message_is_cut_into_fragments_with_serials_of_their_own():
    frames = platform_reads(Writer(PHONE, new=False).frames(messages.PHOTO, messages.photo(1, FIX, bytes(3000))))
    assert [(one.header.number, one.header.total, one.header.serial) for one in frames] == [
        (1, 3, 0),
        (2, 3, 1),
        (3, 3, 2),
    ]


def test_a_position_says_to_the_platform_what_the_terminal_meant():
    found = read_location(messages.position(FIX))
    assert isinstance(found, Location)
    assert (found.latitude, found.longitude, found.speed_kmh, found.time_ms) == (
        36.651234,
        117.123456,
        42.5,
        FIX.civil_ms,
    )
    assert found.status == FIX.status
    assert dict(found.items)[0x01] == round(FIX.odometer_km * 10).to_bytes(4)


def test_a_batch_of_stored_positions_is_one():
    found = read_batch(messages.batch([messages.position(FIX)] * 3, blind_area=True))
    assert isinstance(found, Batch)
    assert (found.blind_area, len(found.locations)) == (True, 3)


def test_registration_log_in_and_waybill_are_understood_in_both_editions():
    for new in (False, True):
        told = {}
        for message, body in (
            (messages.REGISTER, messages.register("鲁A10001", "truck-001", new=new)),
            (messages.LOG_IN, messages.log_in("secret", new=new)),
            (messages.WAYBILL, messages.waybill("联单 1")),
        ):
            [frame] = platform_reads(Writer(PHONE, new).frames(message, body))
            fields = read_body(frame)
            assert not isinstance(fields, Refused)
            told[message] = fields
        assert told[messages.REGISTER]["plate"] == "鲁A10001"
        assert told[messages.LOG_IN]["code"] == "secret"
