from typing import Any

import numpy as np

_Bytes = np.ndarray[Any, np.dtype[np.uint8]]

CPU_FEATURES: int

class Plan:
    def __init__(
        self,
        fields: dict[str, Any],
        shape: tuple[int, ...],
        codebook: _Bytes,
        codebook_order: _Bytes,
        scales: _Bytes,
        zero_points: _Bytes,
        digest: _Bytes,
        base: _Bytes,
    ) -> None: ...
    @property
    def chunks(self) -> int: ...
    @property
    def row_elements(self) -> int: ...
    def encode_chunk(
        self,
        first: int,
        elements: int,
        positions: np.ndarray[Any, np.dtype[np.uint32]],
        values: _Bytes,
        entries: int,
        filler: int,
        codings: int,
        profile: int,
        effort: int,
    ) -> tuple[bytes, int]: ...
    def write(self, chunks: list[bytes], features: int, codings: int, profile: int) -> bytes: ...
