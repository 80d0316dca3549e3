"""The command line of people: `lamplighter lamp|plan|… VERB`, over the API of a running controller."""

import os
from pathlib import Path
from typing import Final

import click

from lamplighter_controller.cli import (
    account,
    audit,
    fault,
    gateway,
    inventory,
    lamp,
    library,
    override,
    plan,
    rate,
    road,
    scene,
    signal,
)
from lamplighter_controller.cli.asking import Asking, Session
from lamplighter_controller.cli.client import Client
from lamplighter_controller.cli.fleet import fleet, permit, policy, truck, violation, waybill
from lamplighter_controller.cli.maintenance import crew, order, part, patrol, report

URL: Final = "http://127.0.0.1:8080"
FILE: Final = click.Path(dir_okay=False, path_type=Path)
NOUNS: Final = (
    account.account,
    audit.audit,
    fault.fault,
    gateway.gateway,
    inventory.inventory,
    lamp.lamp,
    library.library,
    override.override,
    plan.plan,
    rate.rate,
    road.road,
    scene.scene,
    signal.signal,
    fleet.fleet,
    permit.permit,
    policy.policy,
    truck.truck,
    waybill.waybill,
    violation.violation,
    order.order,
    crew.crew,
    part.part,
    patrol.patrol,
    report.report,
)


@click.group(cls=Asking, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", envvar="LAMPLIGHTER_URL", default=URL, show_default=True, help="Of the controller.")
@click.option("--token", envvar="LAMPLIGHTER_TOKEN", help="As `lamplighter-controller token` prints it.")
@click.option("--token-file", envvar="LAMPLIGHTER_TOKEN_FILE", type=FILE, help="Where the token stands instead.")
@click.option("--ca-file", envvar="LAMPLIGHTER_CA_FILE", type=FILE, help="Of the authority behind an https address.")
@click.pass_context
def main(ctx: click.Context, url: str, token: str | None, token_file: Path | None, ca_file: Path | None) -> None:
    """Light a city: lamps, plans, overrides, scenes and what came of them.

    Ends with 0 when it was done, 1 when the controller refuses, 2 when the call is wrong, 3 when no controller answers.
    """
    ctx.obj = Session(Client(url, token or _kept(token_file), str(ca_file) if ca_file else None))


def _kept(file: Path | None) -> str | None:
    """The token in a file; without one named, that of the caller's configuration folder if there is one."""
    chosen = file or Path(click.get_app_dir("lamplighter", force_posix=os.name == "posix")) / "token"
    try:
        return chosen.read_text().strip()
    except FileNotFoundError as error:
        if file is None:
            return None
        raise click.UsageError(f"{file}: {error.strerror}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{chosen}: {error}") from error


for _noun in NOUNS:
    main.add_command(_noun)
