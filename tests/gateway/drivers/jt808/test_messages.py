"""Bodies: what a table of the standard says, and what noise does to them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_gateway.cli.program import main
from lamplighter_gateway.drivers.jt808.codec import location as wire
from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused
from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, Header
from lamplighter_gateway.drivers.jt808.codec.lines import decode_lines, encode_lines
from lamplighter_gateway.drivers.jt808.codec.location import Location, read_location, write_location
from lamplighter_gateway.drivers.jt808.codec.messages import _tables, edition_of, read_body, write_body
from lamplighter_gateway.drivers.jt808.codec.values import time_bcd, time_ms, time_text, utc_bcd

VECTORS = Path(__file__).parents[5] / "shared" / "vectors" / "jt808.json"
NOON_MS = round(datetime(2026, 11, 20, 4, tzinfo=UTC).timestamp()) * 1000
MESSAGES = sorted({message for edition in Edition for message in _tables(edition)} | {0x0200, 0x0704})
BODIES = [
    (0x0001, Edition.V2013, "007b01c803", {"answers_serial": 123, "answers_message": 456, "result": 3}),
    (0x8003, Edition.V2013, "10990200010003", {"answers_serial": 0x1099, "fragments": [1, 3]}),
    (0x8003, Edition.V2019, "1099000200010003", {"answers_serial": 0x1099, "fragments": [1, 3]}),
    (0x8202, Edition.V2013, "000500000258", {"interval_s": 5, "validity_s": 600}),
    (0x8202, Edition.V2013, "0000", {"interval_s": 0}),
    (0x8300, Edition.V2013, "08cfdecbd9", {"flags": 8, "text": "限速"}),
    (0x8300, Edition.V2019, "0802cfdecbd9", {"flags": 8, "kind": 2, "text": "限速"}),
    (0x8F02, Edition.V2013, "8f02000000001e", {"repeats": 0x8F02, "reserved": "00000000", "value": 30}),
    (0x0701, Edition.V2013, "00000003414243", {"waybill": "ABC"}),
    (0x0702, Edition.V2013, "02261120120000", {"card": 2, "time": "2026-11-20T12:00:00+08:00"}),
    (0x7777, Edition.V2013, "0102", {"hex": "0102"}),
]


@pytest.mark.parametrize(("message", "edition", "body", "values"), BODIES)
def test_bodies_by_the_tables_of_the_standard(message, edition, body, values):
    frame = Frame(Header(message, "013800138000", 1), bytes.fromhex(body))
    assert read_body(frame, edition) == values
    assert write_body(message, values, edition).hex() == body


def test_parameters_are_values_where_their_meaning_is_known():
    values = {
        "parameters": [{"id": "0x0055", "value": 30}, {"id": "0x0013", "value": "city"}, {"id": "0xf364", "hex": "ff"}]
    }
    body = write_body(0x8103, values, Edition.V2019)
    assert body.hex() == "03" + "00000055040000001e" + "000000130463697479" + "0000f36401ff"
    assert read_body(Frame(Header(0x8103, "0" * 20, 1, 1), body)) == values


def test_a_circle_has_hours_and_speeds_only_where_its_attributes_say_so():
    circle = {"id": 7, "attributes": 0, "latitude": 36.65, "longitude": 117.12, "radius_m": 500}
    daily = circle | {
        "id": 8,
        "attributes": 3,
        "start": "08:30:00",
        "end": "22:00:00",
        "max_speed_kmh": 40,
        "overspeed_s": 10,
    }
    values = {"action": 0, "areas": [circle, daily]}
    body = write_body(0x8600, values, Edition.V2013)
    assert len(body) == 2 + 18 + 18 + 12 + 3
    assert read_body(Frame(Header(0x8600, "0" * 12, 1), body)) == values


def test_a_registration_of_2011_shows_by_its_length():
    values = {
        "province": 37,
        "city": 100,
        "maker": "LAMPS",
        "model": "T1",
        "terminal": "1234567",
        "plate_colour": 2,
        "plate": "鲁A12345",
    }
    for edition in Edition:
        header = Header(0x0100, "0" * (20 if edition is Edition.V2019 else 12), 1, edition is Edition.V2019)
        frame = Frame(header, write_body(0x0100, values, edition))
        assert edition_of(frame) is edition
        assert read_body(frame) == values


def test_a_bare_code_logs_in_under_a_header_of_2019():
    assert read_body(Frame(Header(0x0102, "0" * 20, 1, 1), b"\x31\x32\x33")) == {"code": "123"}


def test_an_encrypted_body_is_told_and_not_guessed():
    refused = read_body(Frame(Header(0x0200, "0" * 12, 1, encryption=1), bytes(28)))
    assert isinstance(refused, Refused)
    assert refused.fault is Fault.ENCRYPTED


@given(st.sampled_from(MESSAGES), st.sampled_from(Edition), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_what_is_read_can_be_written(message, edition, body):
    found = read_body(Frame(Header(message, "0" * 12, 1), body), edition)
    if isinstance(found, Refused):
        return
    json.dumps(found)
    assert isinstance(found, dict)


LOCATION = st.builds(
    Location,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1).map(lambda status: status & ~0b1100),
    st.integers(0, 90_000_000).map(lambda degrees: degrees / 1e6),
    st.integers(0, 180_000_000).map(lambda degrees: degrees / 1e6),
    st.integers(0, 65_535),
    st.integers(0, 65_535).map(lambda speed: speed / 10),
    st.integers(0, 359),
    st.integers(946_684_800, 4_000_000_000).map(lambda second: second * 1000),
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=50)), max_size=8).map(tuple),
    st.just(b""),
)


@given(LOCATION)
def test_a_position_is_read_as_it_was_written(location):
    assert read_location(write_location(location)) == location


def test_south_and_west_are_signs():
    location = Location(0, 2, -36.65, -117.12, 0, 0.0, 0, NOON_MS)
    read = read_location(write_location(location))
    assert isinstance(read, Location)
    assert (read.latitude, read.longitude, read.status) == (-36.65, -117.12, 0b1110)


@given(LOCATION, st.binary(max_size=40))
def test_items_torn_off_cost_neither_the_position_nor_the_items_before(location, tail):
    read = read_location(write_location(location) + tail)
    assert isinstance(read, Location)
    assert read[:8] == location[:8]
    assert read.items[: len(location.items)] == location.items


def test_a_batch_keeps_good_positions_beside_a_bad_one():
    good = write_location(Location(0, 2, 36.65, 117.12, 0, 0.0, 0, NOON_MS))
    body = b"\0\x03\1" + b"\0\x1c" + good + b"\0\x05short" + b"\0\x1c" + good
    batch = wire.read_batch(body)
    assert isinstance(batch, wire.Batch)
    assert batch.blind_area
    assert [isinstance(one, Location) for one in batch.locations] == [True, False, True]


@pytest.mark.parametrize(
    ("bcd", "moment"),
    [
        ("261120120000", NOON_MS),
        ("261320120000", None),
        ("260230000000", None),
        ("2611201a0000", None),
        ("261120126000", None),
        ("26112012005a", None),
        ("000000000000", None),
    ],
)
def test_times_are_at_plus_eight_hours_or_none(bcd, moment):
    assert time_ms(bytes.fromhex(bcd)) == moment


def test_times_are_written_as_they_are_read():
    assert time_bcd(NOON_MS).hex() == "261120120000"
    assert utc_bcd(NOON_MS).hex() == "261120040000"
    assert time_text(bytes.fromhex("000000083000")) == "08:30:00"


@pytest.mark.skipif(not VECTORS.exists(), reason=f"the recorded frames are not there: {VECTORS.name}")
def test_the_recorded_frames_decode_as_recorded_and_encode_to_the_same_bytes():
    frames = json.loads(VECTORS.read_text())["frames"]
    told = list(decode_lines(frame["hex"] for frame in frames))
    assert len(told) == len(frames) == 256
    for frame, line in zip(frames, told, strict=True):
        assert line["ok"], line
        wanted = frame["ref"]
        header = {name: line[name] for name in line if name in wanted and name != "body"}
        assert header == {name: wanted[name] for name in header}
        assert len(header) >= 10
        if not line["fragmented"]:
            assert flat(recorded_values(frame)) <= flat(line["body"]), line
            for recorded, position in recorded_positions(frame, line["body"]):
                assert position == position | recorded
                assert [[item["id"], item["hex"]] for item in position["items"]] == recorded["raw_items"]
            assert list(encode_lines([json.dumps(line)])) == [frame["hex"]]
    whole = [line for line in told if line["fragmented"] and line["body"]]
    assert [line["msg_id"] for line in whole] == ["0x1205", "0x0104"]
    assert len(whole[0]["body"]["recordings"]) == 180


def recorded_positions(frame, body):
    """Recorded positions by our names, each beside the decoded one."""
    if "location" in frame["ref"]:
        recorded, found = [frame["ref"]["location"]], [body]
    else:
        batch = frame["ref"].get("batch", {"locations": []})
        recorded, found = batch["locations"], body.get("locations", [])
    for one, position in zip(recorded, found, strict=True):
        yield (
            {
                "alarm": one["alarm"],
                "status": one["status"],
                "latitude": one["lat"],
                "longitude": one["lon"],
                "altitude_m": one["altitude_m"],
                "speed_kmh": one["speed_dkmh"] / 10,
                "direction_deg": one["direction"],
                "time": one["time"],
                "raw_items": one["items"],
            },
            position | {"raw_items": one["items"]},
        )


def recorded_values(frame):
    """Every number and text of the recorded body, apart from what the header tells, units of its own, and flags."""
    left = {"messageId", "properties", "clientId", "verified", "protocolVersion", "serialNo", "latitude", "longitude"}
    left |= {"speed", "deviceTime", "attributes", "startTime", "endTime", "dateTime", "playbackTime", "total", "items"}
    left |= {
        "parameters",
        "location",
        "packet",
        "body",
        "areaType",
        "points",
        "message",
        "reserved",
        "reserves",
        "param",
    }
    left |= {
        "latitudeUL",
        "longitudeUL",
        "latitudeLR",
        "longitudeLR",
        "warnBit1",
        "warnBit2",
        "sign",
        "n",
        "idCard",
        "type",
    }
    recorded = [one["value"] for one in frame["asserts"] if one["kind"] == "json"]
    return {name: value for value in recorded[:1] for name, value in value.items() if name not in left}


def flat(values):
    """Numbers and texts, however deep."""
    if isinstance(values, dict):
        return set().union(*map(flat, values.values())) if values else set()
    if isinstance(values, list):
        return set().union(*map(flat, values)) if values else set()
    return {str(values)}


@given(st.lists(st.text(max_size=80), max_size=5))
def test_no_line_of_a_file_brings_a_traceback(lines):
    for told in decode_lines(lines):
        assert told["ok"] is False
    assert all(isinstance(one, Refused) for one in encode_lines(lines))


def test_the_command_line_tells_one_json_line_per_frame(tmp_path):
    file = tmp_path / "frames.hex"
    file.write_text("7e000100050123456789017fff007b01c803bd7e\nnonsense\n\n7e00 0100050123456789017fff007b01c803bc7e\n")
    result = CliRunner().invoke(main, ["jt808", "decode", str(file), "--json"])
    told = [json.loads(line) for line in result.output.splitlines()]
    assert result.exit_code == 0
    assert [(one["line"], one["ok"], one.get("error")) for one in told] == [
        (1, True, None),
        (2, False, "hex"),
        (4, False, "checksum"),
    ]
    file.write_text(result.output.splitlines()[0])
    assert (
        CliRunner().invoke(main, ["jt808", "encode", str(file)]).output.strip()
        == "7e000100050123456789017fff007b01c803bd7e"
    )
