"""What gateways log in with: of the box that is the gateway now, and codes that are good once."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from lamplighter_contract.errors import Refusal
from lamplighter_controller.security import audit, credentials, enrolment, mosquitto
from lamplighter_controller.security.credentials import CODE_LIFE_MS
from lamplighter_controller.security.mosquitto import merged, password_line, write

BY = {"who": "user:li", "reason": "test"}


@pytest.fixture
async def enrolled(ledger):
    await ledger.write(lambda c: enrolment.enrol(c, "gw-1", time_ms=1, **BY))
    return ledger


def issue(gateway="gw-1"):
    return lambda c: credentials.issue(c, gateway, time_ms=1, random=os.urandom, **BY)


async def offered(ledger) -> str:
    return str(await ledger.write(lambda c: credentials.offer(c, "gw-1", time_ms=1, random=os.urandom, **BY)))


def claim(code, time_ms=2, gateway="gw-1"):
    return lambda c: credentials.claim(c, gateway, code, time_ms=time_ms, random=os.urandom)


async def test_a_password_is_of_the_box_that_is_the_gateway_now(enrolled):
    assert await enrolled.read(credentials.lines) == {}
    await enrolled.write(issue())
    first = await enrolled.read(credentials.lines)
    await enrolled.write(lambda c: enrolment.replace(c, "gw-1", time_ms=2, **BY))
    assert await enrolled.read(credentials.lines) == {}
    await enrolled.write(issue())
    second = await enrolled.read(credentials.lines)
    assert set(first) == set(second) == {"gw-1"}
    assert first != second
    await enrolled.write(lambda c: enrolment.revoke(c, "gw-1", time_ms=3, **BY))
    assert await enrolled.read(credentials.lines) == {}
    assert await enrolled.read(credentials.known) == {"gw-1"}


async def test_whoever_is_not_enrolled_gets_nothing(enrolled):
    assert isinstance(await enrolled.write(issue("gw-9")), Refusal)
    await enrolled.write(lambda c: enrolment.revoke(c, "gw-1", time_ms=3, **BY))
    assert isinstance(await enrolled.write(issue()), Refusal)


async def test_a_code_brings_a_password_once(enrolled):
    code = await offered(enrolled)
    for wrong in (claim("x"), claim(""), claim(code, gateway="gw-2"), claim(code, time_ms=1 + CODE_LIFE_MS)):
        assert await enrolled.write(wrong) is None
    assert await enrolled.write(claim(code)) is not None
    assert set(await enrolled.read(credentials.lines)) == {"gw-1"}
    assert await enrolled.write(claim(code)) is None


async def test_a_code_ends_nothing_until_it_is_used(enrolled):
    await enrolled.write(issue())
    before = await enrolled.read(credentials.lines)
    await offered(enrolled)
    assert await enrolled.read(credentials.lines) == before


async def test_neither_is_kept_nor_told_in_the_trail(enrolled):
    password, code = await enrolled.write(issue()), await offered(enrolled)
    trail = str(await enrolled.read(audit.newest))
    assert "gateway.credential" in trail
    for secret in (password, code):
        assert secret not in trail
        assert secret not in str(await enrolled.read(credentials.lines))


def test_the_line_is_one_that_mosquitto_writes(tmp_path: Path):
    file = tmp_path / "passwords"
    file.write_text("gw-1:lamp light\n")
    subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True, timeout=60)
    theirs = file.read_text().strip()
    salt = base64.b64decode(theirs.split("$")[3])
    assert password_line("gw-1", "lamp light", salt) == theirs


def test_other_users_of_the_file_stay(tmp_path: Path):
    kept = merged("controller:$7$a\n\ngw-1:$7$old\ngw-2:$7$gone\n", {"gw-1", "gw-2"}, {"gw-1": "gw-1:$7$new"})
    assert kept == "controller:$7$a\ngw-1:$7$new\n"
    folder = tmp_path / "broker"
    assert write(folder, "controller", set(), {"gw-1": "gw-1:$7$new"})
    assert not write(folder, "controller", {"gw-1"}, {"gw-1": "gw-1:$7$new"})
    assert (folder / "passwords").stat().st_mode & 0o007 == 0


def test_a_broker_that_does_not_run_is_told_of(tmp_path: Path):
    pid = tmp_path / "pid"
    for text in (None, "x", "999999999"):
        if text is not None:
            pid.write_text(text)
        with pytest.raises(mosquitto.BrokerFilesWrong, match="cannot be told"):
            mosquitto.reload(pid)


def test_a_folder_that_cannot_be_written_is_told_of(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(mosquitto.BrokerFilesWrong):
        write(tmp_path / "file", "controller", set(), {})
