"""Names of arrays by width, for the columns that detectors compute with.

numpy's stubs lose the width in every second expression over float32 columns, so it is written down here and not
checked: tests hold the widths that matter. What passes between rooms has the full types of `samples`.
"""

from typing import Any, TypeAlias

F32: TypeAlias = Any
F64: TypeAlias = Any
U8: TypeAlias = Any
U16: TypeAlias = Any
U32: TypeAlias = Any
I64: TypeAlias = Any
Flags: TypeAlias = Any
Arrays: TypeAlias = dict[str, Any]
"""What a part hands over to be kept: arrays by name."""
