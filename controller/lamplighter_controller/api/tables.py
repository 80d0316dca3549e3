"""Answers as CSV files."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Response

CSV: Final = "text/csv"


def csv_of(rows: Sequence[Mapping[str, Any]], name: str) -> Response:
    """A line of column names, then one line each; empty cells are unknown values."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(out.getvalue(), media_type=CSV, headers=headers)
