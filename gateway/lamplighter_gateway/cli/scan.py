"""`lamplighter-gateway scan`: who is on a bus."""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from lamplighter_gateway.cli.lines import EXIT_CONFIG, EXIT_FAILED, Chosen, chosen, line_options
from lamplighter_gateway.cli.options import JSON, LANGUAGE, Units
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.scan.conflicts import Difference, Found, differences
from lamplighter_gateway.commissioning.scan.run import Scan


@click.command()
@line_options
@click.option("--units", type=Units(), default="1-247", show_default=True, help="Units to ask.")
@LANGUAGE
@JSON
def scan(units: range, language: str, as_json: bool, **options: Any) -> None:
    """Find who is on a bus, and compare with the configuration.

    Exit code 0: as configured, 1: something differs or nobody is there, 2: the command line or the configuration.
    """
    on = chosen(**options)
    found = asyncio.run(_scan(on, units, quiet=as_json))
    differing = list(differences(found, on.devices, units)) if on.devices else []
    if as_json:
        told = [{"unit": one.unit, "profile": one.profile, "double": one.double} for one in found]
        document = {"line": on.line.name, "found": told, "differences": [one.as_json() for one in differing]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for text in _lines(on, found, differing, Language(language)):
            click.echo(text)
    raise SystemExit(0 if found and not differing else EXIT_FAILED)


async def _scan(on: Chosen, units: range, *, quiet: bool) -> tuple[Found, ...]:
    failure = await on.line.open(on.setting)
    if failure is not None:
        click.echo(f"{on.line.name}: {failure.detail} ({failure.trouble}); more with `probe`", err=True)
        raise SystemExit(EXIT_CONFIG)

    def progress(asked: int, every: int, found: int) -> None:
        end = "\n" if asked == every else "\r"
        print(f"{asked}/{every} asked, {found} found", end=end, file=sys.stderr, flush=True)  # noqa: T201 - a line that renews itself

    try:
        silent = Scan(on.line, units, on.profiles, on.devices, on.timeout_s)
        if not quiet:
            silent.say = progress
        return await silent.run()
    finally:
        on.line.close()


_FOUND: Final = {
    Language.EN: "{line}: {n} units answer",
    Language.ZH: "{line}：{n} 个从站有应答",
}
_AGREES: Final = {Language.EN: "As configured.", Language.ZH: "与配置一致。"}
_DIFFERS: Final = {Language.EN: "Differs from the configuration:", Language.ZH: "与配置不一致："}


def _lines(on: Chosen, found: Sequence[Found], differing: Sequence[Difference], language: Language) -> Iterator[str]:
    yield _FOUND[language].format(line=on.line.name, n=len(found))
    names = {device.unit: device.id for device in reversed(on.devices)}
    for one in found:
        mark = "!!" if one.double else "  "
        yield f"  {one.unit:>3} {mark} {one.profile or '?':<20} {names.get(one.unit, '')}".rstrip()
    if not on.devices:
        return
    yield (_DIFFERS if differing else _AGREES)[language]
    for difference in differing:
        yield f"  {difference.text(language)}"
        yield from (f"     {wrong.text(language)}" for wrong in difference.contradictions)
