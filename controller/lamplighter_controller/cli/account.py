"""`lamplighter account`: people who may log in, and what each may do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table
from lamplighter_controller.security.rights import Role

ACCOUNT = click.argument("account")
ROLE = click.option("--role", "roles", required=True, multiple=True, type=click.Choice([str(role) for role in Role]))
COMPANY = click.option(
    "--company", "companies", multiple=True, help="Only trucks of these; a dispatcher has at least one."
)
AREA = click.option("--gateway", "areas", multiple=True, help="Only lamps behind these.")


@click.group()
def account() -> None:
    """People who may log in; programs have tokens."""


@account.command("list")
@as_json
@asks
def list_(session: Session, as_json: bool) -> None:
    """Everybody who ever had an account."""
    found = session.api.get("/accounts")["items"]
    tell(found, as_json=as_json, lines=lambda: _rows(found))


@account.command()
@ACCOUNT
@ROLE
@COMPANY
@AREA
@reason
@asks
def add(
    session: Session,
    account: str,
    roles: Sequence[str],
    companies: Sequence[str],
    areas: Sequence[str],
    reason: str,
) -> None:
    """Make one; the first password is shown this one time and has to be changed at the first login."""
    body = {"name": account, "grants": _grants(roles, companies, areas), "reason": reason}
    click.echo(session.api.send("POST", "/accounts", body)["password"])


@account.command()
@ACCOUNT
@ROLE
@COMPANY
@AREA
@reason
@asks
def grant(
    session: Session,
    account: str,
    roles: Sequence[str],
    companies: Sequence[str],
    areas: Sequence[str],
    reason: str,
) -> None:
    """Give it these roles instead of those it had, at once."""
    body = {"grants": _grants(roles, companies, areas), "reason": reason}
    tell(None, as_json=False, lines=lambda: _rows([session.api.send("PUT", f"/accounts/{account}/grants", body)]))


@account.command()
@ACCOUNT
@reason
@asks
def reset(session: Session, account: str, reason: str) -> None:
    """A new first password, for who forgot theirs or lost the authenticator."""
    click.echo(session.api.send("POST", f"/accounts/{account}/reset", {"reason": reason})["password"])


@account.command()
@ACCOUNT
@reason
@asks
def end(session: Session, account: str, reason: str) -> None:
    """Let it in no more, at once."""
    session.api.send("DELETE", f"/accounts/{account}", {"reason": reason})
    click.echo(f"{account} is ended")


def _grants(roles: Sequence[str], companies: Sequence[str], areas: Sequence[str]) -> list[dict[str, Any]]:
    scope = {"companies": list(companies) or None, "areas": list(areas) or None}
    return [{"role": role, **scope} for role in roles]


def _rows(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (one["name"], ", ".join(map(_grant, one["grants"])), one["has_code"], "ended" if one["disabled_ms"] else "")
        for one in found
    ]
    yield from table(("name", "roles", "code", ""), rows)


def _grant(grant: Mapping[str, Any]) -> str:
    places = [*(grant["companies"] or ()), *(grant["areas"] or ())]
    return f"{grant['role']} ({', '.join(places)})" if places else str(grant["role"])
