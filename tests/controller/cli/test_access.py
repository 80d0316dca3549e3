"""Accounts and the audit trail from the command line."""

from pathlib import Path

from lamplighter_contract.commands.signing import encode_key
from tests.controller.api.world import KEYS
from tests.controller.cli.conftest import Terminal

WHY = ("--reason", "new colleague")


async def test_an_account_is_made_changed_and_ended(terminal: Terminal):
    admin = {"who": "admin"}
    first = (await terminal.shown("account", "add", "wang", "--role", "viewer", *WHY, **admin)).strip()
    assert len(first) == 24
    shown = await terminal.shown("account", "grant", "wang", "--role", "crew", "--gateway", "gw-1", *WHY, **admin)
    assert "crew (gw-1)" in shown
    assert (await terminal.shown("account", "reset", "wang", *WHY, **admin)).strip() != first
    assert "wang is ended" in await terminal.shown("account", "end", "wang", *WHY, **admin)
    assert "ended" in (await terminal.shown("account", "list", **admin)).splitlines()[1]
    refused = await terminal.run("account", "add", "li", "--role", "company-dispatcher", *WHY, **admin)
    assert (refused.exit_code, "expected the companies" in refused.stderr) == (1, True)


async def test_the_trail_is_shown_exported_and_checked_without_a_server(terminal: Terminal, tmp_path: Path):
    admin = {"who": "admin"}
    file, later, key = tmp_path / "trail.ndjson", tmp_path / "later.ndjson", tmp_path / "root.pub"
    assert "token.create" in await terminal.shown("audit", "list", **admin)
    assert "the trail is whole" in await terminal.shown("audit", "verify", **admin)
    await terminal.shown("audit", "export", str(file), **admin)
    await terminal.shown("account", "add", "wang", "--role", "viewer", *WHY, **admin)
    await terminal.shown("audit", "export", str(later), **admin)
    assert "WHO signed" in await terminal.shown("audit", "verify", str(later), "--after", str(file), **admin)
    key.write_text(encode_key(KEYS.root_public))
    assert "yours vouches for" in await terminal.shown("audit", "verify", str(later), "--key", str(key), **admin)
    later.write_bytes(later.read_bytes().replace(b"new colleague", b"old colleague"))
    changed = await terminal.run("audit", "verify", str(later), **admin)
    assert (changed.exit_code, "NOT as it was recorded" in changed.stdout) == (1, True)
