"""How much anyone may send: bounds of every message, in bytes, rows and depth."""

from typing import Final

MAX_FRAME_BYTES: Final = 262_144  # decompressed; 250 lamps take about 20 kB
MAX_FRAME_ROWS: Final = 1_000
MAX_FRAME_COLUMNS: Final = 64
MAX_ACK_RANGES: Final = 1_000
MAX_COMMAND_BYTES: Final = 131_072
MAX_COMMAND_DEVICES: Final = 2_000
MAX_DOCUMENT_BYTES: Final = 1_048_576  # plan, config, devices
MAX_DEPTH: Final = 16
MAX_TEXT: Final = 500
MAX_EVENTS: Final = 500
MAX_PIECE_BYTES: Final = 98_304  # of a file: as base64 half a frame
MAX_PARCEL_BYTES: Final = 8_388_608
MAX_PHOTOS: Final = 16
MAX_EVIDENCE_MS: Final = 12 * 3_600_000  # between `from` and `to` of an asking for evidence
MAX_COMMAND_LIFE_MS: Final = 24 * 3_600_000
MAX_OVERRIDE_MS: Final = 12 * 3_600_000  # from now to `until`, civil: longer wishes belong into a plan
MAX_LIMIT_MS: Final = 72 * 3_600_000  # from now to `until` of a truck's limit, civil
MAX_COUNT: Final = 2**52  # every whole number told by another side is below it: one more is still canonical JSON
SEQUENCE_WINDOW: Final = 1_024
IN_FLIGHT_PER_LANE: Final = 16

EARLIEST_TIME_MS: Final = 1_577_836_800_000  # 2020-01-01: before it, a clock was never set
LATEST_TIME_MS: Final = 4_102_444_800_000  # 2100-01-01
