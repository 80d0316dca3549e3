"""The two languages an installer reads."""

from enum import StrEnum


class Language(StrEnum):
    """Chinese or English."""

    ZH = "zh"
    EN = "en"


def units_text(units: tuple[int, ...], most: int = 12) -> str:
    """Units as a short list with ranges: 1-4, 9."""
    parts: list[str] = []
    ordered = sorted(set(units))
    for index, unit in enumerate(ordered):
        if index and unit == ordered[index - 1] + 1:
            first = parts[-1].split("-", 1)[0]
            parts[-1] = f"{first}-{unit}"
        else:
            parts.append(str(unit))
    return ", ".join(parts[:most]) + (", …" if len(parts) > most else "")
