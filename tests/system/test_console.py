"""The console in a real browser against a real HTTP server; devices are fed, and a stand-in obeys their commands."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it has none
from msgspec import structs
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from lamplighter_contract.clock import CivilScale, SystemClock
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import BusHealth, DeviceEntry, GatewayState, Health, SpoolHealth
from lamplighter_controller.api import create_api, static
from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding
from lamplighter_controller.diagnosis.incidents.incident import Incident, State
from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace
from tests.controller.api.world import RATE, World, entry, open_world
from tests.system.process import find_program, free_port

CHROMIUM = find_program("chromium")
BUILT = (static.WEB / "index.html").exists()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian package chromium)"),
    pytest.mark.skipif(not BUILT, reason="the console was not built: it takes Node, then `make env`"),
]

ARGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
CABINETS, LAMPS_EACH = 4, 50
OUR_OWN = "willReadFrequently"  # said of the test's counting of pixels
SERVER_GONE = re.compile(
    r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE|ERR_EMPTY|WebSocket connection|net::ERR"
)
TIMEOUT_MS = 10_000
STEPS = (CommandState.SENT, CommandState.ACCEPTED, CommandState.APPLIED, CommandState.VERIFIED)


def lamps_of(cabinet: int) -> list[str]:
    return [f"lamp-{cabinet:02}-{number:03}" for number in range(1, LAMPS_EACH + 1)]


LAMPS = [lamp for cabinet in range(1, CABINETS + 1) for lamp in lamps_of(cabinet)]


def city() -> dict[str, list[DeviceEntry]]:
    """Four streets, one above the other, each lit from a cabinet of its own; told in no order of their ids."""
    return {
        f"gw-{cabinet}": [
            structs.replace(entry(f"cab-{cabinet:02}", Kind.CABINET), name=street(cabinet)),
            *(
                structs.replace(
                    entry(lamp, latitude=36.65 + cabinet * 0.002, longitude=117.12 + row * 0.0002), name=street(cabinet)
                )
                for row, lamp in enumerate(lamps_of(cabinet))
            ),
        ]
        for cabinet in reversed(range(1, CABINETS + 1))
    }


def street(cabinet: int) -> dict[str, str]:
    return {"zh": f"云杉{cabinet}路", "en": f"Spruce Road {cabinet}"}


@dataclass
class Site:
    """A served console, and what its browser complained about."""

    world: World
    browser: Browser
    port: int = field(default_factory=free_port)
    complaints: list[str] = field(default_factory=list)
    server: uvicorn.Server | None = None
    serving: "asyncio.Task[None] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self) -> None:
        app = create_api(self.world.services)
        config = uvicorn.Config(
            app, port=self.port, log_config=None, ws_per_message_deflate=False, timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(config)
        self.server.capture_signals = contextlib.nullcontext  # type: ignore[assignment,method-assign]  # signals are the runner's
        self.serving = asyncio.create_task(self.server.serve(), name="test-console-server")
        await until(lambda: self.server is not None and self.server.started)

    async def stop(self) -> None:
        if self.server is not None and self.serving is not None:
            self.server.should_exit = self.server.force_exit = True
            await self.serving
            self.server = None

    async def open(
        self,
        path: str = "/",
        *,
        language: str = "zh-CN",
        scheme: str = "light",
        size: tuple[int, int] = (1440, 900),
        token: bool = True,
    ) -> Page:
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            timezone_id="Asia/Shanghai",
            color_scheme="dark" if scheme == "dark" else "light",
        )
        context.set_default_timeout(TIMEOUT_MS)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        fragment = f"#token={self.world.secret['operator']}" if token else ""
        await page.goto(f"{self.url}{path}{fragment}")
        return page

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"} and OUR_OWN not in said.text:
            self.complaints.append(said.text)

    async def open_map(
        self, language: str = "zh-CN", scheme: str = "light", size: tuple[int, int] = (1440, 900)
    ) -> Page:
        page = await self.open(language=language, scheme=scheme, size=size)
        await page.wait_for_selector(f'canvas[data-drawn="{len(LAMPS)}"]')
        return page

    def light(self, lamps: list[str], level: float, power: float) -> None:
        self.world.light(lamps, level, power, voltage_v=230.4, temperature_c=31.0, desired_percent=level)

    async def find_wrong(self, *lamps: str) -> list[Incident]:
        """Diagnosis finds these lamps dead."""
        desk = self.world.services.diagnosis.desk
        places = [LampPlace(name, name, "cab-01", "circuit-01-a", order=n) for n, name in enumerate(lamps_of(1))]
        desk.topology = assemble(
            Places(places, [CabinetPlace("cab-01", "cab-01")], [CircuitPlace("circuit-01-a", "cab-01", "a")])
        )
        evidence = (EvidenceLine("power", 1.0, 100.0, 1.5, 2, "W"),)
        odds = (("lamp_dead", 0.8), ("meter_bad", 0.2))
        findings = [Finding(Element(ElementKind.LAMP, lamp), odds, 0, 0, evidence, (), "", True) for lamp in lamps]
        return await desk.take(findings, self.world.services.clock.civil_ms())

    async def plan(self) -> None:
        """The presets' night for the whole city."""
        why = {"reason": "test"}
        for step in ("presets", "plans", "plans/1/validate", "plans/1/publish"):
            (await self.world.post(f"/{step}", why)).raise_for_status()

    async def obey(self) -> None:
        """Take the newest request through its steps, and do what it says."""
        await until(lambda: bool(self.world.commands.taken))
        request, submitted = max(self.world.commands.taken.items())
        for step in STEPS:
            await asyncio.sleep(0.05)
            self.world.commands.move(request, step)
        level = float(submitted.request.args["level_percent"])
        self.light([device for order in submitted.orders for device in order.parts], level, level * 1.5)


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        await asyncio.sleep(0.02)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    now_ms = time.time_ns() // 1_000_000
    clock = SystemClock(CivilScale(RATE, 1_763_638_800_000, now_ms))  # 19:40 in the city
    async with open_world(tmp_path, clock, city(), static.WEB) as world, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        here = Site(world, browser)
        for gateway in city():
            world.services.gateways.state(gateway, GatewayState("b", online=True, version="0.1.0"))
            buses = (BusHealth("cab", "modbus-tcp", connected=True, devices=LAMPS_EACH),)
            world.services.gateways.health(gateway, Health("b", clock.civil_ms(), buses, SpoolHealth(0, 0)))
        here.light(LAMPS[:-5], 60, 90)  # the last five were never read
        await here.serve()
        yield here
        await browser.close()
        await here.stop()
    assert here.complaints == []


COUNT = """(name) => {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const [r, g, b] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  const canvas = document.querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const near = (i, value) => Math.abs(data[i] - value) < 24;
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 60 && near(i, r) && near(i + 1, g) && near(i + 2, b)) count += 1;
  }
  return count;
}"""


async def pixels(page: Page, colour: str) -> int:
    return int(await page.evaluate(COUNT, colour))


async def test_lamps_are_drawn_and_follow_what_is_measured(site: Site):
    page = await site.open_map()
    await expect(page.get_by_test_id("lit")).to_have_text("195")
    lit, unknown = await pixels(page, "--lamp-lit"), await pixels(page, "--lamp-unknown")
    assert lit > 195 * 8
    assert unknown > 5 * 4
    assert await pixels(page, "--lamp-off") < 10
    site.light(LAMPS[:100], 0, 0.5)
    await expect(page.get_by_test_id("lit")).to_have_text("95")
    await page.wait_for_timeout(100)  # the next frame of the screen
    assert await pixels(page, "--lamp-lit") < lit * 0.6
    assert await pixels(page, "--lamp-off") > 100 * 4
    assert abs(await pixels(page, "--lamp-unknown") - unknown) < 10


async def test_a_lamp_is_dimmed_from_the_drawer_until_its_effect_is_verified(site: Site):
    page = await site.open_map(language="en-US")
    await page.get_by_role("searchbox").fill("lamp-02-007")
    await page.get_by_role("button", name="List").click()
    await page.get_by_role("button", name="lamp-02-007").click()
    drawer = page.get_by_role("complementary")
    await expect(drawer.get_by_role("heading", name="lamp-02-007")).to_be_visible()
    await expect(drawer).to_contain_text("230.4")
    await expect(drawer.locator(".plot canvas")).to_be_visible()
    await drawer.get_by_role("button", name="30%", exact=True).click()
    await drawer.get_by_role("button", name="Send 30%").click()
    progress = drawer.locator(".progress")
    await expect(progress).to_have_attribute("data-state", "created")
    await site.obey()
    await expect(progress).to_have_attribute("data-state", "verified")
    await expect(progress.locator("li.done")).to_have_count(4)
    for step in ("sent", "accepted by gateway", "written to device", "verified by read-back"):
        line = progress.locator("li", has_text=step)
        await expect(line.locator(".numbers")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    await expect(drawer.locator(".readings")).to_contain_text("30%")
    await expect(drawer.locator(".why")).to_contain_text("Manual command: 30% until")
    await expect(drawer.locator(".why .facts")).to_contain_text("Stands aboveThe lamp’s own schedule")
    (taken,) = site.world.commands.taken.values()
    assert taken.request.who == "token:operator"
    assert taken.request.key
    assert taken.request.reason == "Set by hand at the console"


async def test_a_refusal_is_told_in_words(site: Site):
    page = await site.open("/?view=list&text=lamp-01-001", language="en-US")
    await page.get_by_role("button", name="lamp-01-001").click()
    await page.get_by_role("button", name="Send 50%").click()
    await until(lambda: bool(site.world.commands.taken))
    (request,) = site.world.commands.taken
    site.world.commands.move(request, CommandState.SENT)
    site.world.commands.move(request, CommandState.REJECTED, "locked")
    progress = page.locator(".progress")
    await expect(progress).to_have_attribute("data-state", "rejected")
    await expect(progress).to_contain_text("the device is locked for maintenance")


async def test_one_silent_lamp_does_not_turn_the_others_red(site: Site):
    page = await site.open("/?view=list&text=lamp-02-00", language="en-US")
    await page.get_by_role("button", name="Select these 9").click()
    await page.get_by_role("button", name="Send to 9 lamps").click()
    await page.get_by_role("button", name="Confirm").click()
    await until(lambda: bool(site.world.commands.taken))
    (request,) = site.world.commands.taken
    for step in STEPS:
        site.world.commands.move(request, step, but={"lamp-02-003": (CommandState.UNCONFIRMED, "no answer")})
    progress = page.locator(".progress")
    await expect(progress).to_have_attribute("data-state", "unconfirmed")
    await expect(progress).to_have_class(re.compile("mixed"))
    await expect(progress.locator(".end")).to_contain_text("8 verified · 1 unconfirmed")
    await expect(progress.locator(".reasons")).to_contain_text("lamp-02-003")
    await page.get_by_role("button", name="中文").click()
    await expect(progress.locator(".reasons")).to_contain_text("未确认，可能已执行：设备没有应答")


async def test_a_step_that_nobody_reported_is_not_ticked(site: Site):
    page = await site.open("/?view=list&text=lamp-01-001", language="en-US")
    await page.get_by_role("button", name="lamp-01-001").click()
    await page.get_by_role("button", name="Send 50%").click()
    await until(lambda: bool(site.world.commands.taken))
    (request,) = site.world.commands.taken
    for step in (CommandState.SENT, CommandState.ACCEPTED, CommandState.VERIFIED):
        site.world.commands.move(request, step)
    progress = page.locator(".progress")
    await expect(progress).to_have_attribute("data-state", "verified")
    written = progress.locator("li", has_text="written to device")
    await expect(written).to_contain_text("not recorded")
    await expect(written).not_to_have_class("done")
    await expect(progress.locator("li.done")).to_have_count(3)


async def test_lamps_are_found_by_their_street_and_listed_by_id(site: Site):
    page = await site.open("/?view=list", language="en-US")
    await expect(page.locator("tbody .link").first).to_have_text("lamp-01-001")
    for said in ("spruce road 3", "云杉3"):
        await page.get_by_role("searchbox").fill(said)
        await expect(page.locator(".count")).to_have_text("50 lamps")
        await expect(page.locator("tbody tr").first).to_contain_text("Spruce Road 3")


async def test_a_recent_command_names_its_lamp_and_opens_it(site: Site):
    page = await site.open_map(language="en-US")
    until_ms = site.world.services.clock.civil_ms() + 3_600_000
    wanted = {"op": "light.set", "devices": ["lamp-02-007"], "reason": "test"}
    await site.world.post("/commands", wanted | {"args": {"level_percent": 30, "until": until_ms}})
    (request,) = site.world.commands.taken
    site.world.commands.move(request, CommandState.SENT)
    panel = page.locator(".panel", has_text="Recent commands")
    await expect(panel.locator("h3")).to_contain_text("real time")
    await panel.get_by_role("button", name="lamp-02-007").click()
    drawer = page.get_by_role("complementary")
    await expect(drawer.get_by_role("heading", name="lamp-02-007")).to_be_visible()
    await expect(drawer.locator(".progress")).to_have_attribute("data-state", "sent")


async def test_on_a_phone_what_is_said_of_a_lamp_is_in_sight_at_once(site: Site):
    page = await site.open("/?view=list&text=lamp-01-00", language="en-US", size=(390, 844))
    await page.get_by_role("button", name="lamp-01-002").click()
    await expect(page.locator(".drawer .readings")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="lamp-01-002")).to_be_in_viewport()
    await page.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("heading", name="Gateways")).to_be_visible()


async def test_many_lamps_take_one_command_after_a_preview(site: Site):
    page = await site.open_map()
    await page.get_by_label("配电箱").select_option(label="cab-03 云杉3路")
    await page.get_by_role("button", name="选中这 50 盏").click()
    drawer = page.get_by_role("complementary")
    await expect(drawer.get_by_role("heading", name="已选 50 盏")).to_be_visible()
    await drawer.get_by_role("button", name="70%", exact=True).click()
    await expect(drawer.locator(".preview")).to_contain_text("50 盏灯将调到 70%，目前合计 4,500")
    await drawer.get_by_role("button", name="下发到 50 盏灯").click()
    assert site.world.commands.taken == {}
    await drawer.get_by_role("button", name="确认").click()
    await site.obey()
    await expect(drawer.locator(".progress")).to_have_attribute("data-state", "verified")
    await expect(drawer.locator(".progress")).to_contain_text("50/50")
    (taken,) = site.world.commands.taken.values()
    assert sorted(device for order in taken.orders for device in order.parts) == lamps_of(3)


async def test_a_rectangle_on_the_map_selects(site: Site):
    page = await site.open_map(language="en-US")
    await page.get_by_role("button", name="Select area").click()
    box = await page.locator(".map canvas").bounding_box()
    assert box
    await page.mouse.move(box["x"] + 4, box["y"] + 4)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2, steps=4)
    await page.mouse.up()
    await expect(page.get_by_role("complementary").get_by_role("heading", level=2)).to_have_text("100 lamps selected")


async def test_unknown_is_never_shown_as_off(site: Site):
    page = await site.open(f"/?view=list&text={LAMPS[-1]}", language="en-US")
    row = page.locator("tbody tr", has_text=LAMPS[-1])
    await expect(row).to_contain_text("Unknown")
    await expect(row).to_contain_text("never")
    assert "0%" not in await row.inner_text()
    await row.get_by_role("button").click()
    await expect(page.locator(".drawer .sub")).to_contain_text("Unknown")


async def test_a_server_that_goes_is_told_and_its_return_is_caught_up(site: Site):
    page = await site.open_map(language="en-US")
    await expect(page.get_by_test_id("lit")).to_have_text("195")
    await site.stop()
    await expect(page.get_by_text("The control centre is not answering")).to_be_visible()
    site.light(LAMPS[:50], 0, 0.5)
    await site.serve()
    await expect(page.get_by_text("The control centre is not answering")).to_be_hidden(timeout=20_000)
    await expect(page.get_by_test_id("lit")).to_have_text("145")
    site.light(LAMPS[:50], 60, 90)
    await expect(page.get_by_test_id("lit")).to_have_text("195")
    left = [said for said in site.complaints if not SERVER_GONE.search(said)]
    site.complaints[:] = left


async def test_data_grows_late_and_then_old_when_no_lamp_says_anything(site: Site):
    page = await site.open_map(language="en-US")
    age = page.get_by_test_id("age")
    site.light(LAMPS[:1], 0, 0.5)
    await expect(page.get_by_test_id("lit")).to_have_text("194")  # it is there: what follows is silence
    await expect(age).to_have_class("figure age ")
    await let_pass(page, 16)
    await expect(age).to_have_class("figure age late")
    site.world.services.gateways.state("gw-4", GatewayState("b", online=False))
    await expect(page.get_by_test_id("lit")).to_have_text("149")  # lamps that become unknown say nothing new
    await expect(age).to_have_class("figure age late")
    await let_pass(page, 16)
    await expect(age).to_have_class("figure age old")
    await expect(page.get_by_text("The control centre is not answering")).to_be_hidden()
    site.light(LAMPS[:1], 30, 45)
    await expect(age).to_have_class("figure age ")


async def let_pass(page: Page, seconds: float) -> None:
    """Put the page's clock forward."""
    await page.evaluate(
        "by => { const now = performance.now.bind(performance); performance.now = () => now() + by }", seconds * 1000
    )


async def test_everything_can_be_done_by_keyboard(site: Site):
    page = await site.open_map(language="en-US")
    await page.keyboard.press("/")
    await page.keyboard.type("lamp-04-003")
    await page.get_by_role("button", name="List").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="lamp-04-003").focus()
    await page.keyboard.press("Enter")
    slider = page.get_by_role("slider")
    await slider.focus()
    await page.keyboard.press("ArrowRight")
    send = page.get_by_role("button", name="Send 55%")
    for _ in range(12):
        if await send.evaluate("element => element === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await until(lambda: bool(site.world.commands.taken))
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("heading", name="Gateways")).to_be_visible()


async def test_an_incident_is_read_acknowledged_and_closed_while_the_list_follows(site: Site):
    (incident,) = await site.find_wrong("lamp-01-001")
    page = await site.open("/?page=incidents", language="en-US")
    await expect(page.get_by_test_id("incidents")).to_contain_text("1 open incident")
    rows, detail = page.locator(".rows tbody tr"), page.get_by_role("complementary")
    await expect(rows).to_have_count(1)
    await expect(rows.first.locator(".severity")).to_have_text("Next night")
    await page.get_by_role("button", name="Lamp dead").click()
    await expect(detail.get_by_role("region", name="Reasoning")).to_contain_text("80% sure")
    await expect(detail.locator(".small-table")).to_contain_text("power1\u202fW100\u202fW ± 1.5")
    await detail.get_by_role("button", name="Acknowledge").click()
    await expect(detail.get_by_test_id("state")).to_have_text("acknowledged")
    desk = site.world.services.diagnosis.desk
    known = desk.incident(incident.id)
    assert known is not None
    assert known.acknowledged_by == "token:operator"
    await site.find_wrong("lamp-01-001", "lamp-01-009")
    await expect(rows).to_have_count(2)
    await detail.get_by_role("button", name="Close incident").click()
    await detail.get_by_role("textbox", name="Reason").fill("mended")
    await detail.get_by_role("button", name="Close it").click()
    await expect(detail.get_by_test_id("state")).to_have_text("closed")
    await expect(rows).to_have_count(1)
    found = await desk.one(incident.id)
    assert found is not None
    assert (found.state, found.note) == (State.CLOSED, "mended")
    await page.get_by_role("link", name="Live").click()
    await page.go_back()
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="中文").click()
    await expect(page.get_by_test_id("incidents")).to_contain_text("1 个未关闭的事件")


async def test_a_lamp_says_why_it_has_its_level_and_what_tonight_brings(site: Site):
    await site.plan()
    page = await site.open("/?view=list&text=lamp-01-001", language="en-US")
    await page.get_by_role("button", name="lamp-01-001").click()
    why = page.locator(".why")
    await expect(why).to_contain_text("Program saving-winter: 100% until")
    await expect(why).to_contain_text("differs from the centre")
    await expect(why.locator(".steps")).to_have_attribute("aria-label", re.compile(r"\d\d:\d\d 100%, 22:3\d 50%"))


async def test_plans_are_listed_and_a_level_that_waits_for_a_second_person_is_withdrawn(site: Site):
    await site.plan()
    until_ms = site.world.services.clock.civil_ms() + 3_600_000
    wanted = {"lamps": lamps_of(2)[:20], "level_percent": 0, "until": until_ms, "reason": "photographs"}
    (await site.world.post("/overrides", wanted)).raise_for_status()
    page = await site.open("/?page=plans", language="en-US")
    board = page.locator(".board")
    await expect(board.locator(".card", has_text="Plan of each gateway").locator("tbody tr")).to_have_count(CABINETS)
    await expect(board).to_contain_text("Plan 1 was given to all 4 gateways.")
    await expect(board).to_contain_text("The inventory has no roads yet.")
    await expect(board).to_contain_text("No whole night yet.")
    line = board.locator(".overrides li")
    await expect(line).to_contain_text("20 lamps until")
    await expect(line).to_contain_text("waits for a second person")
    await line.get_by_role("button", name="Withdraw").click()
    await expect(board).to_contain_text("None: every lamp follows its plan.")
    await page.get_by_role("link", name="Trucks").click()
    await expect(page.get_by_text("The register has no trucks yet.")).to_be_visible()


async def test_without_a_token_the_page_asks_for_one(site: Site):
    page = await site.open(language="en-US", token=False)
    await page.get_by_label("Access token").fill(site.world.secret["operator"])
    await page.get_by_role("button", name="Enter").click()
    await page.wait_for_selector(f'canvas[data-drawn="{len(LAMPS)}"]')
    assert "token" not in page.url


@pytest.mark.parametrize(
    ("language", "scheme", "size"),
    [
        ("zh-CN", "light", (1440, 900)),
        ("en-US", "dark", (1440, 900)),
        ("zh-CN", "dark", (390, 844)),
        ("en-US", "light", (390, 844)),
    ],
)
async def test_no_page_breaks_the_accessibility_rules(site: Site, language: str, scheme: str, size: tuple[int, int]):
    site.light(LAMPS[:3], 100, 0.5)
    site.world.services.alarms.raised("x", "gw-9 speaks to us and is not enrolled")
    page = await site.open_map(language=language, scheme=scheme, size=size)
    await judge(page)
    await page.locator(".segments button").nth(1).click()
    await page.locator(".list tbody button").first.click()
    await page.locator(".control .send").click()
    await site.obey()
    await expect(page.locator(".progress")).to_have_attribute("data-state", "verified")
    await judge(page)
    await page.get_by_role("searchbox").fill("lamp-02")
    await page.locator(".filters button.plain").click()
    await page.locator(".control .send").click()
    await judge(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
    await site.find_wrong("lamp-01-001")
    await page.locator(".pages a").nth(1).click()
    await page.locator(".rows .link").click()
    await page.locator(".small-table").wait_for()
    await judge(page)
    await page.locator(".pages a").nth(2).click()
    await page.locator(".board .empty").first.wait_for()
    await judge(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
    stranger = await site.open(language=language, scheme=scheme, size=size, token=False)
    await stranger.wait_for_selector(".signin")
    await judge(stranger)


async def judge(page: Page) -> None:
    results = await Axe().run(
        page, options={"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    )
    assert results.violations_count == 0, results.generate_report()


async def test_the_list_follows_what_is_measured(site: Site):
    page = await site.open("/?view=list&text=lamp-03-0", language="en-US")
    row = page.locator("tbody tr", has_text="lamp-03-002")
    await expect(row).to_contain_text("60%")
    site.light(["lamp-03-002"], 25, 37)
    await expect(row).to_contain_text("25%")
    await expect(row).to_contain_text("37 W".replace(" ", "\u202f"))
