"""What is brought up for whoever helps from afar: enough to help, small, and never a secret."""

import io
import json
import logging
import string
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.commands.command import Operation
from lamplighter_gateway.support.collect import bundle
from lamplighter_gateway.support.ring import Ring
from lamplighter_gateway.support.secrets import HIDDEN, plain, without
from tests.gateway.change.site import Site, bus, tree
from tests.gateway.rig import Centre

CANARY = "canary-7f3a9c"


def files(content: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {entry.name: archive.extractfile(entry).read().decode() for entry in archive}  # type: ignore[union-attr]  # plain files


@pytest.fixture
def site(tmp_path, monkeypatch):
    (tmp_path / "uplink.password").write_text(CANARY + "-uplink\n")
    (tmp_path / "field.password").write_text(CANARY + "-field\n")
    site = Site(tmp_path, monkeypatch)
    uplink = {"host": "127.0.0.1", "port": 1883, "password_file": "uplink.password"}
    field = {"id": "field", "wire": "mqtt", "host": "127.0.0.1", "password_file": "field.password"}
    site.write(tree(uplink=uplink, buses=[bus("east", 1501), bus("west", 1502), field]))
    return site


def brought(site, command):
    """The file of a command, once all its pieces are there."""
    pieces = [
        p for channel, body, _ in site.link.published if channel == "urgent" for p in json.loads(body).get("pieces", [])
    ]
    mine = {piece["number"]: piece for piece in pieces if piece["violation"] == command.id}
    if not mine or len(mine) < next(iter(mine.values()))["total"]:
        return None
    import base64

    return b"".join(base64.b64decode(mine[number]["content"]) for number in sorted(mine))


async def test_it_comes_up_over_the_uplink_with_logs_buses_spool_and_configuration_and_no_secret(site, monkeypatch):
    ring = Ring()
    ring.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    logger = logging.getLogger("tests.support")
    logger.addHandler(ring)
    monkeypatch.setattr("lamplighter_gateway.assembly.Ring", lambda: ring)
    async with site.running() as gateway:
        await site.proven()
        logger.warning("no uplink: mqtt://gw-7:%s-uplink@broker refused", CANARY)
        logger.warning("password: hunter2 and token=abcdef; %s-field", CANARY)
        logger.warning("the cabinet door is open")
        centre = Centre(site.link, site.clock)
        command = centre.send(centre.command(Operation.GATEWAY_SUPPORT, {}))
        final = await centre.final(command)
        assert final["state"] == "verified", final
        content = brought(site, command)
        assert content is not None
        assert len(content) <= 200_000
        found = files(content)
        everything = "\n".join(found.values())
        for secret in (CANARY, "hunter2", "abcdef"):
            assert secret not in everything
        assert "the cabinet door is open" in found["log.txt"]
        status = json.loads(found["status.json"])
        assert {one["bus"] for one in status["buses"]} == {"east", "west", "field"}
        assert status["spool"]["waiting"] >= 0
        config = json.loads(found["config.json"])
        assert config["file"]["uplink"]["password_file"] == "uplink.password"
        assert gateway is site.gateway
    logger.removeHandler(ring)


@given(st.text(string.printable, max_size=60), st.text(string.printable, max_size=60))
def test_a_known_secret_stands_in_no_text(before, after):
    assert CANARY not in without(f"{before}{CANARY}{after}", [CANARY])


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("password=abc", "abc"),
        ("Token: eyJh.x", "eyJh"),
        ("http://wang:geheim@broker:1883", "geheim"),
        ("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----", "MC4C"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text, hidden):
    assert hidden not in without(text, ())


def test_keys_named_like_secrets_lose_their_values_and_files_keep_their_names():
    found = plain({"a": [{"password": "x", "password_file": "/etc/x"}], "secret": {"b": 1}})
    assert found == {"a": [{"password": HIDDEN, "password_file": "/etc/x"}], "secret": HIDDEN}


@pytest.mark.parametrize("noise", [0, 100_000, 3_000_000])
def test_it_is_small_however_much_there_is_and_keeps_the_newest(noise):
    import random

    chance = random.Random(1)
    log = "".join(chance.choices(string.ascii_letters, k=noise)) + "\nthe newest line"
    status = {"buses": [{"bus": f"b-{n}", "x": chance.random()} for n in range(noise // 100)]}
    made = bundle(status, {}, log, ())
    assert len(made) <= 200_000
    if noise < 1_000_000:
        assert files(made)["log.txt"].endswith("the newest line")


def test_the_ring_keeps_the_newest_lines_within_its_bound():
    ring = Ring(most_bytes=1000)
    for number in range(1000):
        ring.handle(logging.LogRecord("x", logging.INFO, "", 0, f"line {number}", None, None))
    assert len(ring.text()) <= 1200
    assert ring.text().endswith("line 999")
