"""The page of the cabinet over real TLS: few rights, few tries, and nothing past a lock."""

import asyncio
import contextlib
import re
import ssl
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.cli import program
from lamplighter_gateway.commissioning.equipment import equip
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.page.access import SESSION_S, TRIES, TRIES_S, Access
from lamplighter_gateway.commissioning.page.certificate import certificate, fingerprint
from lamplighter_gateway.commissioning.page.words import QUANTITIES, WORDS
from lamplighter_gateway.config.load import load
from lamplighter_gateway.config.model import Config, LocalPage, Reporting, SpoolLimits, Uplink
from tests.gateway.fakes import until
from tests.gateway.rig import GATEWAY, Rig, keys_document

EXAMPLE = Path(__file__).parents[3] / "config" / "gateway" / "example.yaml"


def config(folder):
    uplink = Uplink("127.0.0.1", 1, None, None, 30)
    page = LocalPage("127.0.0.1", 0)
    return Config(
        GATEWAY, "", folder, None, "", uplink, Reporting(60, 900, False), SpoolLimits(64, 24), None, (), (), page=page
    )


class Phone:
    """A browser that has accepted the certificate."""

    def __init__(self, page, code):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.client = httpx.AsyncClient(base_url=f"https://127.0.0.1:{page.port}", verify=context, timeout=30)
        self.code = code
        self.form = ""

    async def enter(self, name="Wang", code=None):
        fields = {"name": name, "code": self.code if code is None else code}
        answer = await self.client.post("/login", data=fields)
        if answer.status_code == 303:
            await self.see("/device", id="lamp-1")
        return answer

    async def see(self, path, **query):
        answer = await self.client.get(path, params=query, headers={"Cookie": self._cookie()})
        found = re.search(r'name="form" value="([^"]+)"', answer.text)
        self.form = found[1] if found else self.form
        return answer

    async def do(self, path, **fields):
        headers = {"Cookie": self._cookie()}
        return await self.client.post(path, data={"form": self.form, **fields}, headers=headers)

    def _cookie(self):
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items()) + "; language=en"


@contextlib.asynccontextmanager
async def visited(folder):
    rig = Rig(folder)
    gateway = rig.build()
    page = equip(gateway, config(folder))
    assert page is not None
    task = asyncio.create_task(gateway.run(), name="gateway")
    try:
        await until(lambda: task.done() or page.port > 0, 60)
        about = await page.about({}, "root")
        phone = Phone(page, about["code"])
        yield rig, phone, about
        await phone.client.aclose()
    finally:
        gateway.stop()
        async with asyncio.timeout(10):
            await task


async def test_a_crew_lists_reads_blinks_and_lights_with_its_name_in_the_history(tmp_path):
    async with visited(tmp_path) as (rig, phone, _):
        assert (await phone.enter()).status_code == 303
        listed = await phone.see("/")
        assert "lamp-2" in listed.text
        read = await phone.see("/device", id="lamp-1")
        assert "Power, W" in read.text
        assert (await phone.do("/do", do="full", device="lamp-1")).status_code == 303
        assert rig.levels["lamp-1"] == 100
        (override,) = rig.gateway.journal.desired.of("lamp-1")
        assert 0 < override.until_ms - rig.clock.civil_ms() <= 5 * 60_000
        blinked = await phone.do("/do", do="blink", device="lamp-2")
        assert "blinks" in blinked.headers["location"]
        assert ("lamp-2", 20.0) in {(write.device, write.value) for write in rig.bus.writes}
        told = {"local.override", "local.identify"}
        await until(lambda: told <= {event["event"] for event in rig.link.events()}, 60)
        by = {event["detail"]["by"] for event in rig.link.events() if event["event"] in told}
        assert by == {"local:page:Wang"}


async def test_nothing_is_shown_or_done_without_the_code_and_few_tries_are_had(tmp_path):
    async with visited(tmp_path) as (rig, phone, _):
        for path in ("/device?id=lamp-1", "/walk", "/nothing"):
            answer = await phone.client.get(path)
            assert answer.status_code == 401
            assert "lamp-" not in answer.text
        assert (await phone.do("/do", do="full", device="lamp-1")).status_code == 401
        assert rig.bus.writes == []
        for _ in range(TRIES):
            assert (await phone.enter(code="00000000x")).status_code == 401
        assert (await phone.enter()).status_code == 429  # also with the right one


async def test_a_form_of_another_site_and_an_unknown_wish_do_nothing(tmp_path):
    async with visited(tmp_path) as (rig, phone, _):
        await phone.enter()
        phone.form, kept = "forged", phone.form
        assert (await phone.do("/do", do="full", device="lamp-1")).status_code == 403
        phone.form = kept
        for wish in ("write", "restore", "isolate", "unlock", "resume", ""):
            assert (await phone.do("/do", do=wish, device="lamp-1", level_percent="0")).status_code == 404
        assert (await phone.do("/do", do="full", device="nobody")).status_code == 303
        assert rig.bus.writes == []


async def test_a_locked_lamp_is_named_and_neither_blinks_nor_lights(tmp_path):
    async with visited(tmp_path) as (rig, phone, _):
        await until(lambda: rig.gateway.uplink.connected, 60)
        rig.link.send(Down.KEYS, keys_document(), retained=True)
        lock = rig.centre.command(Operation.DEVICE_LOCK, {"holder": "user:li"}, ("lamp-1",))
        await rig.centre.final(rig.centre.send(lock))
        await phone.enter()
        seen = await phone.see("/device", id="lamp-1")
        assert "LOCKED" in seen.text
        assert 'value="full"' not in seen.text
        await phone.see("/device", id="lamp-2")
        for wish in ("full", "blink"):
            answer = await phone.do("/do", do=wish, device="lamp-1")
            assert "locked" in answer.headers["location"]
        assert rig.bus.writes == []
        assert rig.gateway.journal.desired.of("lamp-1") == ()


async def test_the_walk_is_confirmed_by_phone(tmp_path):
    async with visited(tmp_path) as (rig, phone, _):
        desk = rig.gateway.requests["commission"]
        await phone.enter()
        assert "commission begin" in (await phone.see("/walk")).text
        await desk({"step": "begin"}, "li")
        await desk({"step": "expect", "lamps": [{"device": "lamp-1", "pole": "P-01"}]}, "li")
        asked = await phone.see("/walk")
        assert "Is lamp-1 the lamp at pole P-01?" in asked.text
        await phone.do("/walk", do="start", device="lamp-1")
        await phone.do("/walk", do="yes", device="lamp-1", pole="P-01")
        await phone.do("/walk", do="pole", device="lamp-2", pole="P-07")
        await phone.do("/walk", do="nothing", device="lamp-3")
        record = (await desk({"step": "record"}, "li"))["record"]
        assert {lamp: (its["pole"], its["by"]) for lamp, its in record["seen"].items()} == {
            "lamp-1": ("P-01", "page:Wang"),
            "lamp-2": ("P-07", "page:Wang"),
            "lamp-3": (None, "page:Wang"),
        }
        assert "Every lamp is answered for." in (await phone.see("/walk")).text


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000,
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n" + b"a" * 9_000,
    ],
)
async def test_what_is_no_request_is_let_go_and_the_next_visitor_is_served(tmp_path, sent):
    async with visited(tmp_path) as (_, phone, about):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection("127.0.0.1", about["port"], ssl=context)
        with contextlib.suppress(ConnectionError):
            writer.write(sent)
            writer.write_eof() if writer.can_write_eof() else await writer.drain()
            async with asyncio.timeout(30):
                answer = await reader.read(100)
            assert not answer.startswith(b"HTTP/1.1 200")
        writer.close()
        assert (await phone.client.get("/")).status_code == 200


def test_where_the_page_is_stands_in_the_file_and_its_mistakes_are_named(tmp_path):
    text = EXAMPLE.read_text("utf-8").replace("../profiles", str(EXAMPLE.parents[1] / "profiles"))
    file = tmp_path / "gateway.yaml"
    file.write_text(text.replace("# page: {", "page: {"), "utf-8")
    found = load(file, {})
    assert isinstance(found, Config)
    assert found.page == LocalPage("0.0.0.0", 8443)
    file.write_text(text + "\npage: {port: 99999, hots: x}\n", "utf-8")
    wrong = load(file, {})
    assert not isinstance(wrong, Config)
    assert {problem.key for problem in wrong} == {"page.port", "page.hots"}


def test_the_certificate_is_made_once_and_its_file_is_private(tmp_path):
    first = certificate(tmp_path, "gw-1")
    assert certificate(tmp_path, "gw-1").fingerprint == first.fingerprint
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", first.fingerprint)
    path = tmp_path / "page.pem"
    assert path.stat().st_mode & 0o077 == 0
    assert fingerprint(path.read_text()) == first.fingerprint


def test_sessions_end_and_wrong_codes_are_forgotten_after_a_while():
    numbers = iter(range(100))
    access = Access("12345678", lambda: f"t{next(numbers)}")
    session = access.enter("a", "Wang", " 12345678 ", 0.0)
    assert session is not None
    assert access.session(session.token, SESSION_S - 1) is session
    assert access.session(session.token, SESSION_S) is None
    for _ in range(TRIES):
        assert access.enter("b", "Li", "0", 10.0) is None
    assert access.enter("b", "Li", "12345678", 11.0) is None
    assert access.enter("a", "Wang", "12345678", 11.0) is not None  # another phone is not barred
    assert access.enter("b", "Li", "12345678", 10.0 + TRIES_S) is not None
    assert access.enter("c", "", "12345678", 11.0) is None


def test_both_languages_have_the_same_words():
    assert WORDS[Language.EN].keys() == WORDS[Language.ZH].keys()
    assert QUANTITIES[Language.EN].keys() == QUANTITIES[Language.ZH].keys()


@pytest.mark.parametrize(
    ("host", "said"), [("10.0.0.5", "https://10.0.0.5:8443/"), ("0.0.0.0", "any address of this box")]
)
def test_the_command_line_says_how_to_open_it(tmp_path, monkeypatch, host, said):
    about = {"host": host, "port": 8443, "fingerprint": "AB:CD", "code": "12345678"}
    monkeypatch.setattr(program, "_ask", lambda *_: about)
    told = CliRunner().invoke(program.main, ["page", "--data", str(tmp_path)]).output
    assert said in told
    assert "SHA-256 AB:CD" in told
    assert "access code 12345678" in told
