"""A bundle over a bad link: every piece may be lost, come twice or out of turn, and the box may be started anew."""

import asyncio
import hashlib
import random

import msgspec
import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.files import FileName, Wants, decode_wants, encode_part
from lamplighter_contract.wire.limits import MAX_PIECE_BYTES
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.app import Ending
from lamplighter_gateway.update import work
from lamplighter_gateway.update.fetching import Fetching
from lamplighter_gateway.update.place import Place
from lamplighter_gateway.update.slots import Installed, Slot
from lamplighter_gateway.watch.counters import Counters
from tests.gateway.change.site import Site, tree
from tests.gateway.fakes import until
from tests.gateway.rig import Centre

FILE = random.Random(7).randbytes(MAX_PIECE_BYTES * 9 + 1234)
NAME = FileName(hashlib.sha256(FILE).hexdigest(), len(FILE))


def piece(number, content=FILE):
    return encode_part(NAME.sha256, number, content[number * MAX_PIECE_BYTES : (number + 1) * MAX_PIECE_BYTES])


class Link:
    """Brings what is asked for, as badly as `spoil` says."""

    def __init__(self, folder, spoil=lambda number, payload: [payload]):
        self.asked = []
        self.spoil = spoil
        self.fetching = Fetching(folder, self.ask, Counters(), patience_s=0.05)
        self.tasks = []

    async def ask(self, payload):
        wants = decode_wants(payload)
        assert isinstance(wants, Wants)
        self.asked.append(wants.first)
        self.tasks.append(asyncio.create_task(self.bring(wants)))
        return True

    async def bring(self, wants):
        for number in range(wants.first, min(wants.first + wants.count, NAME.pieces)):
            for payload in self.spoil(number, piece(number)):
                await self.fetching.take(payload, False)
                await asyncio.sleep(0)


async def test_every_piece_once_when_nothing_goes_wrong(tmp_path):
    link = Link(tmp_path)
    path = await link.fetching.fetch(NAME)
    assert path.read_bytes() == FILE
    assert link.asked == [0, 4, 8]


async def test_lost_repeated_foreign_and_shuffled_pieces_cost_time_only(tmp_path):
    chance = random.Random(1)

    def spoil(number, payload):
        other = chance.choice([b"", b"x" * 40, encode_part("00" * 32, number, b"y"), piece((number + 3) % NAME.pieces)])
        return chance.choice([[], [payload, payload], [other, payload], [payload[:-1]], [payload]])

    link = Link(tmp_path, spoil)
    async with asyncio.timeout(30):
        assert (await link.fetching.fetch(NAME)).read_bytes() == FILE


async def test_it_goes_on_after_a_restart_where_it_was(tmp_path):
    cut = Link(tmp_path, lambda number, payload: [payload] if number < 6 else [])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await cut.fetching.fetch(NAME)
    again = Link(tmp_path)
    assert (await again.fetching.fetch(NAME)).read_bytes() == FILE
    assert again.asked[0] == 6
    assert not list((tmp_path / "updates").glob("*.other"))


async def test_another_file_takes_its_place_and_a_wrong_one_is_asked_for_anew(tmp_path):
    (tmp_path / "updates").mkdir()
    (tmp_path / "updates" / ("0" * 64 + ".part")).write_bytes(b"x" * 10)
    wrong = bytes(len(FILE))
    first = iter([True] * NAME.pieces)
    link = Link(tmp_path, lambda number, payload: [piece(number, wrong) if next(first, False) else payload])
    assert (await link.fetching.fetch(NAME)).read_bytes() == FILE
    assert [path.name for path in (tmp_path / "updates").iterdir()] == [f"{NAME.sha256}.part"]


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = Site(tmp_path, monkeypatch)
    site.write(tree())
    return site


async def serve(site, ended):
    """The centre's half: pieces for whoever asks."""
    answered = 0
    while not ended():
        wants = [decode_wants(payload) for channel, payload, _ in site.link.published if channel == "wants"]
        for one in wants[answered:]:
            assert isinstance(one, Wants)
            for number in range(one.first, min(one.first + one.count, NAME.pieces)):
                site.link.send(Down.FILE, piece(number))
        answered = len(wants)
        await asyncio.sleep(0.01)


async def test_a_command_fetches_installs_and_is_answered_by_the_version_that_proved_itself(site, monkeypatch):
    new = Installed(Slot.A, "9.0.0", NAME.sha256)

    def install(bundle, place, root_key):
        assert bundle.read_bytes() == FILE
        (place.path(Slot.A) / "bin").mkdir(parents=True)
        (place.path(Slot.A) / "bin" / "python").touch()
        return new

    monkeypatch.setattr(work, "install", install)
    centre = Centre(site.link, site.clock)
    async with site.running():
        await site.proven()
        command = centre.send(centre.command(Operation.GATEWAY_UPDATE, {"bundle": str(NAME)}))
        await serve(site, site.ending.done)
        assert await site.ending is Ending.SWITCH
    place = Place(site.file.parent / "data", "0.1.0")
    assert (place.load().trial, place.load().asked) == (new, command.id)
    assert not (site.file.parent / "data" / "updates").exists()
    place.save(place.load().proves())
    async with site.running():
        assert (await centre.final(command))["state"] == "verified"


async def test_a_bundle_that_is_refused_fails_its_command_and_the_running_version_stays(site, monkeypatch):
    monkeypatch.setattr(work, "install", lambda *_: Refusal(Reason.SIGNATURE, "the signature does not fit"))
    centre = Centre(site.link, site.clock)
    async with site.running():
        await site.proven()
        command = centre.send(centre.command(Operation.GATEWAY_UPDATE, {"bundle": str(NAME)}))
        serving = asyncio.create_task(serve(site, lambda: False))
        final = await centre.final(command)
        serving.cancel()
        assert (final["state"], "signature" in str(final)) == ("failed", True)
        assert not site.ending.done()
        await until(lambda: not (site.file.parent / "data" / "updates").exists())


async def test_one_that_was_taken_back_fails_the_command_that_asked_for_it(site):
    centre = Centre(site.link, site.clock)
    command = centre.command(Operation.GATEWAY_UPDATE, {"bundle": str(NAME)})
    place = Place(site.file.parent / "data", "0.1.0")
    failed = place.load().tries(Installed(Slot.A, "9.0.0", NAME.sha256), (True, True), 1.0, command.id)
    place.save(msgspec.structs.replace(failed.takes_back("it was not healthy within 600 s")))
    async with site.running():
        centre.send(command)
        final = await centre.final(command)
        assert (final["state"], "not healthy" in str(final)) == ("failed", True)
        await until(lambda: bool(site.said("update.taken_back")))
