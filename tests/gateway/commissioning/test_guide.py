"""The guides of installers show the same output in both languages, and only commands that there are."""

import re
from pathlib import Path

import click
import pytest

from lamplighter_gateway.cli.program import main

GUIDES = [Path("docs/guides/installer.md"), Path("docs/guides/installer.zh-CN.md")]
BLOCK = re.compile(r"<!-- ([a-z-]+) -->\n```\n(.*?)```\n", re.DOTALL)
COMMAND = re.compile(r"^lamplighter-gateway ([a-z]+)(?: ([a-z]+))?([^\n`]*)", re.MULTILINE)


def test_both_guides_have_the_same_blocks_and_none_is_empty():
    english, chinese = (dict(BLOCK.findall(guide.read_text("utf-8"))) for guide in GUIDES)
    assert english.keys() == chinese.keys()
    assert len(english) >= 12
    assert all(text.strip() for text in (*english.values(), *chinese.values()))


@pytest.mark.parametrize("guide", GUIDES, ids=str)
def test_every_command_shown_is_there_with_its_options(guide):
    shown = COMMAND.findall(guide.read_text("utf-8"))
    assert len(shown) >= 9
    for first, second, rest in shown:
        command = main.commands[first]
        if isinstance(command, click.Group):
            command = command.commands[second]
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, (first, second)
