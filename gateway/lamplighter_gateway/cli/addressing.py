"""`lamplighter-gateway commission address`: give a unit another number."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_contract.clock import SystemClock
from lamplighter_gateway.cli.lines import EXIT_CONFIG, EXIT_FAILED, Chosen, chosen, config_of, line_options
from lamplighter_gateway.cli.options import LANGUAGE
from lamplighter_gateway.commands.journal import FILE_NAME as LEDGER
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commissioning.addressing import Addressed, Outcome, give_number
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.profiles.model import Profile

_TOLD: Final[Mapping[Language, Mapping[Outcome, str]]] = {
    Language.EN: {
        Outcome.DONE: "unit {unit} is unit {number} now, and answers as such",
        Outcome.NOT_POSSIBLE: "profile {detail} names no register for the unit's number: set it at the device itself",
        Outcome.OUT_OF_RANGE: "{number} is no number for this device, expected {detail}",
        Outcome.TAKEN: "unit {number} is taken: somebody answers there already",
        Outcome.NOBODY: "unit {unit} does not answer well ({detail}); `probe` says why",
        Outcome.OTHER_DEVICE: "unit {unit} is not what the profile says; nothing was written:",
        Outcome.REFUSED: "unit {unit} refused it ({detail})",
        Outcome.UNCONFIRMED: "written, but unit {number} does not answer: switch its supply off and on, then scan",
    },
    Language.ZH: {
        Outcome.DONE: "从站 {unit} 现在是 {number}，已按新站号应答",
        Outcome.NOT_POSSIBLE: "模板 {detail} 没有站号寄存器：请在设备上设置",
        Outcome.OUT_OF_RANGE: "{number} 不是该设备的有效站号，应为 {detail}",
        Outcome.TAKEN: "站号 {number} 已被占用：已有设备应答",
        Outcome.NOBODY: "从站 {unit} 应答不正常（{detail}）；请运行 `probe`",
        Outcome.OTHER_DEVICE: "从站 {unit} 与模板不符；未写入：",
        Outcome.REFUSED: "从站 {unit} 拒绝（{detail}）",
        Outcome.UNCONFIRMED: "已写入，但站号 {number} 没有应答：断电再上电后重新扫描",
    },
}


@click.command()
@line_options
@click.option("--unit", type=click.IntRange(1, 247), required=True, help="The number it has now.")
@click.option("--to", "number", type=click.IntRange(1, 247), required=True, help="The number it is to have.")
@click.option("--profile", "name", help="Its profile, where BUS does not say it.")
@LANGUAGE
def address(unit: int, number: int, name: str | None, language: str, **options: Any) -> None:
    """Give a unit another number, where its profile says how; proven by asking it under both.

    The gateway has to be stopped: a bus has one master. Connect new units one at a time.
    """
    on = chosen(**options)
    profile = _profile(on, unit, name)
    held = asyncio.run(_held(options["file"], on, unit))
    if held:
        click.echo(held, err=True)
        raise SystemExit(EXIT_FAILED)
    done = asyncio.run(_give(on, profile, unit, number))
    spoken = Language(language)
    click.echo(_TOLD[spoken][done.outcome].format(unit=unit, number=number, detail=done.detail))
    for one in done.contradictions:
        click.echo(f"  {one.text(spoken)}")
    raise SystemExit(0 if done.outcome is Outcome.DONE else EXIT_FAILED)


async def _give(on: Chosen, profile: Profile, unit: int, number: int) -> Addressed:
    failure = await on.line.open(on.setting)
    if failure is not None:
        return Addressed(Outcome.NOBODY, failure.detail)
    try:
        return await give_number(on.line, profile, unit, number, on.timeout_s)
    finally:
        on.line.close()


async def _held(file: Path | None, on: Chosen, unit: int) -> str:
    """Who is at work on this unit, as the gateway's own memory has it; nothing is asked of one that has none."""
    if file is None or not on.devices:
        return ""
    data = config_of(file).data
    if not (data / LEDGER).exists():
        return ""
    journal = Journal(data, SystemClock())
    try:
        await journal.open()
        holders = {hold.device: f"{hold.device} is {hold.kind} by {hold.holder}" for hold in journal.holds.all()}
    finally:
        await journal.close()
    return next((holders[one.id] for one in on.devices if one.unit == unit and one.id in holders), "")


def _profile(on: Chosen, unit: int, name: str | None) -> Profile:
    """The profile that is named, else the one that the configuration has for this unit."""
    known = {profile.name: profile for profile in on.profiles}
    chosen_name = name or next((device.profile.name for device in on.devices if device.unit == unit), None)
    if chosen_name is None or chosen_name not in known:
        click.echo(f"--profile: value {chosen_name}, expected one of {', '.join(known) or 'none'}", err=True)
        raise SystemExit(EXIT_CONFIG)
    return known[chosen_name]
