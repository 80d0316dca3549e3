"""`truck.evidence` through a whole gateway: pieces are in the spool before the result says so."""

import hashlib
import json

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.wire.frame import PiecesFrame
from lamplighter_gateway.trucks.positions import PHOTOS
from tests.gateway.fakes import until
from tests.gateway.trucks.test_commands import TruckRig

FRAME = b"\x7eas it came\x7e"


def brought(rig):
    return [piece for frame in rig.link.frames if isinstance(frame, PiecesFrame) for piece in frame.pieces]


def ask(rig, *photos, device="truck-1"):
    now_ms = rig.clock.civil_ms()
    args = {"from": now_ms - 60_000, "to": now_ms + 60_000, "violation": "v-1", "photos": list(photos)}
    return rig.centre.send(rig.centre.command(Operation.TRUCK_EVIDENCE, args, (device,)))


async def test_frames_and_photos_come_up_and_a_second_asking_brings_the_same(tmp_path):
    rig = TruckRig(tmp_path)
    photo = bytes(range(256)) * 1_000
    digest = hashlib.sha256(photo).hexdigest()
    (tmp_path / PHOTOS).mkdir()
    (tmp_path / PHOTOS / f"{digest}.jpg").write_bytes(photo)
    async with rig.running():
        rig.trackers.record("truck-1", FRAME)
        final = await rig.centre.final(ask(rig, digest, "0" * 64))
        assert final["state"] == "verified"
        assert final["devices"][0]["reading"] == {"files": 2, "frames": True, "photos_missing": 1}
        await until(lambda: len(brought(rig)) >= 4)
    pieces = {(piece.name, piece.number): piece for piece in brought(rig)}
    [frames] = [piece for (name, _), piece in pieces.items() if name == "frames.jsonl"]
    assert bytes.fromhex(json.loads(frames.read().splitlines()[1])["frame"]) == FRAME
    parts = [pieces[digest, number].read() for number in (1, 2, 3)]
    assert b"".join(parts) == photo
    assert {piece.violation for piece in pieces.values()} == {"v-1"}


async def test_where_nothing_is_kept_it_says_so(tmp_path):
    rig = TruckRig(tmp_path)
    async with rig.running():
        rig.trackers.record("truck-1", FRAME)
        final = await rig.centre.final(ask(rig, device="truck-2"))
    assert (final["state"], final["devices"][0]["reason"]) == ("failed", "nothing is kept of that time")
    assert not brought(rig)
