"""The walk as a conversation, with a gateway of words."""

import asyncio

import pytest

from lamplighter_gateway.cli.host import RefusedError
from lamplighter_gateway.cli.walking import Walk
from lamplighter_gateway.commissioning.language import Language


class Street:
    """What a gateway answers, and what it is asked; a phone may answer for a lamp first."""

    def __init__(self, *lamps, phoned=()):
        self.left, self.seen, self.said, self.phoned = list(lamps), {}, [], set(phoned)

    async def speak(self, step, **details):
        self.said.append((step, details))
        if step == "state":
            left = [lamp for lamp in self.left if lamp not in self.seen]
            expected = {lamp: f"P-{lamp}" for lamp in self.left if lamp != "new"}
            answered = len(self.seen)
            return {"running": True, "left": left, "lamps": len(self.left), "answered": answered, "expected": expected}
        if step == "blink":
            if details["device"] == "mute":
                raise RefusedError("mute cannot blink")
            if details["device"] in self.phoned:
                self.seen[details["device"]] = {"pole": "phoned"}
        if step == "saw":
            if details["pole"] == "bad":
                raise RefusedError("no")
            self.seen[details["device"]] = {"pole": details["pole"]}
        return {"record": {"seen": self.seen}}

    async def walk(self, typed, language=Language.EN):
        keyboard = asyncio.StreamReader()
        keyboard.feed_data(typed.encode())
        if not self.phoned:
            keyboard.feed_eof()
        async with asyncio.timeout(60):
            await Walk(self.speak, 5, language, keyboard).run()
        return {lamp: its["pole"] for lamp, its in self.seen.items()}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("\n\n", {"a": "P-a", "b": "P-b"}),
        ("P-7\nn\n", {"a": "P-7", "b": None}),
        ("b\n\ns\n", {"a": "P-a"}),
        ("q\n", {}),
        ("\n", {"a": "P-a"}),  # the end of the input is a stop
        ("bad\nP-1\n\n", {"a": "P-1", "b": "P-b"}),
    ],
)
async def test_the_keyboard_answers_lamp_by_lamp(typed, found):
    assert await Street("a", "b").walk(typed) == found


async def test_a_lamp_without_a_pole_in_the_inventory_needs_one_typed_and_one_that_cannot_blink_is_said():
    street = Street("new", "mute")
    assert await street.walk("\nP-9\nn\n", Language.ZH) == {"new": "P-9", "mute": None}


async def test_a_phone_may_answer_while_the_keyboard_waits():
    assert await Street("a", "b", phoned={"a", "b"}).walk("") == {"a": "phoned", "b": "phoned"}
