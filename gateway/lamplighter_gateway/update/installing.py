"""A bundle into the spare slot: checked, unpacked, installed without a network, tried once, and only then named."""

import hashlib
import logging
import platform
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

from installer import install as install_wheel
from installer.destinations import SchemeDictionaryDestination
from installer.exceptions import InstallerError
from installer.sources import WheelFile

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_gateway.update.bundle import unpack
from lamplighter_gateway.update.manifest import Machine
from lamplighter_gateway.update.place import Place
from lamplighter_gateway.update.slots import Installed

log = logging.getLogger(__name__)

WHEELS: Final = "wheels"
FIRST_WORD_S: Final = 60.0


def this_machine(running: str, *, older: bool = False) -> Machine:
    """What a bundle has to fit here."""
    return Machine(platform.machine(), f"{sys.version_info.major}.{sys.version_info.minor}", running, older)


def install(bundle: Path, place: Place, root_key: bytes, *, older: bool = False) -> Installed | Refusal:
    """Put a bundle into the spare slot; what runs, and what would run next, stays as it is.

    Raises:
        OSError: the disk does not take it.
    """
    slots = place.load()
    if slots.trial is not None:
        return Refusal(Reason.SUPERSEDED, f"version {slots.trial.version} is on trial; what comes of it is waited for")
    wheels = place.folder / WHEELS
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir(mode=0o700, parents=True)
    try:
        manifest = unpack(bundle, wheels, root_key, this_machine(slots.good.version, older=older))
        refusal = manifest if isinstance(manifest, Refusal) else _fill(place.path(slots.spare), wheels)
    finally:
        shutil.rmtree(wheels)
    if isinstance(manifest, Refusal) or refusal is not None:
        assert refusal is not None, "one of both"
        return refusal
    with bundle.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Installed(slots.spare, manifest.version, digest)


def _fill(slot: Path, wheels: Path) -> Refusal | None:
    """Only what was checked whole takes the place of the version before the last."""
    shutil.rmtree(slot, ignore_errors=True)
    refusal = _install_into(slot, wheels)
    if refusal is not None:
        shutil.rmtree(slot, ignore_errors=True)
    return refusal


def _install_into(slot: Path, wheels: Path) -> Refusal | None:
    venv.create(slot, with_pip=False, symlinks=True)
    python = slot / "bin" / "python"
    paths = sysconfig.get_paths("posix_prefix", {"base": str(slot), "platbase": str(slot)})
    scheme = {name: paths[name] for name in ("purelib", "platlib", "scripts", "data")}
    destination = SchemeDictionaryDestination(
        {**scheme, "headers": str(slot / "include")}, interpreter=str(python), script_kind="posix"
    )
    for path in sorted(wheels.iterdir()):
        try:
            with WheelFile.open(path) as source:
                source.validate_record()
                install_wheel(source=source, destination=destination, additional_metadata={})
        except (InstallerError, BadZipFile, ValueError, KeyError) as error:
            return Refusal(Reason.MALFORMED, f"{path.name} cannot be installed: {error}")
    return _first_word(python)


def _first_word(python: Path) -> Refusal | None:
    """It has to be able to say its version before anybody relies on it."""
    command = [str(python), "-I", "-m", "lamplighter_gateway", "--version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FIRST_WORD_S, check=False)  # noqa: S603 - what was just installed
    except subprocess.TimeoutExpired:
        return Refusal(Reason.MALFORMED, "the new version does not start in time")
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no word"]
        return Refusal(Reason.MALFORMED, f"the new version does not start: {last[0][:200]}")
    return None
