"""One-time codes by time (TOTP, RFC 6238): made, sealed where they are kept, and good once. Pure."""

import base64
import hashlib
from collections.abc import Callable
from typing import Final

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lamplighter_controller.errors import ControllerError

STEP_S: Final = 30
DIGITS: Final = 6
STEPS_AROUND: Final = 1  # a telephone's clock may be off by so many steps
SECRET_BYTES: Final = 20
_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"lamplighter one-time codes"

Random = Callable[[int], bytes]


class SealBroken(ControllerError):
    """The secrets of one-time codes were sealed with another key: the file `session.key` is not the one they knew."""


def make_secret(random: Random) -> str:
    """A new secret in base32."""
    return base64.b32encode(random(SECRET_BYTES)).decode()


def address_of(secret: str, name: str, controller: str) -> str:
    """What an authenticator takes, usually as a picture."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S).provisioning_uri(name=name, issuer_name=controller)


def step_of(secret: str, code: str, now_ms: int, after: int) -> int | None:
    """The step a code belongs to, when it is around now and after the last one taken; None = it is no good."""
    totp = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S)
    now = now_ms // 1000 // STEP_S
    fitting = [
        step
        for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1)
        if pyotp.utils.strings_equal(totp.generate_otp(step), code)
    ]
    return next((step for step in fitting if step > after), None)


def seal(key: bytes, account: str, secret: str, random: Random) -> str:
    """A secret as it may be kept; good for this account only."""
    nonce = random(_NONCE_BYTES)
    sealed = AESGCM(_key(key)).encrypt(nonce, secret.encode(), account.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(key: bytes, account: str, sealed: str) -> str:
    """The secret again.

    Raises:
        SealBroken: it was sealed with another key, or for another account.
    """
    content = base64.b64decode(sealed)
    try:
        opened = AESGCM(_key(key)).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], account.encode())
    except InvalidTag as error:
        raise SealBroken(f"the one-time codes of account {account} cannot be read: put session.key back") from error
    return opened.decode()


def _key(key: bytes) -> bytes:
    return hashlib.sha256(_PURPOSE + key).digest()
