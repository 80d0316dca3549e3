"""A bundle out of a folder of wheels, with everything that is wrong with them said before it is made. No network."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lamplighter_contract.commands.signing import Signer, decode_key
from lamplighter_gateway.errors import GatewayError
from lamplighter_gateway.update import bundle

OWN: Final = "lamplighter_gateway"
NEEDED: Final = (OWN, "lamplighter_contract")


class NotBuildableError(GatewayError):
    """The wheels or the key are not what a bundle needs; the message says what was expected."""


def build(wheels: Path, target: Path, key: Path, *, architecture: str, python: str) -> str:
    """Make the bundle, and return its version.

    Raises:
        NotBuildableError: a wheel is missing, or for another machine; or there is no key in the file.
    """
    found = sorted(wheels.glob("*.whl"))
    wrong = list(mistakes([path.name for path in found], architecture, python))
    if wrong:
        raise NotBuildableError("\n".join(f"{wheels}: {one}" for one in wrong))
    version = next(_version(path.name) for path in found if path.name.startswith(f"{OWN}-"))
    bundle.write(target, found, version=version, architecture=architecture, python=python, signer=_signer(key))
    return version


def mistakes(names: Sequence[str], architecture: str, python: str) -> Iterator[str]:
    """What is wrong with wheels of these names (PEP 427) for that machine."""
    for needed in NEEDED:
        if sum(name.startswith(f"{needed}-") for name in names) != 1:
            yield f"expected one wheel of {needed}"
    interpreter = f"cp{python.replace('.', '')}"
    for name in names:
        *_, of, abi, platform = name.removesuffix(".whl").split("-")
        if platform != "any" and architecture not in platform:
            yield f"{name} is for {platform}, expected {architecture}"
        if not (abi in {"none", "abi3"} or interpreter in of.split(".")):
            yield f"{name} is for {of}, expected {interpreter}"


def _version(name: str) -> str:
    return name.split("-")[1]


def _signer(key: Path) -> Signer:
    """The root key from its file: one line, `<name> <base64>`, as the centre made it."""
    try:
        kid, _, text = key.read_text(encoding="ascii").strip().partition(" ")
        return Signer(kid, decode_key(text))
    except (OSError, ValueError) as error:
        raise NotBuildableError(f"{key} holds no key: {error}") from error
