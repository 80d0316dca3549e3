"""What has to be there before the controller can run: data folder, keys, a first token, the gateways of the config."""

import fcntl
import logging
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from sqlalchemy import Connection

from lamplighter_contract.errors import Refusal
from lamplighter_controller.config import Config
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.hold import RESTORING
from lamplighter_controller.security import enrolment, keys, tokens
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.security.rights import Right

log = logging.getLogger(__name__)

ADMIN_TOKEN_FILE: Final = "admin.token"  # noqa: S105 - a file name
SESSION_KEY_FILE: Final = "session.key"
KEY_LIFE_MS: Final = 10 * 365 * 24 * 3_600_000
WHO: Final = "config"
WHY: Final = "first start"


class FolderTaken(ControllerError):
    """Another controller works in the data folder."""


class RestoreCutOff(ControllerError):
    """A backup was put back into the data folder only in part."""


class KeysMissing(ControllerError):
    """Gateways know a root key, and ours is gone; the message says what to do."""


def own_folder(folder: Path) -> IO[bytes]:
    """Make the data folder and lock it for this process; the lock ends with the file returned.

    Raises:
        FolderTaken: another controller has it.
        RestoreCutOff: a restore into it did not come to its end.
    """
    if (folder / RESTORING).exists():
        raise RestoreCutOff(f"a restore into {folder} was cut off: empty the folder and restore again")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise FolderTaken(f"another controller works in {folder}") from error
    return lock


def make_keys(config: Config, wall_ms: int) -> Keys:
    """The keys, made where there are none.

    Raises:
        KeyFileWrong: files are there that are no keys, or are open to others.
    """
    kid = f"{config.controller}-1"
    begins_ms = wall_ms - 3_600_000  # a gateway's clock may be behind ours
    return keys.create(
        config.keys_folder, kid=kid, begins_ms=begins_ms, ends_ms=wall_ms + KEY_LIFE_MS, random=secrets.token_bytes
    )


def find_keys(config: Config, *, known: bool, wall_ms: int) -> Keys:
    """The keys; made at the very first start, and never again once gateways may know a root key.

    Raises:
        KeysMissing: this ledger has run before and the keys are gone.
        KeyFileWrong: they cannot be used.
    """
    folder = config.keys_folder
    if known and not (folder / keys.SIGNING_FILE).exists():
        raise KeysMissing(
            f"{folder / keys.SIGNING_FILE} is missing. Put back {keys.SIGNING_FILE}, {keys.DOCUMENT_FILE} and "
            f"{keys.ROOT_PUBLIC_FILE}, or make new ones with `lamplighter-controller keys` and give every gateway the "
            "new root key"
        )
    found = keys.load(folder) if (folder / keys.SIGNING_FILE).exists() else make_keys(config, wall_ms)
    root = folder / keys.ROOT_FILE
    if root.exists() and not config.demo:
        log.warning("%s lies beside the key that signs commands: move it to a safe place away from this machine", root)
    return found


def session_key(folder: Path) -> bytes:
    """The key that seals browser sessions, made once."""
    path = folder / SESSION_KEY_FILE
    if not path.exists():
        _write_private(path, secrets.token_bytes(32).hex())
    return bytes.fromhex(path.read_text())


def first_token(connection: Connection, config: Config, wall_ms: int) -> str | None:
    """A token with all rights when there is none yet, and in a demo when nobody has its text any more.

    Its text goes into a file only the owner may read: what is printed ends up in the journal of a service manager.
    """
    known = {token.name for token in tokens.every(connection)}
    lost = config.demo and not (config.data / ADMIN_TOKEN_FILE).exists()
    if known and not lost:
        return None
    name = "admin" if not known else f"admin-{wall_ms}"
    made = tokens.create(
        connection, name, list(Right), who=WHO, reason=WHY, time_ms=wall_ms, random=secrets.token_bytes
    )
    assert isinstance(made, str)
    _write_private(config.data / ADMIN_TOKEN_FILE, made)
    return made


def enrol(connection: Connection, gateways: Sequence[str], wall_ms: int) -> None:
    """Accept the gateways the configuration names; one that a person revoked stays revoked."""
    for gateway in gateways:
        if enrolment.find(connection, gateway) is None:
            refusal = enrolment.enrol(connection, gateway, who=WHO, reason=WHY, time_ms=wall_ms)
            assert not isinstance(refusal, Refusal)


def _write_private(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
