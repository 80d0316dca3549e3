"""The page in a real browser of a phone's size: its way in, no script, no error, readable by everybody."""

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it has none
from playwright.async_api import async_playwright

from tests.gateway.commissioning.test_page import visited
from tests.system.process import find_program

CHROMIUM = find_program("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian package chromium)"),
]


@pytest.mark.parametrize(("language", "scheme"), [("zh", "dark"), ("en", "light")])
async def test_every_page_is_readable_and_breaks_no_rule_of_its_own(tmp_path, language, scheme):
    async with visited(tmp_path) as (rig, _, about), async_playwright() as playwright:
        desk = rig.gateway.requests["commission"]
        await desk({"step": "begin"}, "li")
        await desk({"step": "expect", "lamps": [{"device": "lamp-1", "pole": "P-01"}]}, "li")
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        size = {"width": 390, "height": 760}
        context = await browser.new_context(ignore_https_errors=True, viewport=size, color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
        phone = await context.new_page()
        errors: list[str] = []
        phone.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        address = f"https://127.0.0.1:{about['port']}"

        async def readable() -> None:
            found = (await Axe().run(phone)).response["violations"]
            assert [one["id"] for one in found] == []

        await phone.goto(f"{address}/language?to={language}")
        await readable()
        await phone.fill("#name", "王" if language == "zh" else "Wang")
        await phone.fill("#code", about["code"])
        async with phone.expect_navigation(timeout=60_000):
            await phone.click("main button")
        await readable()
        for path in ("/device?id=lamp-1", "/walk"):
            await phone.goto(address + path)
            await readable()
        async with phone.expect_navigation(timeout=60_000):
            await phone.click("main form:has(input[name=do][value=yes]) button")
        assert (await desk({"step": "state"}, "li"))["answered"] == 1
        assert errors == []
        await browser.close()
