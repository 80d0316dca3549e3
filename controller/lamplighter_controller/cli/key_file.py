"""A public key from a file that somebody hands in."""

import base64
import binascii
from pathlib import Path
from typing import Final

import click

from lamplighter_contract.commands.signing import KEY_BYTES

MOST_KEY_BYTES: Final = 1_000


def public_key(file: Path) -> bytes:
    """The key in one line of base64.

    Raises:
        UsageError: the file holds none.
    """
    try:
        key = base64.b64decode(file.read_bytes()[:MOST_KEY_BYTES].strip(), validate=True)
    except (OSError, binascii.Error) as error:
        raise click.UsageError(f"{file} holds no key: {error}") from error
    if len(key) != KEY_BYTES:
        raise click.UsageError(f"{file} holds no key: {len(key)} bytes, expected {KEY_BYTES} in base64")
    return key
