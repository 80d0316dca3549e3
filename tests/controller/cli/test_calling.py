"""How every command connects, and how it ends."""

from pathlib import Path

from click.testing import CliRunner

from lamplighter_controller.cli.lamplighter import main
from lamplighter_controller.cli.table import table
from tests.controller.cli.conftest import Terminal
from tests.system.process import free_port


async def test_what_is_refused_is_told_by_field_and_ends_with_1(terminal: Terminal):
    refused = await terminal.run("lamp", "show", "lamp-99-999")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "There is no device 'lamp-99-999'." in refused.stderr
    wrong = await terminal.run("lamp", "tonight", "lamp-01-001", "--day", "tomorrow")
    assert wrong.exit_code == 1
    assert "query.day" in wrong.stderr
    assert "Traceback" not in wrong.stderr


async def test_without_the_right_or_with_no_token_it_says_so(terminal: Terminal):
    denied = await terminal.run("plan", "draft", "--reason", "winter", who="reader")
    assert (denied.exit_code, denied.stderr) == (1, "refused: The token 'reader' lacks the right 'lighting'.\n")
    nobody = await terminal.run("--token", "no.such", "plan", "list")
    assert (nobody.exit_code, nobody.stderr) == (1, "refused: The token is unknown or was revoked.\n")


async def test_the_token_may_stand_in_a_file(terminal: Terminal, tmp_path: Path):
    kept = tmp_path / "token"
    kept.write_text(terminal.world.secret["reader"] + "\n")
    words = ["--token-file", str(kept), "--token", "", "lamp", "list"]
    assert (await terminal.run(*words)).exit_code == 0
    lost = await terminal.run("--token-file", str(tmp_path / "none"), "--token", "", "lamp", "list")
    assert (lost.exit_code, "none: No such file" in lost.stderr) == (2, True)


def test_when_no_controller_answers_it_ends_with_3():
    result = CliRunner().invoke(main, ["--url", f"http://127.0.0.1:{free_port()}", "--token", "a.b", "plan", "list"])
    assert result.exit_code == 3
    assert "does not answer" in result.stderr


def test_a_wrong_call_ends_with_2():
    for words in (["plan", "draft"], ["plan", "show", "x"], ["moon"]):
        assert CliRunner().invoke(main, ["--token", "a.b", *words]).exit_code == 2


def test_figures_stand_to_the_right_and_wide_characters_take_two_columns():
    rows = [("云杉路", 1204, 47.26, True), ("Spruce", 3, None, None)]
    assert list(table(("road", "lamps", "kW", "lit"), rows)) == [
        "road    lamps    kW  lit",
        "云杉路  1,204  47.3  yes",
        "Spruce      3     -  -",
    ]
