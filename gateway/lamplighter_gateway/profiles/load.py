"""Profiles from a folder of YAML files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamplighter_contract.quantities import Kind
from lamplighter_gateway.config.document import read_document
from lamplighter_gateway.config.problem import Problem
from lamplighter_gateway.config.section import Section
from lamplighter_gateway.profiles.jt808 import read_tracker_map
from lamplighter_gateway.profiles.modbus import read_register_map
from lamplighter_gateway.profiles.model import Profile
from lamplighter_gateway.profiles.mqtt import read_json_map
from lamplighter_gateway.profiles.relay import read_relay_map


def load_profiles(folder: Path, problems: list[Problem]) -> Mapping[str, Profile]:
    """Every profile in the folder by its name; what is wrong in any of them is noted."""
    return read_profiles(profile_trees(folder, problems), problems)


def profile_trees(folder: Path, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """The documents of a folder of profiles by file name; what is no document is noted."""
    if not folder.is_dir():
        problems.append(Problem(str(folder), "profiles", "missing", "a folder of device profiles"))
        return {}
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.yaml")):
        tree = read_document(path)
        if isinstance(tree, Problem):
            problems.append(tree)
        else:
            found[str(path)] = tree
    return found


def read_profiles(trees: Mapping[str, Mapping[str, Any]], problems: list[Problem]) -> Mapping[str, Profile]:
    """Profiles by name from documents by file; what is wrong in any of them is noted."""
    found: dict[str, Profile] = {}
    for file, tree in trees.items():
        profile = read_profile(file, tree, problems)
        if profile.name in found:
            problems.append(Problem(file, "profile", repr(profile.name), "a name that no other profile has"))
        found[profile.name] = profile
    return found


def read_profile(file: str, tree: Mapping[str, Any], problems: list[Problem]) -> Profile:
    """Decode one profile; what is wrong is noted."""
    section = Section(file, "", tree, problems)
    kind = section.word("kind", Kind)
    title = section.section("title")
    profile = Profile(
        section.identity("profile"),
        kind,
        {language: title.text(language) for language in title.names()},
        section.words("capabilities"),
        read_register_map(section.section("modbus"), kind) if section.has("modbus") else None,
        read_json_map(section.section("mqtt"), kind) if section.has("mqtt") else None,
        read_tracker_map(section.section("jt808"), kind) if section.has("jt808") else None,
        read_relay_map(section.section("relay"), kind) if section.has("relay") else None,
    )
    if all(part is None for part in (profile.modbus, profile.mqtt, profile.jt808, profile.relay)):
        section.wrong("modbus", "how the device is reached: modbus, mqtt, jt808, relay or several of them")
    if profile.relay is not None and profile.capabilities:
        section.wrong("capabilities", "none: what another platform forwards can only be looked at")
    section.close()
    return profile
