"""A configuration before it is judged: plain values, enough to be read again when its files have changed."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from lamplighter_contract.wire.config import ConfigDocument
from lamplighter_gateway.config.document import read_document
from lamplighter_gateway.config.model import Rules
from lamplighter_gateway.config.problem import Problem, Problems
from lamplighter_gateway.profiles.load import profile_trees


class Candidate(msgspec.Struct, frozen=True):
    """The file's tree, profiles by file, and what the centre said; `number` is the version the birth tells."""

    file: str
    version: str
    number: int
    tree: dict[str, Any]
    profiles: dict[str, dict[str, Any]]
    central: dict[str, Any] | None = None
    problems: Problems = ()  # files that are no documents

    @property
    def source(self) -> Rules:
        """Who rules in it."""
        return ruler(self.tree)


def ruler(tree: Mapping[str, Any]) -> Rules:
    """Who rules by a file's tree; a word that is none is found when it is read."""
    said = tree.get("config")
    return Rules.CENTRAL if isinstance(said, dict) and said.get("rules") == Rules.CENTRAL else Rules.LOCAL


def find(path: Path, central: Mapping[str, Any] | None = None) -> Candidate | Problems:
    """The file at `path` with its profiles, or with what the centre said last where the file lets it rule."""
    tree = read_document(path)
    if isinstance(tree, Problem):
        return (tree,)
    if ruler(tree) is Rules.CENTRAL:
        return with_central(path, tree, central)
    problems: list[Problem] = []
    named = tree.get("profiles")
    folder = path.parent / named if isinstance(named, str) and named else None
    profiles = profile_trees(folder, problems) if folder is not None else {}
    version = _version([path, *sorted(folder.glob("*.yaml"))] if folder is not None else [path])
    return Candidate(str(path), version, int(version, 16), tree, profiles, None, tuple(problems))


def with_central(path: Path, tree: dict[str, Any], said: Mapping[str, Any] | None) -> Candidate:
    """A file that lets the centre rule, and what it said; its number is 0 before it said anything."""
    central = dict(said) if said is not None else None
    version = hashlib.sha256(msgspec.json.encode([tree, central], order="deterministic")).hexdigest()[:12]
    number = int(said["version"]) if said is not None else 0
    profiles = {f"central profile {name}": its for name, its in said["profiles"].items()} if said is not None else {}
    return Candidate(str(path), version, number, tree, profiles, central)


def said_by(document: ConfigDocument) -> dict[str, Any]:
    """What a central document says, as it is kept; absent parts stay absent."""
    return {"profiles": {}, "buses": [], "devices": [], **document.as_json()}


def _version(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
