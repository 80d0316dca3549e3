"""The bundle itself: a gzipped tar archive of texts, cut to what fits, the newest of the log kept longest."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lamplighter_gateway.support.secrets import plain, without

MOST_BYTES: Final = 200_000
LOG: Final = "log.txt"


def bundle(
    status: Mapping[str, Any], config: Mapping[str, Any], log: str, secrets: Iterable[str], most_bytes: int = MOST_BYTES
) -> bytes:
    """At most `most_bytes`: status with buses and spool, configuration, and as much of the log as fits."""
    hidden = tuple(secrets)
    files = {
        "status.json": without(json.dumps(status, indent=1, ensure_ascii=False, default=str), hidden),
        "config.json": without(json.dumps(plain(config), indent=1, ensure_ascii=False, default=str), hidden),
    }
    log = without(log, hidden)
    while True:
        made = _archive({**files, LOG: log})
        if len(made) <= most_bytes:
            return made
        if log:
            log = log[len(log) // 4 + 1 :]
        else:  # a configuration of thousands of lines: its end is of least use
            longest = max(files, key=lambda name: len(files[name]))
            files[longest] = files[longest][: len(files[longest]) * 3 // 4]


def _archive(files: Mapping[str, str]) -> bytes:
    plain_bytes = io.BytesIO()
    with tarfile.open(fileobj=plain_bytes, mode="w") as archive:
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain_bytes.getvalue(), mtime=0)
