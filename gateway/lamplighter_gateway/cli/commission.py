"""`lamplighter-gateway commission`: from a wired cabinet to a signed sheet."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_contract.quantities import Kind
from lamplighter_gateway.cli.addressing import address
from lamplighter_gateway.cli.host import RefusedError, Speak, hosted, told_by_disk
from lamplighter_gateway.cli.lines import EXIT_CONFIG, EXIT_FAILED, config_of
from lamplighter_gateway.cli.options import JSON, LANGUAGE
from lamplighter_gateway.cli.walking import Walk, keyboard
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.sheet import html, model, text
from lamplighter_gateway.commissioning.walk import inventory
from lamplighter_gateway.commissioning.walk.findings import corrected_circuits, corrected_luminaires
from lamplighter_gateway.commissioning.walk.inventory import Expected, Row
from lamplighter_gateway.commissioning.walk.record import from_json
from lamplighter_gateway.config.model import Config
from lamplighter_gateway.config.problem import Problem
from lamplighter_gateway.control import NotRunningError, ask

ROWS_AT_ONCE: Final = 200
LOOK_S: Final = 0.25
_PATH: Final = click.Path(path_type=Path)
_CONFIG: Final = click.option("--config", "file", type=_PATH, required=True, help="The gateway's configuration.")
_LUMINAIRES: Final = click.option(
    "--luminaires", type=_PATH, help="Luminaires as the centre exports them, CSV or JSON."
)
_CIRCUITS: Final = click.option("--circuits", type=_PATH, help="Circuits as the centre exports them, CSV or JSON.")


@click.group()
def commission() -> None:
    """Put a cabinet into service: numbers, poles, feeders, the sheet to sign.

    It runs in the gateway of this configuration, or, where that does not run, in one of its own without uplink.
    Everything found is kept at once; what was begun is gone on with.
    """


commission.add_command(address)


@commission.command()
@_CONFIG
@_LUMINAIRES
@_CIRCUITS
@click.option("--anew", is_flag=True, help="Lay an open commissioning aside and begin another.")
def begin(file: Path, luminaires: Path | None, circuits: Path | None, anew: bool) -> None:
    """Begin, with what the centre's inventory expects to be found."""
    rows, contactors = _expected(config_of(file), luminaires, circuits)

    async def work(speak: Speak) -> None:
        job = (await speak("begin", anew=anew))["job"]
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            told = [{"device": r.device, "pole": r.pole, "circuit": r.circuit, "phase": r.phase} for r in part]
            await speak("expect", lamps=told)
        for start in range(0, len(contactors), ROWS_AT_ONCE):
            told = [{"circuit": one.circuit, "phase": one.phase} for one in contactors[start : start + ROWS_AT_ONCE]]
            await speak("expect", circuits=told)
        click.echo(f"{job}: {len(rows)} lamps and {len(contactors)} circuits expected")

    _run(file, work)


@commission.command()
@_CONFIG
@LANGUAGE
@click.option("--seconds", type=click.FloatRange(1, 120), default=20, show_default=True, help="How long a lamp blinks.")
def walk(file: Path, language: str, seconds: float) -> None:
    """Let lamps blink one by one; say at which pole each of them does, here or on the page by phone."""

    async def work(speak: Speak) -> None:
        async with keyboard() as typed:
            await Walk(speak, seconds, Language(language), typed).run()

    _run(file, work)


@commission.command()
@_CONFIG
@click.argument("circuit", nargs=-1)
@click.option("--yes", is_flag=True, help="Do not ask before circuits are opened for some seconds.")
def feeders(file: Path, circuit: Sequence[str], yes: bool) -> None:
    """Find the phase of circuits and the lamps on them: each is opened for some seconds while the meter is read.

    Nothing is switched on a bus where anything is locked or isolated. Exit code 1: a phase was not found.
    """
    if not yes:
        click.echo("Lamps burn at full light for 15 minutes, and each circuit goes dark for some seconds.")
        click.echo(
            "Isolations and locks are known only to the data folder they were set in: on a laptop ask who is at work."
        )
        click.confirm("Is nobody at work on these lamps?", abort=True)
    unmeasured = _run(file, partial(_feed, list(circuit)))
    raise SystemExit(EXIT_FAILED if unmeasured else 0)


async def _feed(wanted: Sequence[str], speak: Speak) -> Sequence[str]:
    """The circuits whose phase was not found."""
    told = {fed["circuit"]: fed for fed in (await speak("record"))["record"]["fed"]}
    circuits = (await speak("feeders", circuits=list(wanted)))["circuits"]
    left, busy = set(circuits), True
    unmeasured: list[str] = []
    while busy:
        await asyncio.sleep(LOOK_S)
        busy = (await speak("state"))["feeding"]
        for fed in (await speak("record"))["record"]["fed"]:
            if fed["circuit"] in left and (not busy or fed != told.get(fed["circuit"])):
                left.discard(fed["circuit"])
                click.echo(_fed_line(fed))
                unmeasured = unmeasured if fed.get("phase") else [*unmeasured, fed["circuit"]]
    for circuit in sorted(left):
        click.echo(f"{circuit}: not measured, the test was given up; the log of the gateway says why")
    return [*unmeasured, *left]


def _fed_line(fed: Mapping[str, Any]) -> str:
    number = "?" if fed.get("lamps") is None else len(fed["lamps"])
    phase = fed.get("phase", "").upper() or "?"
    drop_a, why = fed.get("drop_a", 0.0), fed.get("why", "")
    return f"{fed['circuit']}: phase {phase}, fell by {drop_a:g} A, {number} lamps {why}".rstrip()


@commission.command()
@_CONFIG
@LANGUAGE
@JSON
@click.option("--html", "paper", type=_PATH, help="Write the sheet for a printer to this file, too.")
@click.option("--every", is_flag=True, help="Every lamp, not only what differs.")
def sheet(file: Path, language: str, as_json: bool, paper: Path | None, every: bool) -> None:
    """Print the acceptance sheet. Exit code 1: something differs or is not looked at yet."""
    made = model.sheet_of(_record(file))
    if paper is not None:
        paper.write_text(html.page(made, Language(language)), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(model.as_json(made), indent=2, ensure_ascii=False))
    else:
        for line in text.lines(made, Language(language), every=every):
            click.echo(line)
    raise SystemExit(0 if made.clean else EXIT_FAILED)


@commission.command()
@_CONFIG
@_LUMINAIRES
@_CIRCUITS
@click.option("--to", "folder", type=_PATH, required=True, help="Folder for the files.")
def export(file: Path, luminaires: Path | None, circuits: Path | None, folder: Path) -> None:
    """Write the inventory's rows that are not as found, for `lamplighter inventory import`, and the record itself."""
    told = _record(file)
    record = from_json(told["record"])
    folder.mkdir(parents=True, exist_ok=True)
    homeless: list[str] = []
    if luminaires is not None:
        rows = _rows(luminaires, ("id", "device"))
        corrected, homeless = corrected_luminaires(rows, record)
        _write_changed(folder / "luminaires.csv", rows, corrected)
    if circuits is not None:
        rows = _rows(circuits, ("id", "phase"))
        corrected = corrected_circuits(rows, record)
        _write_changed(folder / "circuits.csv", rows, corrected)
    (folder / "record.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    for device in homeless:
        click.echo(f"{device}: no free luminaire at the pole where it was seen; enter it by hand", err=True)
    for path in sorted(folder.iterdir()):
        click.echo(path)
    raise SystemExit(EXIT_FAILED if homeless else 0)


@commission.command()
@_CONFIG
def end(file: Path) -> None:
    """End the commissioning; the centre is told when the uplink is there."""
    click.echo(_run(file, lambda speak: speak("end"))["job"])


def _record(file: Path) -> Mapping[str, Any]:
    """What has been found, from the gateway that runs, or from its disk."""
    config = config_of(file)
    try:
        answer = asyncio.run(ask(config.data, {"do": "commission", "step": "record"}))
    except NotRunningError:
        return asyncio.run(told_by_disk(config))
    if "error" in answer:
        click.echo(answer["error"], err=True)
        raise SystemExit(EXIT_FAILED)
    return answer


def _run(file: Path, work: Callable[[Speak], Awaitable[Any]]) -> Any:
    config = config_of(file)

    def alone() -> None:
        click.echo("no gateway is running here: commissioning starts one, without uplink", err=True)

    try:
        return asyncio.run(hosted(config, work, alone=alone))
    except RefusedError as error:
        click.echo(str(error), err=True)
        raise SystemExit(EXIT_FAILED) from None


def _expected(
    config: Config, luminaires: Path | None, circuits: Path | None
) -> tuple[Sequence[Expected], Sequence[inventory.ExpectedCircuit]]:
    """What the inventory has for this gateway; the files may be those of the whole city."""
    ids = {device.id for device in config.devices}
    cabinets = {device.id for device in config.devices if device.profile.kind is Kind.CABINET}
    found: Sequence[Expected] = ()
    if luminaires is not None:
        rows = inventory.concerning(_rows(luminaires, ("id", "device")), ids, cabinets)
        read = inventory.lamps(str(luminaires), rows)
        found = [one for one in read if isinstance(one, Expected)]
        _stop([one for one in read if isinstance(one, Problem)])
    contactors = inventory.concerning(_rows(circuits, ("id", "phase")), ids, cabinets) if circuits is not None else ()
    return found, inventory.circuits(contactors)


def _rows(path: Path, needs: Sequence[str]) -> Sequence[Row]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        _stop([Problem(str(path), "file", "unreadable", f"a readable UTF-8 file ({error})")])
        return ()
    read = inventory.read_rows(str(path), content, needs)
    _stop([one for one in read if isinstance(one, Problem)])
    return [row for row in read if not isinstance(row, Problem)]


def _write_changed(path: Path, before: Sequence[Row], after: Sequence[Row]) -> None:
    """The rows that changed; without any there is no file."""
    changed = inventory.changed(before, after)
    path.unlink(missing_ok=True)
    if changed:
        path.write_text(inventory.to_csv(changed), encoding="utf-8")


def _stop(problems: Sequence[Problem]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        raise SystemExit(EXIT_CONFIG)
