"""The installer's guide, its blocks of output and its pictures taken anew from a simulated cabinet: `make guides`.

Every block between `<!-- name -->` and its end holds what the command above it really printed.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml
from playwright.async_api import async_playwright

from lamplighter_firmware_sim.gateway_config import GatewayOptions, gateway_config
from lamplighter_firmware_sim.scenario import Scenario, read_scenario
from lamplighter_firmware_sim.serve import RunningCity, running_city
from lamplighter_firmware_sim.survey.files import to_csv
from lamplighter_firmware_sim.survey.tables import tables

HERE: Final = Path(__file__).parent
PROFILES: Final = HERE.parents[1] / "config" / "profiles"
PICTURES: Final = HERE.parent / "images"
GUIDES: Final = {"en": HERE / "installer.md", "zh": HERE / "installer.zh-CN.md"}
CHROMIUM: Final = "/usr/bin/chromium"
START_S: Final = 60.0
ROOT_KEY: Final = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SCENARIO: Final = """
scenario: guide
seed: 3
place: {latitude: 36.65, longitude: 117.12}
gateways: 1
cabinets: [{wire: modbus-rtu, count: 1, lamps_each: 12}]
serial: {baud: 9600, turnaround_ms: 8}
lamps: [{model: LED 100, technology: led, rated_w: 100, share: 1}]
roads: [{zh: 云杉路, en: Spruce Road}]
"""
WRONG: Final = {5: 8, 8: 5}  # two lamps that hang at one another's pole
BLOCK: Final = re.compile(r"(<!-- ([a-z-]+) -->\n```\n).*?(```\n)", re.DOTALL)
Blocks = dict[str, str]


class Bench:
    """A city, a gateway's file beside it, and the commands of an installer."""

    def __init__(self, city: RunningCity, folder: Path) -> None:
        """Write the files an installer takes along."""
        self.city, self.folder, self.file = city, folder, folder / "gateway.yaml"
        options = GatewayOptions(data="data", root_key=ROOT_KEY, profiles=str(PROFILES), uplink_port=9, names=False)
        text = gateway_config(city.simulation.city, "gw-1", city.endpoints, options)
        text = re.sub(r"(\{id: lamp-[^}]*?unit: )(\d+)", lambda m: f"{m[1]}{WRONG.get(int(m[2]), int(m[2]))}", text)
        document = yaml.safe_load(text)
        document |= {"light": {"switch_ons_per_s": 0}, "page": {"host": "127.0.0.1", "port": 0}}
        self.file.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
        found = tables(city.simulation.city)
        (folder / "luminaires.csv").write_text(to_csv(found["luminaires"]), "utf-8")
        wrong = [{**row, "phase": "c"} if row["id"] == "circuit-01-b" else row for row in found["circuits"]]
        (folder / "circuits.csv").write_text(to_csv(wrong), "utf-8")
        self.poles = {row["device"]: row["pole"] for row in found["luminaires"]}

    async def run(self, *args: str, typed: str | None = None) -> str:
        """What a command prints; with `typed`, that goes to its keyboard."""
        command = (sys.executable, "-m", "lamplighter_gateway", *args)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=self.folder)
        async with asyncio.timeout(300):
            out, _ = await process.communicate(None if typed is None else typed.encode())
        return out.decode().replace(str(self.folder) + "/", "")

    async def tool(self, *args: str) -> str:
        """A command that knows the gateway's file."""
        return await self.run(*args, "--config", "gateway.yaml")


async def main() -> None:
    """Run everything once per language, and put it into the guides."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with running_city(_scenario(), folder) as city:
            bench = Bench(city, folder)
            for language, guide in GUIDES.items():
                blocks = await _blocks(bench, language)
                guide.write_text(_filled(guide.read_text("utf-8"), blocks), "utf-8")


async def _blocks(bench: Bench, language: str) -> Blocks:
    spoken = ("--language", language)
    blocks = await _probes(bench, spoken)
    blocks["scan"] = await bench.tool("scan", "cab-01", "--units", "1-20", *spoken)
    blocks["address"] = await bench.tool("commission", "address", "cab-01", "--unit", "12", "--to", "13", *spoken)
    blocks["scan-differs"] = await bench.tool("scan", "cab-01", "--units", "1-20", *spoken)
    await bench.tool("commission", "address", "cab-01", "--unit", "13", "--to", "12", "--profile", "lamp-single")
    command = (sys.executable, "-m", "lamplighter_gateway", "run", "gateway.yaml")
    quiet = asyncio.subprocess.DEVNULL
    service = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet, cwd=bench.folder)
    try:
        await _until_it_serves(bench)
        files = ("--luminaires", "luminaires.csv", "--circuits", "circuits.csv")
        blocks["begin"] = await bench.tool("commission", "begin", "--anew", *files)
        blocks["walk"] = await _walk(bench, spoken)
        blocks["feeders"] = await bench.tool("commission", "feeders", "--yes")
        blocks["sheet"] = await bench.tool("commission", "sheet", "--html", "sheet.html", *spoken)
        blocks["export"] = await bench.tool("commission", "export", *files, "--to", "for-the-centre")
        page = await bench.run("page", "gateway.yaml")
        blocks["page"] = re.sub(r"([0-9A-F]{2}:){30}", "4C:1E:…:", re.sub(r"code \d+", "code 48210937", page))
        await _pictures(bench, language, page)
    finally:
        service.terminate()
        await service.wait()
    return blocks


async def _probes(bench: Bench, spoken: tuple[str, ...]) -> Blocks:
    """The same bus, good and with one fault after the other."""
    found = {"probe-good": await bench.tool("probe", "cab-01", *spoken)}
    faults = (
        ("probe-silent", "line_short", "cab-01", None),
        ("probe-noise", "line_noise", "cab-01", 30.0),
        ("probe-master", "second_master", "cab-01", 150.0),
        ("probe-units", "silent", "lamp-01-003", None),
    )
    for name, kind, target, value in faults:
        bench.city.faults.add(kind, target, None, value)
        bench.city.step()
        found[name] = await bench.tool("probe", "cab-01", "--seconds", "20", *spoken)
        bench.city.faults.clear(None)
        bench.city.step()
    return found


async def _walk(bench: Bench, spoken: tuple[str, ...]) -> str:
    """The walk as a person would type it; only its first and its two wrong lamps are shown."""
    wrong = {unit: bench.poles[f"lamp-01-{other:03}"] for unit, other in WRONG.items()}
    typed = [wrong.get(unit, "") for unit in range(1, 13)]
    command = ("commission", "walk", "--config", "gateway.yaml", "--seconds", "5", *spoken)
    said = await bench.run(*command, typed="\n".join(typed) + "\n")
    head = re.compile(r"(?=\[\d+/12\])")
    turns = [turn.rstrip() for turn in head.split(said) if turn.strip()]
    shown = [f"{turn} {answer}".rstrip() for turn, answer in zip(turns, typed, strict=False)]
    end = re.split(r"q ?= ?(?:stop: |停止：)", said)[-1].strip()
    return "\n".join([shown[0], "…", shown[4], "…", end]) + "\n"


async def _pictures(bench: Bench, language: str, told: str) -> None:
    """The page on a phone, and the sheet on paper."""
    address, code = told.splitlines()[0], told.rpartition(" ")[2].strip()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await browser.new_context(
            ignore_https_errors=True, viewport={"width": 390, "height": 760}, device_scale_factor=1.5
        )
        phone = await context.new_page()
        await phone.goto(f"{address}language?to={language}")
        await phone.fill("#name", "王" if language == "zh" else "Wang")
        await phone.fill("#code", code)
        await phone.click("main button")
        await phone.goto(f"{address}device?id=lamp-01-005")
        await phone.click("main form button")
        await phone.screenshot(path=PICTURES / f"installer-page-{language}.png")
        paper = await browser.new_page(viewport={"width": 800, "height": 780})
        await paper.goto((bench.folder / "sheet.html").as_uri())
        await paper.screenshot(path=PICTURES / f"installer-sheet-{language}.png")
        await browser.close()


async def _until_it_serves(bench: Bench) -> None:
    async with asyncio.timeout(START_S):
        while not (await bench.run("page", "gateway.yaml")).startswith("https://"):
            pass  # each look takes a while of its own


def _filled(guide: str, blocks: Mapping[str, str]) -> str:
    return BLOCK.sub(lambda found: found[1] + blocks[found[2]].rstrip() + "\n" + found[3], guide)


def _scenario() -> Scenario:
    scenario = read_scenario(SCENARIO)
    assert isinstance(scenario, Scenario), scenario
    return scenario


if __name__ == "__main__":
    asyncio.run(main())
