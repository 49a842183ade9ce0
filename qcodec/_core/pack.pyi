from typing import Any

import numpy as np
from typing_extensions import Buffer

Bytes = Buffer | np.ndarray[Any, Any]

CPU_FEATURES: int
FORMAT_VERSION: int
ENTRY: np.dtype[np.void]

def count(data: Bytes, pack_bytes: int) -> int: ...
def read(
    data: Bytes, pack_bytes: int, entries: int
) -> tuple[np.ndarray[Any, np.dtype[np.void]], int]: ...
def find(data: Bytes, table: Bytes, name: Bytes) -> int: ...
def write_table(names: Bytes, table: Bytes) -> np.ndarray[Any, np.dtype[np.uint8]]: ...
