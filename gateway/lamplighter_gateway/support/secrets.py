"""What must never leave the box, and texts without it."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from lamplighter_gateway.config.model import Config, FieldBroker, TrackerServer

HIDDEN: Final = "[hidden]"
SHORTEST: Final = 4  # a shorter secret would hide half of every text, and is none
_NAMED: Final = re.compile(r"(?i)\b(pass(word|wd)?|secret|token|private[ _-]?key|api[ _-]?key)\b(\s*[=:]\s*)(\S+)")
_IN_ADDRESS: Final = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_PEM: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_KEY_NAME: Final = re.compile(r"(?i)pass|secret|token|private")


def secrets_of(config: Config, data_files: Iterable[Path]) -> frozenset[str]:
    """Every secret that a configuration names a file of, and those of our own files; what cannot be read is none."""
    tls = [config.uplink.tls, *(bus.tls for bus in config.buses if isinstance(bus, FieldBroker))]
    files = [config.uplink.password_file, *(its.key for its in tls if its is not None), *data_files]
    files += [bus.password_file for bus in config.buses if isinstance(bus, FieldBroker)]
    files += [bus.secret_file for bus in config.buses if isinstance(bus, TrackerServer)]
    return frozenset(word for file in files if file is not None for word in _words(file))


def without(text: str, secrets: Iterable[str]) -> str:
    """A text in which no secret stands, nor anything that looks like one."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _PEM.sub(HIDDEN, text)
    text = _IN_ADDRESS.sub(HIDDEN, text)
    return _NAMED.sub(rf"\1\3{HIDDEN}", text)


def plain(tree: Any) -> Any:
    """A configuration tree without the values of keys that are named like secrets; names of files stay."""
    if isinstance(tree, Mapping):
        return {key: HIDDEN if _hides(str(key)) else plain(value) for key, value in tree.items()}
    return [plain(item) for item in tree] if isinstance(tree, list | tuple) else tree


def _hides(key: str) -> bool:
    return bool(_KEY_NAME.search(key)) and not key.endswith("_file")


def _words(file: Path) -> list[str]:
    """The lines of a file of secrets, and the whole of it."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return []
    lines = [line.strip() for line in text.splitlines() if not line.startswith("-----")]
    return [word for word in (text, *lines) if len(word) >= SHORTEST]
