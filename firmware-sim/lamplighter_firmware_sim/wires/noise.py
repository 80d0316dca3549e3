"""What a bad line does to frames on it. Pure; chance is handed in."""

from collections.abc import Callable
from random import Random


def garbled(frame: bytes, strength: Callable[[str], float], random: Random) -> bytes:
    """The frame as it comes out of a noisy line: one bit wrong, or as it was."""
    if not frame or random.random() * 100 >= strength("line_noise"):
        return frame
    place, bit = random.randrange(len(frame)), 1 << random.randrange(8)
    return frame[:place] + bytes((frame[place] ^ bit,)) + frame[place + 1 :]


def answered(frame: bytes, strength: Callable[[str], float], random: Random) -> bytes:
    """An answer as the master hears it: garbled, and after a byte that nobody sent where the bias is poor."""
    stray = random.random() * 100 < strength("noise_byte")
    return bytes((random.randrange(256),)) * stray + garbled(frame, strength, random)
