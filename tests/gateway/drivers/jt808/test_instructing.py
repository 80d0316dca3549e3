"""Instructions that limit nobody: what goes to the terminal, matched with its answers over real sockets."""

import asyncio
import contextlib
from typing import Any, cast

import pytest

from lamplighter_contract.commands.command import Operation, check_args
from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, Header
from lamplighter_gateway.drivers.jt808.codec.messages import read_body
from lamplighter_gateway.drivers.jt808.instructing import Instruction, instruction
from lamplighter_gateway.drivers.port import Outcome
from tests.gateway.drivers.jt808.terminal import PHONE, Terminal
from tests.gateway.drivers.jt808.test_server import PROFILES, Harbour, harbour

__all__ = ["harbour"]

STANDARD, MUCK = (profile.jt808 for profile in (PROFILES["jt808-std"], PROFILES["zt-8f"]) if profile.jt808)
EAST, WEST = [36.65, 117.12], [36.64, 117.10]
CIRCLE = {"fence": 7, "shape": "circle", "points": [EAST], "radius_m": 200, "crossing": "leave", "overspeed_kmh": 40}
GROUND = {"fence": 8, "shape": "polygon", "points": [EAST, WEST, [36.66, 117.11]], "meaning": "ground"}
ROUTE = {"fence": 9, "shape": "route", "points": [EAST, WEST], "width_m": 60}


def bodies(operation, args, profile=STANDARD, edition=Edition.V2013) -> list[tuple[int, Any]]:
    """What would be sent, read back by the codec."""
    assert check_args(operation, args) is None
    found = instruction(operation, args, edition, profile)
    assert isinstance(found, Instruction), found
    sent = [*found.messages, *([found.question] if found.question else [])]
    protocol = 1 if edition is Edition.V2019 else 0
    return [(message, read_body(Frame(Header(message, PHONE, 1, protocol), body), edition)) for message, body in sent]


@pytest.mark.parametrize("edition", [Edition.V2013, Edition.V2019])
@pytest.mark.parametrize(
    ("operation", "args", "message", "told"),
    [
        (Operation.TRUCK_TRACK, {"interval_s": 5, "seconds": 60}, 0x8202, {"interval_s": 5, "validity_s": 60}),
        (Operation.TRUCK_TRACK, {"interval_s": 0}, 0x8202, {"interval_s": 0}),
        (Operation.TRUCK_CONFIRM_ALARM, {"alarms": ["danger", "area"]}, 0x8203, {"alarms": 1 << 3 | 1 << 20}),
        (Operation.TRUCK_CONTROL, {"action": "reset"}, 0x8105, {"control": 4}),
        (Operation.TRUCK_PHOTO, {"channel": 2}, 0x8801, {"channel": 2, "pictures": 1}),
        (Operation.TRUCK_PARAMETERS, {}, 0x8104, {}),
        (Operation.TRUCK_PARAMETERS, {"ids": [0x55, 0xF364]}, 0x8106, {"ids": [0x55, 0xF364]}),
        (Operation.TRUCK_FENCE, GROUND, 0x8604, {"id": 8}),
        (Operation.TRUCK_FENCE, ROUTE, 0x8606, {"id": 9}),
        (Operation.TRUCK_UNFENCE, {"shape": "circle", "fence": 7}, 0x8601, {"ids": [7]}),
        (Operation.TRUCK_UNFENCE, {"shape": "rectangle"}, 0x8603, {"ids": []}),
        (Operation.TRUCK_UNFENCE, {"shape": "polygon"}, 0x8605, {"ids": []}),
        (Operation.TRUCK_UNFENCE, {"shape": "route"}, 0x8607, {"ids": []}),
    ],
)
def test_an_instruction_is_the_standards_message(edition, operation, args, message, told):
    [(sent, body)] = bodies(operation, args, edition=edition)
    assert sent == message
    assert told.items() <= body.items()


def test_a_circle_says_when_it_alarms_and_above_which_speed():
    [(message, body)] = bodies(Operation.TRUCK_FENCE, CIRCLE | {"begins": "22:00", "ends": "05:30"})
    [area] = body["areas"]
    assert (message, body["action"], area["attributes"]) == (0x8600, 1, 0b110011)
    assert (area["latitude"], area["longitude"], area["radius_m"], area["max_speed_kmh"]) == (36.65, 117.12, 200, 40)
    assert (area["start"], area["end"]) == ("22:00:00", "05:30:00")


def test_a_rectangle_knows_its_corners_and_its_hemispheres():
    args = {"fence": 1, "shape": "rectangle", "points": [[-33.9, -70.5], [-33.8, -70.7]], "crossing": "none"}
    [(message, body)] = bodies(Operation.TRUCK_FENCE, args)
    [area] = body["areas"]
    assert (message, area["attributes"]) == (0x8602, 1 << 6 | 1 << 7)
    assert (area["north_latitude"], area["south_latitude"]) == (33.8, 33.9)
    assert (area["west_longitude"], area["east_longitude"]) == (70.7, 70.5)
    astride = instruction(Operation.TRUCK_FENCE, args | {"points": [[1, 1], [-1, 2]]}, Edition.V2013, STANDARD)
    assert astride == "all points of a fence in one hemisphere"


def test_a_muck_terminal_is_told_its_ground_longitude_first_and_never_a_bound_of_speed():
    [(message, body)] = bodies(Operation.TRUCK_FENCE, GROUND | {"overspeed_kmh": 30}, MUCK)
    assert (message, body["kind"], body["max_speed_kmh"], body["id"]) == (0x8F08, 2, 0, 8)
    found = instruction(Operation.TRUCK_FENCE, GROUND, Edition.V2013, MUCK)
    assert isinstance(found, Instruction)
    assert int.from_bytes(found.messages[0][1][10:14]) == 117_120_000
    [(message, body)] = bodies(Operation.TRUCK_FENCE, ROUTE, MUCK)
    assert (message, body["width_m"], body["max_speed_kmh"]) == (0x8F0B, 60, 0)
    deleted = bodies(Operation.TRUCK_UNFENCE, {"shape": "polygon", "fence": 8}, MUCK)
    assert [message for message, _ in deleted] == [0x8F09, 0x8605]
    every = instruction(Operation.TRUCK_UNFENCE, {"shape": "polygon"}, Edition.V2013, MUCK)
    assert isinstance(every, str)


def test_a_fence_that_does_not_fit_into_one_message_is_refused():
    winding = ROUTE | {"points": [[36.6 + n / 1_000, 117.0] for n in range(100)]}
    found = instruction(Operation.TRUCK_FENCE, winding, Edition.V2013, STANDARD)
    assert found == "fewer points: a fence has to fit into one message of 1023 bytes"
    polygon = GROUND | {"points": winding["points"]}
    assert isinstance(instruction(Operation.TRUCK_FENCE, polygon, Edition.V2019, STANDARD), Instruction)


async def obey(terminal, parameters, *, takes=0, sets=True):
    """Answer instructions until cancelled, as a terminal does that acknowledges before it answers."""
    said = []
    with contextlib.suppress(EOFError, TimeoutError):
        while True:
            frame = await terminal.receive()
            message, body = frame.header.message, cast("dict[str, Any]", read_body(frame, terminal.edition))
            if message in (0x8001, 0x8100):
                continue
            said.append(message)
            if message == 0x8103 and sets:
                parameters.update({one["id"]: one["value"] for one in body["parameters"]})
            terminal.answer(frame, takes)
            if message in (0x8104, 0x8106):
                told = [{"id": name, "value": value} for name, value in parameters.items()]
                terminal.send(0x0104, {"answers_serial": frame.header.serial, "parameters": told})
    return said


@pytest.mark.parametrize(
    ("operation", "args", "how", "outcome", "told"),
    [
        (Operation.TRUCK_TRACK, {"interval_s": 5}, {}, Outcome.APPLIED, {}),
        (Operation.TRUCK_FENCE, CIRCLE, {"takes": 3}, Outcome.FAILED, {}),
        (Operation.TRUCK_PARAMETERS, {}, {}, Outcome.VERIFIED, {"0x0055": 100}),
        (Operation.TRUCK_PARAMETERS, {}, {"takes": 1}, Outcome.FAILED, {}),
        (Operation.TRUCK_SET_PARAMETERS, {"values": {"overspeed_kmh": 60}}, {}, Outcome.VERIFIED, {"0x0055": 60}),
        (
            Operation.TRUCK_SET_PARAMETERS,
            {"values": {"overspeed_kmh": 60}},
            {"sets": False},
            Outcome.FAILED,
            {"0x0055": 100},
        ),
    ],
)
async def test_an_instruction_ends_with_the_terminals_own_answer(harbour: Harbour, operation, args, how, outcome, told):
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        serving = asyncio.create_task(obey(terminal, {"0x0055": 100}, **how), name="terminal")
        done = await harbour.bus.instruct("truck-1", operation, args, 5.0)
        serving.cancel()
    assert (done.outcome, done.told) == (outcome, told), done


async def test_a_camera_that_cannot_says_so_in_its_own_answer(harbour: Harbour):
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        asked = asyncio.create_task(
            harbour.bus.instruct("truck-1", Operation.TRUCK_PHOTO, {"channel": 9}, 5.0), name="photo"
        )
        frame = await terminal.receive()
        terminal.send(0x0805, {"answers_serial": frame.header.serial, "result": 2})
        done = await asked
    assert (done.outcome, done.reason) == (Outcome.FAILED, "the terminal refused 0x8801 with 2")


async def test_who_is_gone_or_silent_is_told_apart(harbour: Harbour):
    gone = await harbour.bus.instruct("truck-1", Operation.TRUCK_TRACK, {"interval_s": 5}, 1.0)
    assert (gone.outcome, gone.reason) == (Outcome.FAILED, "not sent: its terminal is not connected")
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        silent = await harbour.bus.instruct("truck-1", Operation.TRUCK_TRACK, {"interval_s": 5}, 0.2)
    assert silent.outcome is Outcome.UNCONFIRMED
