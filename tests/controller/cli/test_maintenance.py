"""Orders, parts, crews and reports from the command line."""

from pathlib import Path

from lamplighter_controller.lighting import store
from lamplighter_controller.lighting.inventory import Cabinet
from tests.controller.api.world import LAMPS
from tests.controller.cli.conftest import Terminal

WHY = ("--reason", "WO test")
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))


async def test_an_order_from_its_opening_to_the_second_person_and_the_report(
    terminal: Terminal, tmp_path: Path
) -> None:
    await terminal.shown("crew", "put", "east-1", "--name", "东区一班", "--company", "red", *WHY)
    assert "东区一班" in await terminal.shown("crew", "list")
    opened = await terminal.json("order", "open", "--element", "pole-7", "--kind", "pole", "--class", "tilt", *WHY)
    name = opened["id"]
    assert (opened["state"], opened["proof"]) == ("assigned", "photo")
    same = await terminal.json("order", "open", "--element", "pole-7", "--kind", "pole", "--class", "tilt", *WHY)
    assert same["id"] == name, "one open order on one element"
    assert name in await terminal.shown("order", "list", "--crew", "east-1")
    await terminal.shown("order", "step", name, "take", "--crew", "east-1", "--key", "k1")
    again = await terminal.json("order", "step", name, "take", "--crew", "east-1", "--key", "k1")
    assert [one["action"] for one in again["steps"]].count("take") == 1
    await terminal.shown("order", "step", name, "arrive", "--at", "36.65", "117.12")
    refused = await terminal.run("order", "step", name, "depart")
    assert refused.exit_code == 1
    assert "depart follows assigned" in refused.stderr
    nothing = await terminal.run("order", "lock", name, *WHY)
    assert "lock by hand" in nothing.stderr
    await terminal.shown("order", "step", name, "finish", "--done", "set upright")
    file = tmp_path / "pole.jpg"
    file.write_bytes(JPEG)
    assert "image/jpeg" in await terminal.shown("order", "photo", name, str(file), "--note", "east side")
    by_oneself = await terminal.run("order", "prove", name, "--helped", "--text", "stands")
    assert "whoever did the work" in by_oneself.stderr
    sent_back = await terminal.json("order", "prove", name, "--not-helped", "--text", "leans")
    assert (sent_back["state"], sent_back["returned"]) == ("returned", 1)
    assert "leans" in await terminal.shown("order", "show", name)

    await terminal.shown("part", "put", "led-150", "--kind", "lamp", "--warranty-days", "730", "--least", "3", *WHY)
    await terminal.shown("part", "move", "led-150", "5", "--batch", "b1", *WHY)
    assert "low" not in await terminal.shown("part", "list")
    too_much = await terminal.run("part", "move", "--batch", "b1", *WHY, "--", "led-150", "-6")
    assert "5 of led-150" in too_much.stderr
    fitted = ("order", "fit", name, "led-150", "--element", LAMPS[0], "--batch", "b1", "--serial", "s-9", *WHY)
    await terminal.shown(*fitted)
    [row] = await terminal.json("part", "history", "--element", LAMPS[0])
    assert (row["serial"], row["order"]) == ("s-9", name)
    assert row["warranty_until_ms"] - row["at_ms"] == 730 * 86_400_000
    assert await terminal.json("order", "trips") == []


async def test_a_month_as_page_document_and_tables(terminal: Terminal, tmp_path: Path) -> None:
    await terminal.shown("order", "open", "--element", LAMPS[0], "--class", "lamp_dead", *WHY)
    month = (await terminal.json("order", "list"))[0]["created_ms"]
    assert month
    name = terminal.world.services.maintenance.reporter.today().strftime("%Y-%m")
    assert "closing" in await terminal.shown("report", "figures", name)
    [behind] = (await terminal.json("report", "behind", name, "closing"))["items"]
    assert (behind["order"]["class_id"], behind["numerator"]) == ("lamp_dead", 0)
    unknown = await terminal.run("report", "behind", name, "beauty")
    assert "expected one of timely_repair" in unknown.stderr
    await terminal.shown("report", "make", name, *WHY)
    assert name in await terminal.shown("report", "list")
    for form, begins in (("pdf", b"%PDF-"), ("html", b"<!doctype html>"), ("csv", b"month,by,key,figure")):
        for language in ("zh", "en"):
            file = tmp_path / f"{language}.{form}"
            await terminal.shown("report", "save", name, str(file), "--language", language)
            assert file.read_bytes().startswith(begins)
    assert "路灯维护月报" in (tmp_path / "zh.html").read_text("utf-8")
    assert "Timely-repair rate" in (tmp_path / "en.html").read_text("utf-8")
    missing = await terminal.run("report", "save", "2021-01", str(tmp_path / "x.pdf"))
    assert missing.exit_code == 1
    future = await terminal.run("report", "make", "2099-01", *WHY)
    assert "has not begun" in future.stderr


async def test_a_round_is_told_and_walked(terminal: Terminal) -> None:
    await terminal.world.ledger.write(lambda connection: store.put(connection, [Cabinet("cab-07")]))
    put = ("patrol", "put", "monthly", "--kind", "equipment", "--cabinet", "cab-07", "--crew", "east-1", *WHY)
    await terminal.shown(*put)
    assert "monthly" in await terminal.shown("patrol", "plans")
    [walk] = await terminal.json("patrol", "list")
    for check in ("leakage", "protector", "grounding"):
        await terminal.shown("patrol", "result", walk["id"], "cab-07", check, "--passed")
    early = await terminal.run("patrol", "finish", walk["id"])
    assert "cab-07: door" in early.stderr
    told = await terminal.shown("patrol", "result", walk["id"], "cab-07", "door", "--failed", "--note", "no lock")
    assert "WO-" in told
    assert "failed" in await terminal.shown("patrol", "show", walk["id"])
    assert "walked by token:operator" in await terminal.shown("patrol", "finish", walk["id"])
