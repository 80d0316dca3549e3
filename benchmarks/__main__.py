"""`python -m benchmarks`: measure and print."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from benchmarks import (
    audit,
    city,
    command_one,
    diagnosis_quality,
    diagnosis_speed,
    fleet_ingest,
    fleet_quality,
    fleet_views,
    ingest,
    jt808_codec,
    level_now,
    maintenance,
    plan_year,
    poll_rtu,
    poll_tcp,
    start,
    switch_all,
    uplink,
)
from benchmarks.figure import Benchmark, Effort
from benchmarks.machine import Machine
from benchmarks.meter import BenchmarkError
from tests.system.process import ServerError

BENCHMARKS: Final[dict[str, Benchmark]] = {
    "poll-tcp": poll_tcp.run,
    "poll-rtu": poll_rtu.run,
    "uplink": uplink.run,
    "ingest": ingest.run,
    "command-one": command_one.run,
    "plan-year": plan_year.run,
    "level-now": level_now.run,
    "jt808-codec": jt808_codec.run,
    "city": city.run,
    "switch-all": switch_all.run,
    "diagnosis-quality": diagnosis_quality.run,
    "diagnosis-speed": diagnosis_speed.run,
    "fleet-ingest": fleet_ingest.run,
    "fleet-quality": fleet_quality.run,
    "fleet-views": fleet_views.run,
    "maintenance": maintenance.run,
    "start": start.run,
    "audit": audit.run,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)), metavar="[NAME …]")
@click.option("--quick", is_flag=True, help="At most 50 s per NAME; the numbers only show that it works.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per figure.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Go on from what is kept in a folder.")
def main(names: tuple[str, ...], *, quick: bool, as_json: bool, keep: Path | None) -> None:
    """Measure the headline figures, all of them unless named.

    NAME is one of poll-tcp, poll-rtu, uplink, ingest, command-one, plan-year, level-now, city, jt808-codec,
    diagnosis-quality, diagnosis-speed, fleet-ingest, fleet-quality, maintenance, start, audit. Long runs
    (diagnosis-quality) put what they have found so far into the folder of --keep, and a run that was stopped goes on
    from there; empty it when the program changes.
    """
    signal.signal(signal.SIGTERM, end_cleanly)
    failed = False
    for name in names or BENCHMARKS:
        machine = Machine.here()
        click.echo(f"{name}: {machine.cores} cores, load before {machine.load_before} …", err=True)
        try:
            for figure in BENCHMARKS[name](Effort(quick, keep)):
                click.echo(figure.as_json(machine) if as_json else figure.as_row())
        except (BenchmarkError, ServerError) as error:
            click.echo(f"{name}: {error}", err=True)
            failed = True
    sys.exit(1 if failed else 0)


def end_cleanly(signum: int, _frame: FrameType | None) -> NoReturn:
    """End as on Ctrl-C, so that every child process is ended too."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
