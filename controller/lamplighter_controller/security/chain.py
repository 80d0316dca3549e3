"""How rows of the audit trail hang together: each carries the SHA-256 of the row before it and of itself. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

HASHED: Final = ("number", "time_ms", "who", "action", "subject", "reason", "result", "detail", "previous_sha256")


def row_sha256(row: Mapping[str, Any]) -> str:
    """The digest of a row by its columns; `detail` is JSON text exactly as it was recorded."""
    return hashlib.sha256(msgspec.json.encode([row[name] for name in HASHED])).hexdigest()
