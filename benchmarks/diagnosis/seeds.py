"""Which seeds may be looked at while tuning, and which are only ever judged by."""

from typing import Final

DEVELOPMENT: Final = range(1, 100)
JUDGEMENT: Final = range(10_000, 10_020)
