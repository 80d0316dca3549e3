"""The major version of the wire: within one version fields are only added."""

from typing import Final

WIRE_VERSION: Final = 1
