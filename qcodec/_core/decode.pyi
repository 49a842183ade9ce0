from typing import Any

import numpy as np

_Bytes = np.ndarray[Any, np.dtype[np.uint8]]

#: Bytes, codings.
_Coded = tuple[int, list[int]]

CPU_FEATURES: int

class Frame:
    def __init__(self, data: _Bytes, whole: bool, verify: bool) -> None: ...
    @property
    def fields(self) -> dict[str, Any]: ...
    def decode_parameters(self, keep: bool) -> None: ...
    @property
    def coded_parameters(self) -> tuple[_Coded | None, _Coded | None, _Coded | None]: ...
    def codebook_bytes(self, item_size: int) -> bytes: ...
    def codebook_order_bytes(self) -> bytes: ...
    def scale_bytes(self, item_size: int) -> bytes: ...
    def zero_point_bytes(self) -> bytes: ...
    def chunk(self, index: int) -> tuple[int, int, int, int]: ...
    def decode(
        self,
        first: int,
        count: int,
        dtype: int,
        item_size: int,
        out: _Bytes | None,
        verify: bool,
    ) -> None: ...
    def decode_chunk(
        self,
        index: int,
        data: _Bytes,
        first: int,
        count: int,
        dtype: int,
        item_size: int,
        out: _Bytes | None,
        verify: bool,
    ) -> None: ...
    def decode_codes(
        self, index: int, data: _Bytes, code_size: int, verify: bool
    ) -> tuple[np.ndarray[Any, np.dtype[np.uint32]] | None, _Bytes]: ...
    def entries(self, index: int, data: _Bytes) -> int: ...
    def streams(self, index: int, data: _Bytes) -> list[tuple[int, int, int]]: ...
