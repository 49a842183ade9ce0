from collections.abc import Iterable
from typing import Any

import numpy as np
from typing_extensions import Buffer

Bytes = Buffer | np.ndarray[Any, Any]
Symbols = np.ndarray[Any, np.dtype[np.uint8]] | np.ndarray[Any, np.dtype[np.uint16]]
Positions = np.ndarray[Any, np.dtype[np.uint32]]

_Bytes = np.ndarray[Any, np.dtype[np.uint8]]

def select_cpu(features: int) -> int: ...
def detect_cpu() -> int: ...
def selected_cpu() -> int: ...

# ---- parameters.pxi

class FrameGroups:
    @property
    def dtype(self) -> int: ...
    @property
    def inner(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def verbatim_bytes(self) -> int: ...
    @property
    def coded(self) -> tuple[int, list[int]] | None: ...
    def values(self) -> bytes: ...
    @property
    def lengths_bytes(self) -> int: ...
    def ends(self) -> bytes: ...

# ---- decode.pxi

class Workspace: ...

class Frame:
    @staticmethod
    def read(data: Bytes, whole: bool, verify: bool) -> Frame: ...
    def with_parameters(self) -> Frame: ...
    def check_parameters(self) -> None: ...
    @property
    def dtype(self) -> int: ...
    @property
    def kind(self) -> int: ...
    @property
    def positions(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def elements(self) -> int: ...
    @property
    def item_size(self) -> int: ...
    @property
    def stored_dtype(self) -> int: ...
    @property
    def chunk_elements(self) -> int: ...
    @property
    def chunks(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def gap_width(self) -> int: ...
    @property
    def features(self) -> int: ...
    @property
    def frame_bytes(self) -> int: ...
    @property
    def head_bytes(self) -> int: ...
    @property
    def coded_bytes(self) -> int: ...
    @property
    def codebook(self) -> FrameGroups | None: ...
    def codebook_order(self) -> bytes: ...
    @property
    def scales(self) -> FrameGroups | None: ...
    @property
    def second_scale(self) -> float | None: ...
    @property
    def zero_point(self) -> int: ...
    @property
    def zero_points(self) -> FrameGroups | None: ...
    def digest(self) -> bytes: ...
    @property
    def notes_bytes(self) -> int: ...
    def notes(self) -> dict[int, bytes]: ...
    def chunk(self, index: int) -> tuple[int, int, int, int]: ...
    def pieces(self, first: int, count: int, limit: int) -> list[tuple[int, int, int, int]]: ...
    def decode(
        self,
        first: int,
        count: int,
        dtype: int,
        out: Bytes | None,
        data: Bytes | None,
        offset: int,
        base: _Bytes | None,
        verify: bool,
        workspace: Workspace | None = None,
    ) -> None: ...
    def decode_codes(
        self, index: int, data: _Bytes, base: _Bytes | None, verify: bool
    ) -> tuple[np.ndarray[Any, np.dtype[np.uint32]] | None, _Bytes]: ...
    def stored(self, index: int, data: _Bytes, codes: bool = False) -> int: ...
    def streams(self, index: int, data: _Bytes) -> list[tuple[int, int, int, int]]: ...
    def first_streams(
        self, index: int, data: _Bytes
    ) -> tuple[list[tuple[int, int, int, int]], bool]: ...

# ---- encode.pxi

def copies_may_pay(values: _Bytes, item_size: int, dtype: int) -> bool: ...

class PlanGroups:
    def __init__(
        self, dtype: int, inner: int, count: int, values: _Bytes, ends: _Bytes | None = None
    ) -> None: ...
    @property
    def dtype(self) -> int: ...
    @property
    def inner(self) -> int: ...
    @property
    def count(self) -> int: ...

class Plan:
    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: int,
        kind: int,
        positions: int,
        *,
        chunk_elements: int = 0,
        gap_width: int = 0,
        width: int = 0,
        stored_dtype: int = 0,
        entries: int = 0,
        codebook: PlanGroups | None = None,
        codebook_order: _Bytes | None = None,
        scales: PlanGroups | None = None,
        second_scale: float | None = None,
        zero_point: int = 0,
        zero_points: PlanGroups | None = None,
        step: int = 0,
        filter_sides: tuple[int, int] = (1, 1),
        digest: _Bytes | None = None,
        base: _Bytes | None = None,
        notes: Bytes | None = None,
    ) -> None: ...
    @property
    def chunks(self) -> int: ...
    @property
    def row_elements(self) -> int: ...
    def chunk_price(self, elements: int, data: Bytes) -> int: ...
    def chunk_least(self, values: _Bytes, stored: int, codings: int, profile: int) -> int: ...
    def encode_chunk(
        self,
        first: int,
        elements: int,
        positions: np.ndarray[Any, np.dtype[np.uint32]],
        values: _Bytes,
        stored: int,
        filler: int,
        codings: int,
        profile: int,
        effort: int,
    ) -> tuple[bytes, int]: ...
    def write(self, chunks: Iterable[tuple[Bytes, int]], codings: int, profile: int) -> bytes: ...

# ---- equal_steps.pxi

_Float32s = np.ndarray[Any, np.dtype[np.float32]]
_Float64s = np.ndarray[Any, np.dtype[np.float64]]

def group_ranges(values: _Float32s, inner: int, groups: int) -> tuple[_Float64s, _Float64s]: ...
def group_squares(values: _Float32s, inner: int, groups: int) -> _Float64s: ...
def affine_codes(
    values: _Float32s, inner: int, steps: _Float64s, code_size: int
) -> np.ndarray[Any, Any]: ...
def fixed_point_errors(
    values: _Float32s, inner: int, steps: _Float64s, limits: _Float64s
) -> tuple[_Float64s, _Float64s]: ...

# ---- exact_forms.pxi

MAX_VALUES: int
MAX_LEVEL: int
MAX_NARROW_LEVEL: int
PROBED_ITEMS: int

class ExactProbe:
    def __init__(
        self,
        dtype: int,
        count: int,
        limit: int,
        row: int,
        row_limit: int,
        row_sample: int,
        run_sample: int,
        max_level: int,
        halves: bool,
        axes: list[tuple[int, int, int]],
    ) -> None: ...
    def finds(self, items: _Bytes) -> bool: ...

def distinct(
    items: _Bytes,
    item_size: int,
    ends: np.ndarray[Any, np.dtype[np.uintp]],
    limit: int,
    codes: _Bytes,
) -> tuple[np.ndarray[Any, np.dtype[np.uint64]], np.ndarray[Any, np.dtype[np.uint16]], int]: ...
def renumber(codes: _Bytes, ends: np.ndarray[Any, np.dtype[np.uintp]], numbers: _Bytes) -> None: ...
def equal_steps(
    values: np.ndarray[Any, np.dtype[np.float32]],
    ends: np.ndarray[Any, np.dtype[np.uintp]],
    dtype: int,
    max_level: int,
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.int32]], int]: ...
def may_have_steps(
    values: np.ndarray[Any, np.dtype[np.float32]], dtype: int, max_level: int
) -> bool: ...
def step_codes(
    values: np.ndarray[Any, np.dtype[np.float32]],
    ends: np.ndarray[Any, np.dtype[np.uintp]],
    dtype: int,
    scales: np.ndarray[Any, np.dtype[np.float32]],
    zeros: np.ndarray[Any, np.dtype[np.int32]],
    negative_zeros: bool,
    codes: _Bytes,
) -> bool: ...

# ---- halves.pxi

def scaled_halves(
    values: np.ndarray[Any, np.dtype[np.float32]],
    ends: np.ndarray[Any, np.dtype[np.uintp]],
    dtype: int,
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], int]: ...
def may_be_scaled_halves(values: np.ndarray[Any, np.dtype[np.float32]], dtype: int) -> bool: ...
def halves(
    values: np.ndarray[Any, np.dtype[np.float32]],
    ends: np.ndarray[Any, np.dtype[np.uintp]],
    scales: np.ndarray[Any, np.dtype[np.float32]],
    dtype: int,
    out: np.ndarray[Any, np.dtype[np.uint16]],
) -> bool: ...

# ---- numeric.pxi

MAX_N_OF_M: int
KMEANS_INITS: dict[str, int]

class StandardFloatMode:
    def __enter__(self) -> None: ...
    def __exit__(self, *details: object) -> None: ...

def convert(
    source: np.ndarray[Any, np.dtype[np.uint8]],
    source_dtype: int,
    out: np.ndarray[Any, np.dtype[np.uint8]],
    out_dtype: int,
) -> None: ...
def sort(values: np.ndarray[Any, np.dtype[np.float32]]) -> None: ...
def kmeans_lloyd(
    ordered: np.ndarray[Any, np.dtype[np.float32]], k: int, init: str, seed: int, max_steps: int
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]: ...
def kmeans_exact(
    ordered: np.ndarray[Any, np.dtype[np.float32]], k: int
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]: ...
def kmeans_fast(
    values: np.ndarray[Any, np.dtype[np.float32]], k: int
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]: ...
def group_codebooks(
    values: np.ndarray[Any, np.dtype[np.float32]],
    kept: _Bytes | None,
    inner: int,
    groups: int,
    k: int,
    max_sorted: int,
    max_coarseness: float,
    exact: bool,
    init: str | None = None,
    seed: int = 0,
    max_steps: int = 0,
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.uint16]], _Bytes]: ...
def assign(
    values: np.ndarray[Any, np.dtype[np.float32]], centroids: np.ndarray[Any, np.dtype[np.float32]]
) -> np.ndarray[Any, np.dtype[np.uint8]]: ...
def assign_by_thresholds(
    values: np.ndarray[Any, np.dtype[np.float32]], thresholds: np.ndarray[Any, np.dtype[np.float32]]
) -> np.ndarray[Any, np.dtype[np.uint8]]: ...
def ternary_best(
    values: np.ndarray[Any, np.dtype[np.float32]], sides: int
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.float32]], bool]: ...
def kept_deviation_sums(ordered: _Float32s) -> tuple[_Float64s, _Float64s]: ...
def deviation_sums(
    ordered: _Float32s, above: _Float64s, below: _Float64s, cuts: np.ndarray[Any, np.dtype[Any]]
) -> _Float64s: ...
def ternary_thresholds(values: _Float32s, inner: int, groups: int, sides: int) -> _Float32s: ...
def sums_beyond(
    values: _Float32s, inner: int, thresholds: _Float32s
) -> tuple[_Float64s, np.ndarray[Any, np.dtype[np.uint64]]]: ...
def ternary_codes(
    values: _Float32s, inner: int, thresholds: _Float32s
) -> np.ndarray[Any, np.dtype[np.uint8]]: ...
def all_finite(values: np.ndarray[Any, np.dtype[np.float32]]) -> bool: ...
def magnitudes_between(
    values: np.ndarray[Any, np.dtype[np.float32]], minimum: float, maximum: float
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], int]: ...
def mask_above(
    values: np.ndarray[Any, np.dtype[np.float32]], threshold: float, ties: int
) -> np.ndarray[Any, np.dtype[np.bool_]]: ...
def mask_n_of_m(
    values: np.ndarray[Any, np.dtype[np.float32]], row: int, n: int, m: int
) -> np.ndarray[Any, np.dtype[np.bool_]]: ...
def cost_thresholds(
    centroids: np.ndarray[Any, np.dtype[np.float32]], costs: np.ndarray[Any, np.dtype[np.float64]]
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.uint8]]]: ...
def assign_by_cost(
    values: np.ndarray[Any, np.dtype[np.float32]],
    centroids: np.ndarray[Any, np.dtype[np.float32]],
    costs: np.ndarray[Any, np.dtype[np.float64]],
) -> np.ndarray[Any, np.dtype[np.uint8]]: ...

# ---- pack.pxi

FORMAT_VERSION: int
PACK_HEAD_BYTES: int
PACK_ENTRY: np.dtype[np.void]

def pack_head(data: Bytes) -> tuple[int, int]: ...
def pack_count(content: Bytes) -> int: ...
def pack_read(
    content: Bytes, frames_offset: int, pack_bytes: int, entries: int
) -> np.ndarray[Any, np.dtype[np.void]]: ...
def pack_find(content: Bytes, table: Bytes, name: Bytes) -> int: ...
def pack_write_content(
    names: Bytes, dims: np.ndarray[Any, np.dtype[np.uint64]], table: Bytes
) -> np.ndarray[Any, np.dtype[np.uint8]]: ...
def pack_write_head(table_bytes: int) -> bytes: ...

# ---- position_costs.pxi

_Counts = np.ndarray[Any, np.dtype[np.uint32]]

def count_stored(
    values: _Float32s, codes: _Bytes, kept: _Bytes | None, stored: _Bytes, rows: int, columns: int
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], _Float64s, _Counts, _Counts]: ...
def choose_stored(
    values: _Float32s,
    codes: _Bytes,
    kept: _Bytes | None,
    stored: _Bytes,
    by_row: _Counts,
    by_column: _Counts,
    entries: _Float32s,
    costs: _Float64s,
    price: float,
) -> bool: ...

# ---- small_frames.pxi

class SmallFrames:
    def __init__(self, data: Bytes) -> None: ...
    def head(
        self, offset: int, size: int, verify: bool
    ) -> tuple[tuple[int, ...], int, int] | None: ...
    def decode_whole(
        self, offset: int, size: int, dtype: int, out: Bytes, verify: bool
    ) -> bool: ...

# ---- stream.pxi

def crc32c(data: Bytes, crc: int = 0) -> int: ...
def coding_name(coding: int) -> str | None: ...
def coding_names() -> tuple[str, ...]: ...
def stream_bound(count: int, width: int) -> int: ...
def encode_stream(symbols: Bytes, count: int, width: int, codings: int, profile: int) -> bytes: ...
def decode_stream(data: Bytes, count: int, width: int) -> Symbols: ...
def relative_index_width(positions: Positions, value_bits: int) -> int: ...
def relative_index_encode(positions: Positions, gap_width: int) -> tuple[Symbols, Positions]: ...
def relative_index_decode(gaps: Bytes, stored: int, gap_width: int, limit: int) -> Positions: ...
