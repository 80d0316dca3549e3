"""Wheels without a network: the installed ones of the locked set packed again, and our own built from source."""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
OWN = ("lamplighter-contract", "lamplighter-gateway")


def closure(
    name: str, seen: dict[str, Distribution] | None = None, extras: frozenset[str] = frozenset()
) -> Iterator[Distribution]:
    """Everything installed that `name` needs, each once."""
    seen = {} if seen is None else seen
    for text in distribution(name).requires or ():
        need = Requirement(text)
        if need.marker is not None and not any(need.marker.evaluate({"extra": one}) for one in (*extras, "")):
            continue
        if need.name not in seen:
            seen[need.name] = distribution(need.name)
            yield seen[need.name]
        yield from closure(need.name, seen, frozenset(need.extras))


def repack(found: Distribution, folder: Path) -> Path:
    """An installed distribution as the wheel it came from, as far as its RECORD goes (PEP 427)."""
    name = re.sub(r"[-_.]+", "_", found.metadata["Name"])
    tag = next(line[5:] for line in (found.read_text("WHEEL") or "").splitlines() if line.startswith("Tag: "))
    wheel = folder / f"{name}-{found.version}-{tag}.whl"
    info = next(str(file).split("/")[0] for file in found.files or () if ".dist-info/" in str(file))
    record = []
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in found.files or ():
            path = str(file)
            if path.startswith("..") or "__pycache__" in path or (path.startswith(info) and path.endswith(OURS)):
                continue
            content = Path(str(found.locate_file(file))).read_bytes()
            archive.writestr(path, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(content)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    return wheel


OURS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")


def unchanged(folder: Path, scratch: Path) -> None:
    """Every wheel that a gateway needs besides its own."""
    folder.mkdir(parents=True, exist_ok=True)
    packed = {one.metadata["Name"]: one for name in OWN for one in closure(name)}
    for name, found in packed.items():
        if name not in OWN:
            repack(found, folder)
    _build("contract", scratch / "contract", folder)


def gateway(folder: Path, scratch: Path, version: str, *, spoilt: bool = False) -> None:
    """The gateway's wheel with another version; a spoilt one says its version and dies of everything else."""
    source = scratch / f"gateway-{version}"
    shutil.copytree(ROOT / "gateway", source, ignore=shutil.ignore_patterns("__pycache__"))
    project = source / "pyproject.toml"
    project.write_text(re.sub(r"(?m)^version = .*$", f'version = "{version}"', project.read_text()))
    if spoilt:
        supervisor = source / "lamplighter_gateway" / "supervisor.py"
        supervisor.write_text(supervisor.read_text() + '\n\nraise SystemExit("it cannot run")\n')
    _hatch(source, folder)


def _build(member: str, source: Path, folder: Path) -> None:
    shutil.copytree(ROOT / member, source, ignore=shutil.ignore_patterns("__pycache__"))
    _hatch(source, folder)


def _hatch(source: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
