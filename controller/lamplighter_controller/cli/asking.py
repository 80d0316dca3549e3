"""What every command of `lamplighter` shares: its connection, `--json`, `--reason`, and how an answer is shown."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import click

from lamplighter_controller.cli.client import Client, Refused, Unreachable

REFUSED: Final = 1
UNREACHABLE: Final = 3

Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="The API's own answer, for programs.")
reason = click.option("--reason", required=True, help="Why; it stands in the audit trail.")


@dataclass
class Session:
    """One call of the command line, and the controller it speaks to."""

    api: Client

    @cached_property
    def zone(self) -> ZoneInfo:
        """The city's own; times are shown in it."""
        return ZoneInfo(self.api.get("/city")["zone"])

    def time(self, time_ms: int | None, *, seconds: bool = False) -> str | None:
        """Epoch ms as the city's clocks show it; None stays None."""
        if time_ms is None:
            return None
        shown = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(self.zone)
        return f"{shown:%Y-%m-%d %H:%M:%S}" if seconds else f"{shown:%Y-%m-%d %H:%M}"


asks = click.make_pass_decorator(Session)


def tell(answer: Any, *, as_json: bool, lines: Callable[[], Iterable[str]]) -> None:
    """Show an answer: as JSON, or in lines for a person."""
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        for line in lines():
            click.echo(line)


class Asking(click.Group):
    """A group whose commands end with 1 when the controller refuses and with 3 when none answers; 2 is wrong usage."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; tell what was refused as a person reads it."""
        try:
            return super().invoke(ctx)
        except Refused as refusal:
            click.echo(f"refused: {refusal.detail}", err=True)
            for mistake in refusal.mistakes:
                if mistake.detail != refusal.detail:
                    click.echo(f"  {mistake.field}: {mistake.detail}", err=True)
            ctx.exit(REFUSED)
        except Unreachable as error:
            click.echo(str(error), err=True)
            ctx.exit(UNREACHABLE)
