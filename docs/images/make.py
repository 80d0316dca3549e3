"""The pictures of the README, taken from the running demo: `make pictures`."""

import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking")
START_S = 120.0
UNTIL_SHOWN_MS = 20_000
LAMP = "lamp-07-031"
WORDS = {
    "zh-CN": {"list": "列表", "map": "地图", "send": "下发 40%"},
    "en-GB": {"list": "List", "map": "Map", "send": "Send 40%"},
}


def main() -> None:
    """Start the demo, take every picture, end it."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "out")
        demo = _start(Path(folder, "run"), output)
        try:
            address = _address(demo, output)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
                for language, name, scheme in (("zh-CN", "console-zh", "dark"), ("en-GB", "console-en", "dark")):
                    _console(browser, address, language, scheme).screenshot(path=HERE / f"{name}.png")
                browser.close()
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)


def _start(directory: Path, output: Path) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).with_name("lamplighter-demo")), "--directory", str(directory)]
    with output.open("wb") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)


def _address(demo: subprocess.Popen[bytes], output: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and demo.poll() is None:
        found = re.search(r"http://\S+#token=\S+", output.read_text())
        if found:
            return found[0]
        time.sleep(0.2)
    raise SystemExit(output.read_text())


def _console(browser: Browser, address: str, language: str, scheme: str) -> Page:
    """The map with one lamp's drawer open, its command verified."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        locale=language,
        timezone_id="Asia/Shanghai",
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page, words = context.new_page(), WORDS[language]
    page.goto(address)
    page.get_by_role("button", name=words["list"], exact=True).click()
    page.get_by_role("searchbox").fill(LAMP)
    page.get_by_role("button", name=LAMP).click()
    page.get_by_role("slider").fill("40")
    page.get_by_role("button", name=words["send"]).click()
    page.locator(".progress[data-state=verified]").wait_for(timeout=UNTIL_SHOWN_MS)
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name=words["map"], exact=True).click()
    page.wait_for_timeout(6_000)  # for a few readings at the new level in the chart
    return page


if __name__ == "__main__":
    main()
