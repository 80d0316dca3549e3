"""From a frame's columns to readings and back: nothing is lost, nothing is made up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.errors import Reason
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.frame import ReadingsFrame, decode_body, readings_body
from lamplighter_controller.intake.placing import body_of, place, readings_of

NOW_MS = 1_763_650_000_000
CELLS = {
    "latitude": st.one_of(st.none(), st.floats(-90, 90)),
    "speed_kmh": st.one_of(st.none(), st.integers(0, 400)),
    "ignition": st.one_of(st.none(), st.booleans()),
    "lift": st.one_of(st.none(), st.sampled_from(["flat", "raised", "fault", "unknown"])),
}
ROWS = st.lists(
    st.fixed_dictionaries({**CELLS, "time": st.integers(NOW_MS, NOW_MS + 10), "quality": st.integers(0, 31)}),
    min_size=1,
    max_size=20,
)


def frame_of(rows: list[dict[str, object]]) -> ReadingsFrame:
    columns = {name: [row[name] for row in rows] for name in CELLS}
    devices = [f"truck-{number}" for number in range(len(rows))]
    body = readings_body(
        Kind.TRUCK,
        devices,
        [row["time"] for row in rows],  # type: ignore[misc]  # drawn so
        columns,  # type: ignore[arg-type]  # drawn so
        [row["quality"] for row in rows],  # type: ignore[misc]  # drawn so
    )
    frame = decode_body(body)
    assert isinstance(frame, ReadingsFrame)
    return frame


@given(ROWS)
def test_a_body_made_of_readings_reads_as_the_same_readings(rows: list[dict[str, object]]) -> None:
    frame = frame_of(rows)
    readings = readings_of(frame)
    again = decode_body(body_of(readings))
    assert isinstance(again, ReadingsFrame)
    assert not again.refused
    assert again.columns == frame.columns
    assert (again.device, again.time_ms, again.quality) == (frame.device, frame.time_ms, frame.quality)


@given(ROWS, st.data())
def test_every_row_is_stored_or_in_exactly_one_letter(rows: list[dict[str, object]], data: st.DataObject) -> None:
    frame = frame_of(rows)
    served = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    placed = place("gw-1", frame, served, latest_ms=NOW_MS + 5, now_ms=NOW_MS)
    found = list(placed.readings.device)
    for letter in placed.letters:
        part = decode_body(letter.body)
        assert isinstance(part, ReadingsFrame)
        found += part.device
        assert letter.reason in {Reason.UNKNOWN_DEVICE, Reason.ABSURD_TIME}
    assert sorted(found) == sorted(frame.device)
    assert placed.strangers == int((~served).sum())
    kept = {device: row for row, device in enumerate(frame.device)}
    assert all(served[kept[device]] and frame.time_ms[kept[device]] <= NOW_MS + 5 for device in placed.readings.device)
