"""Browser sessions: a signed cookie that names a token and an end, so that they outlive a restart of the controller.

The cookie holds no secret of the token, is worthless without the server's key, and ends with the token it stands for.
"""

import hashlib
import hmac
from typing import Final

COOKIE: Final = "lamplighter_session"
LIFE_S: Final = 12 * 3600
_PURPOSE: Final = b"lamplighter session\0"


def seal(key: bytes, token: str, expires_ms: int) -> str:
    """The cookie of a session for the token with this id, until real epoch ms."""
    return f"{token}.{expires_ms}.{_mac(key, token, expires_ms)}"


def token_of(key: bytes, cookie: str, now_ms: int) -> str | None:
    """The token id a cookie stands for; None when it is forged, cut or over."""
    token, _, rest = cookie[:300].partition(".")
    expires, _, mac = rest.partition(".")
    if not (expires.isascii() and expires.isdigit()) or len(expires) > 16:
        return None
    same = hmac.compare_digest(_mac(key, token, int(expires)).encode(), mac.encode())
    return token if same and now_ms < int(expires) else None


def _mac(key: bytes, token: str, expires_ms: int) -> str:
    return hmac.new(key, _PURPOSE + f"{token}.{expires_ms}".encode(), hashlib.sha256).hexdigest()
