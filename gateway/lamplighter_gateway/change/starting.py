"""Which configuration a process start goes by: the file's, or the last good one where the file's is of no use."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lamplighter_gateway.change.store import MOST_STARTS, ConfigStore, Kept
from lamplighter_gateway.config.candidate import Candidate, find
from lamplighter_gateway.config.document import read_document
from lamplighter_gateway.config.load import read
from lamplighter_gateway.config.model import Config
from lamplighter_gateway.config.problem import Problem, Problems

STATE_DIRECTORY: Final = "STATE_DIRECTORY"  # systemd.exec(5): where a service keeps its state
DATA: Final = "LAMPLIGHTER_DATA"


@dataclass(frozen=True, slots=True)
class Start:
    """What is run: a configuration, and as it stood before it was read. `instead`: why it is not the file's."""

    file: Path
    config: Config
    candidate: Candidate
    store: ConfigStore
    kept: Kept
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A configuration without a mistake, and as it stood before it was read."""

    candidate: Candidate
    config: Config


def of_file(file: Path, central: Mapping[str, Any] | None, environment: Mapping[str, str]) -> Found | Problems:
    """What a file says, with what the centre said where the file lets it rule; or everything that is wrong."""
    candidate = find(file, central)
    if isinstance(candidate, tuple):
        return candidate
    config = read(candidate, environment)
    return Found(candidate, config) if isinstance(config, Config) else config


def start(file: Path, environment: Mapping[str, str]) -> Start | Problems:
    """What to run by the file at `file`, or everything that is wrong with it where no good one was kept."""
    store = ConfigStore(data_folder(file, environment))
    kept = store.load()
    found = of_file(file, kept.central, environment)
    if not isinstance(found, Found):
        return _good(file, store, kept, tuple(map(str, found)), environment) or found
    candidate, config = found.candidate, found.config
    admitted = admit(kept, candidate)
    if admitted != kept:
        store.save(admitted)
    if candidate.version in admitted.taken_back:
        why = f"version {candidate.version} was taken back after its trial"
        return _good(file, store, admitted, (why,), environment) or Start(file, config, candidate, store, admitted)
    return Start(file, config, candidate, store, admitted)


def admit(kept: Kept, candidate: Candidate) -> Kept:
    """What is known once a process start has found this candidate; it may run unless it is taken back in it. Pure."""
    if kept.good is not None and candidate.version == kept.good.version:
        return Kept(good=candidate, answers=kept.answers, taken_back=kept.taken_back)
    if candidate.version in kept.taken_back:
        return kept
    if kept.trial is None or kept.trial.version != candidate.version:
        return kept.tries(candidate, kept.answers)
    again = kept.starts_again()
    return again.takes_back() if again.starts > MOST_STARTS and again.good is not None else again


def _good(
    file: Path, store: ConfigStore, kept: Kept, instead: tuple[str, ...], environment: Mapping[str, str]
) -> Start | None:
    """The good one, if there is one that can still be read."""
    if kept.good is None:
        return None
    config = read(kept.good, environment)
    return Start(file, config, kept.good, store, kept, instead) if isinstance(config, Config) else None


def data_folder(file: Path, environment: Mapping[str, str]) -> Path:
    """The data folder as far as it can be known of a file that may be broken."""
    tree = read_document(file)
    named = None if isinstance(tree, Problem) else tree.get("data")
    if environment.get(DATA):
        named = environment[DATA]
    if isinstance(named, str) and named:
        return file.parent / named
    return Path(environment.get(STATE_DIRECTORY) or file.parent)
