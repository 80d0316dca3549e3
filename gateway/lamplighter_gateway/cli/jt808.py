"""`lamplighter-gateway jt808`: JT/T 808 frames from and to files, with no gateway."""

import json
from collections.abc import Mapping
from typing import Any, TextIO

import click

from lamplighter_gateway.drivers.jt808.codec.faults import Refused
from lamplighter_gateway.drivers.jt808.codec.lines import decode_lines, encode_lines

EXIT_REFUSED = 1
FILE = click.argument("file", type=click.File("r", encoding="utf-8", errors="replace"))


@click.group()
def jt808() -> None:
    """Take JT/T 808 frames apart, and make some."""


@jt808.command()
@FILE
@click.option("--json", "as_json", is_flag=True, help="One JSON line per frame.")
def decode(file: TextIO, as_json: bool) -> None:
    """Decode FILE, one frame in hexadecimal per line ('-' reads the standard input)."""
    for told in decode_lines(file):
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else _row(told))


@jt808.command()
@FILE
def encode(file: TextIO) -> None:
    """Encode FILE, one JSON object per line as `decode --json` prints them, to hexadecimal frames."""
    refused = False
    for frame in encode_lines(file):
        if isinstance(frame, Refused):
            click.echo(frame.detail, err=True)
            refused = True
        else:
            click.echo(frame)
    if refused:
        raise SystemExit(EXIT_REFUSED)


def _row(told: Mapping[str, Any]) -> str:
    head = f"{told['line']:>5}  {told.get('msg_id', ''):6}  {told.get('phone', ''):>20}  {told.get('serial', ''):>5}  "
    if not told["ok"]:
        return f"{head}{told['error'].upper()}: {told['detail']}"
    if told.get("fragment"):
        return f"{head}fragment {told['pkg_no']} of {told['pkg_total']}"
    return head + json.dumps(told["body"], ensure_ascii=False)
