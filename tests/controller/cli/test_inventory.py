"""Files into the inventory and the library, and out again."""

import json
from pathlib import Path

from tests.controller.api.world import LAMPS
from tests.controller.cli.conftest import Terminal

WHY = ("--reason", "survey")
ROADS = "id,road_class\nspruce,main\n"
LUMINAIRES = "id,device,latitude,longitude,road\n" + "".join(
    f"l-{number},{lamp},36.65,117.12,spruce\n" for number, lamp in enumerate(LAMPS)
)


def written(folder: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return [str(folder / f"{name}.csv") for name in files]


async def test_files_are_taken_by_their_names_in_the_order_given(terminal: Terminal, tmp_path: Path):
    files = written(tmp_path, roads=ROADS, luminaires=LUMINAIRES)
    tried = await terminal.run("inventory", "import", *files, "--crs", "wgs84", "--dry-run", *WHY, who="admin")
    assert tried.exit_code == 1  # the road is not there yet
    assert "roads.csv: 1 rows without a mistake; nothing was taken" in tried.stdout
    assert "line 2, road: is 'spruce', expected one of the roads that are known" in tried.stdout
    taken = await terminal.shown("inventory", "import", *files, "--crs", "wgs84", *WHY, who="admin")
    assert taken.splitlines()[1].endswith("luminaires.csv: 10 added, 0 replaced")
    listed = (await terminal.shown("inventory", "list", "luminaires")).splitlines()
    assert listed[1].startswith("l-0")
    out = tmp_path / "again.csv"
    await terminal.shown("inventory", "export", "luminaires", "--to", str(out))
    text = await terminal.json("inventory", "export", "luminaires")
    told = await terminal.json("inventory", "export", "luminaires", "--to", str(out))
    assert (text["content"].encode(), told["bytes"]) == (out.read_bytes(), out.stat().st_size)
    again = await terminal.json(
        "inventory", "import", str(out), "--kind", "luminaires", "--crs", "wgs84", *WHY, who="admin"
    )
    assert again[str(out)]["replaced"] == 10


async def test_a_file_with_mistakes_is_refused_with_all_of_them(terminal: Terminal, tmp_path: Path):
    files = written(tmp_path, roads="id,road_class\nr-1,motorway\nR 2,main\n")
    refused = await terminal.run("inventory", "import", *files, *WHY, who="admin")
    assert refused.exit_code == 1
    assert "2 mistakes; nothing was taken." in refused.stderr
    assert "line 3, id" in refused.stderr
    (strange,) = written(tmp_path, stars="id\n")
    assert (await terminal.run("inventory", "import", strange, *WHY, who="admin")).exit_code == 2


async def test_an_item_of_the_library_is_put_shown_and_removed(terminal: Terminal, tmp_path: Path):
    body = {"levels": {"level_percent": 50.0}}
    file = tmp_path / "dim.json"
    file.write_text(json.dumps(body))
    assert "version 1" in await terminal.shown("library", "put", "programs", "dim", str(file), *WHY)
    assert json.loads(await terminal.shown("library", "show", "programs", "dim")) == {"id": "dim"} | body
    assert "token:operator" in await terminal.shown("library", "list", "programs")
    shown = await terminal.json("library", "show", "programs", "dim")
    assert (shown["version"], shown["changed_by"], shown["body"]) == (1, "token:operator", {"id": "dim"} | body)
    assert "removed" in await terminal.shown("library", "remove", "programs", "dim", *WHY)
    await terminal.shown("library", "put", "programs", "dim", str(file), *WHY)
    gone = await terminal.json("library", "remove", "programs", "dim", *WHY)
    assert gone == {"shelf": "programs", "id": "dim", "removed": True}
    assert await terminal.json("library", "list", "almanacs") == {"items": []}
    file.write_text("{")
    assert (await terminal.run("library", "put", "programs", "dim", str(file), *WHY)).exit_code == 2
