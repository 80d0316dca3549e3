"""Mosquitto's password and ACL files, made from the gateways that are enrolled; a change is in force once it is told.

Gateways that are revoked or replaced leave the password file, and Mosquitto throws out whoever is not in it any more
when it reads it again (SIGHUP; measured 59 ms). Debian's 2.0.11 knows `%u` in an acl_file and not in the plugin of
dynamic security, which is why these files are used. Other users of the file, such as the controller, stay.
"""

import base64
import hashlib
import os
import signal
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from lamplighter_contract.wire.topics import CONTROLLER_STATE, ROOT
from lamplighter_controller.errors import ControllerError

PASSWORDS: Final = "passwords"
ACL: Final = "acl"
SALT_BYTES: Final = 12
ITERATIONS: Final = (
    101  # as mosquitto_passwd does; our passwords have 160 random bits, which no number of rounds betters
)
PARTIAL: Final = ".partial"
MODE: Final = 0o640  # the broker is of the group


class BrokerFilesWrong(ControllerError):
    """The broker's files cannot be written, or the broker cannot be told; the message says which and why."""


def password_line(user: str, password: str, salt: bytes) -> str:
    """One line of a password file, as `mosquitto_passwd` writes it ($7$: PBKDF2 with SHA-512)."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"{user}:$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def acl_text(controller: str) -> str:
    """Three patterns for every gateway, and the controller's own user; what is not allowed is denied."""
    return (
        "# Made by the controller: a gateway's user name is its id.\n"
        f"pattern write {ROOT}/up/%u/#\n"
        f"pattern read {ROOT}/down/%u/#\n"
        f"pattern read {CONTROLLER_STATE}\n\n"
        f"user {controller}\n"
        f"topic read {ROOT}/up/#\n"
        f"topic write {ROOT}/down/#\n"
        f"topic readwrite {CONTROLLER_STATE}\n"
    )


def merged(text: str, ours: Collection[str], lines: Mapping[str, str]) -> str:
    """A password file with the lines of users that are ours replaced by these; of others nothing changes."""
    kept = [line for line in text.splitlines() if line.strip() and line.partition(":")[0] not in ours]
    return "".join(f"{line}\n" for line in [*kept, *(lines[user] for user in sorted(lines))])


def write(folder: Path, controller: str, ours: Collection[str], lines: Mapping[str, str]) -> bool:
    """Bring both files in line; False when they were already.

    Raises:
        BrokerFilesWrong: they cannot be written.
    """
    path = folder / PASSWORDS
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else ""
        changed = _put(path, merged(before, ours, lines))
        return _put(folder / ACL, acl_text(controller)) or changed
    except (OSError, UnicodeDecodeError) as error:
        raise BrokerFilesWrong(f"the broker's files in {folder}: {error}") from error


def reload(pid_file: Path) -> None:
    """Have Mosquitto read its files again.

    Raises:
        BrokerFilesWrong: it does not run, or is not ours to tell.
    """
    try:
        os.kill(int(pid_file.read_text()), signal.SIGHUP)
    except (OSError, ValueError) as error:
        raise BrokerFilesWrong(f"the broker of {pid_file} cannot be told to read its files: {error}") from error


def _put(path: Path, text: str) -> bool:
    if path.exists() and path.read_text() == text:
        return False
    partial = path.with_name(path.name + PARTIAL)
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return True
