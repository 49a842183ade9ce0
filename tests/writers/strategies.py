"""Hypothesis strategies that all tests share.

Bulk data comes from a seed, not from Hypothesis's own choices: that is fast, and what
is worth shrinking are the sizes and the combinations, which Hypothesis does choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from reference.head import SMALLEST_CHUNK
from tests.writers.coded_floats_writer import MODES, key_of
from tests.writers.copies_writer import Copies
from tests.writers.delta_writer import Delta
from tests.writers.frame_writer import (
    DELTA_POSITIONS,
    DTYPES,
    ELEMENT_KINDS,
    FLOATS,
    FULL_POSITIONS,
    ITEM_SIZES,
    KINDS,
    POSITIONS,
    SCALED,
    Coder,
    Floats,
    Frame,
    Parts,
    assemble,
    write_frame,
    write_parts,
)
from tests.writers.planes_writer import BITS, EXPONENT_BITS
from tests.writers.stream_writer import deep_lengths, legal_codings, level_lengths, write_stream

seeds = st.integers(0, 2**32 - 1)
_LONGEST = 12

# ---- Huffman ----


@st.composite
def complete_lengths(draw: st.DrawFn, max_symbols: int = 256, longest: int = _LONGEST) -> list[int]:
    """Code lengths that make up a complete code: a tree grown by splitting leaves."""
    leaves = [1, 1]
    for leaf in draw(st.lists(st.integers(0, 2**16), max_size=max_symbols - 2)):
        splittable = [at for at, length in enumerate(leaves) if length < longest]
        if not splittable:
            break
        at = splittable[leaf % len(splittable)]
        leaves[at] += 1
        leaves.append(leaves[at])
    absent = draw(st.integers(0, max_symbols - len(leaves)))
    lengths = np.array(leaves + [0] * absent)
    np.random.default_rng(draw(seeds)).shuffle(lengths)
    return [int(length) for length in lengths]


@st.composite
def incomplete_lengths(draw: st.DrawFn, max_symbols: int = 256) -> list[int]:
    """The lengths of a complete code, one of them changed: too much or too little."""
    lengths = draw(complete_lengths(max_symbols))
    at = draw(st.integers(0, len(lengths) - 1))
    lengths[at] = draw(st.integers(0, _LONGEST).filter(lambda length: length != lengths[at]))
    return lengths


# ---- streams ----


@st.composite
def symbol_lists(draw: st.DrawFn, width: int, max_size: int = 700) -> list[int]:
    """Symbols below 2^width, of a distribution that is level, skewed or a single value."""
    count = draw(st.integers(0, max_size))
    random = np.random.default_rng(draw(seeds))
    limit = draw(st.sampled_from([1, 2, 3, 1 << width // 2, 1 << width]))
    if draw(st.booleans()):
        symbols = random.geometric(0.3, count) - 1
    else:
        symbols = random.integers(0, limit, count)
    return [int(symbol) % (1 << width) for symbol in symbols]


@st.composite
def coders(draw: st.DrawFn) -> Coder:
    """A choice of a coding for every stream, among all that can hold it."""
    choices = draw(st.lists(st.integers(0, 999), min_size=8, max_size=8))
    lengths_of = draw(st.sampled_from([level_lengths, deep_lengths]))
    taken = 0

    def code(symbols: Sequence[int], width: int) -> bytes:
        nonlocal taken
        names = legal_codings(symbols, width)
        name = names[choices[taken % len(choices)] % len(names)]
        taken += 1
        return write_stream(symbols, width, name, lengths_of(symbols))

    return code


# ---- arrays ----

#: A carrier of the same size for each element type: bits are what matters.
_BITS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}

shapes = st.lists(st.integers(0, 12), max_size=3).map(tuple) | st.sampled_from(
    [(), (0,), (1,), (3, 0, 2), (1, 1, 1, 1, 1, 1, 1, 1), (300,), (257, 3), (64, 9)]
)


@st.composite
def element_bytes(draw: st.DrawFn, dtype: str, count: int) -> bytes:
    """Elements in any bits: NaNs with payloads, infinities, -0, subnormals, plain ones."""
    random = np.random.default_rng(draw(seeds))
    if dtype in BITS:
        return bytes(random.integers(0, 1 << BITS[dtype], count, np.uint8))
    carrier = np.dtype(_BITS[ITEM_SIZES[dtype]]).newbyteorder("<")
    anything = random.integers(0, np.iinfo(carrier).max, count, carrier.type, endpoint=True)
    special = random.choice(np.array(_special_bits(dtype), carrier), count)
    share = draw(st.sampled_from([0.0, 0.5, 1.0]))
    return np.where(random.random(count) < share, special, anything).astype(carrier).tobytes()


def _special_bits(dtype: str) -> list[int]:
    bits = 8 * ITEM_SIZES[dtype]
    sign = 1 << bits - 1
    top = {"f32": 0x7F8 << 20, "f16": 0x7C00, "bf16": 0x7F80, "f64": 0x7FF << 52}.get(dtype)
    if top is None:
        return [0, 1, sign, sign - 1, 2 * sign - 1]
    one = {"f32": 0x3F800000, "f16": 0x3C00, "bf16": 0x3F80, "f64": 0x3FF << 52}[dtype]
    # zero, subnormals, the least normal's neighbours, one, the greatest, infinity, NaNs
    magnitudes = [0, 1, 2, one, one + 1, top - 1, top, top + 1, sign - 1]
    return magnitudes + [sign | magnitude for magnitude in magnitudes]


@st.composite
def arrays(draw: st.DrawFn, dtype: str | None = None) -> np.ndarray:
    """NumPy arrays: any dtype that NumPy has, strided, reversed, Fortran-ordered, empty, 0-d."""
    numpy_types = {"f32": "<f4", "f16": "<f2", "f64": "<f8", "bool": "?"}
    numpy_types |= {name: f"<{name[0]}{int(name[1:]) // 8}" for name in DTYPES[4:12]}
    name = dtype or draw(st.sampled_from(sorted(numpy_types)))
    shape = draw(shapes)
    data = draw(element_bytes(name, int(np.prod([2 * dim for dim in shape]))))
    whole = np.frombuffer(data, numpy_types[name]).reshape([2 * dim for dim in shape])
    layout = draw(st.sampled_from(["contiguous", "fortran", "strided", "reversed"]))
    array = whole[tuple(slice(None, None, 2) for _ in shape)]
    if layout == "contiguous":
        return np.ascontiguousarray(array).reshape(shape)
    if layout == "fortran":
        return np.asfortranarray(array).reshape(shape, order="F")
    if layout == "reversed":
        return array[tuple(slice(None, None, -1) for _ in shape)]
    return array


@st.composite
def sparse_arrays(draw: st.DrawFn, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """float32 arrays of a given density, among them all zeros, a single entry, and full ones."""
    shape = draw(shapes) if shape is None else shape
    random = np.random.default_rng(draw(seeds))
    density = draw(st.sampled_from([0.0, 0.002, 0.05, 0.3, 0.9, 1.0]))
    array = random.standard_normal(shape).astype(np.float32)
    return np.where(random.random(shape) < density, array, np.float32(0)).astype(np.float32)


# ---- frames ----


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Any legal frame: kind x positions x dtype x parameters x chunks."""
    kind = draw(st.sampled_from(KINDS))
    dtype = draw(st.sampled_from(DTYPES if kind in ("bytes", "planes") else FLOATS))
    positions = draw(st.sampled_from(POSITIONS if kind != "delta" else DELTA_POSITIONS))
    copies = Copies(
        draw(st.integers(0, 7)), draw(seeds), draw(st.sampled_from([0.0, 0.3, 1.0])),
        draw(st.sampled_from([1, 5, 1 << 22])),
    )  # fmt: skip
    dims = draw(shapes.filter(lambda dims: positions != "csr" or len(dims) > 0))
    frame = Frame(dtype, kind, positions, dims, (), ())
    frame = replace(
        frame,
        chunk_elements=draw(_chunk_elements(frame)),
        gap_width=draw(st.integers(1, 16)),
        width=draw(st.integers(1, 16)),
        notes=draw(_notes()),
        copies=copies,
    )
    if kind in ("affine", "codebook"):
        frame = draw(_with_parameters(frame))
    if kind == "planes" and dtype in FLOATS and positions != "copies" and draw(st.booleans()):
        frame = draw(_with_scales(frame))
        frame = replace(frame, stored_dtype=draw(st.sampled_from(SCALED)))
    mantissa_bits, base = draw(plane_fields(frame.element_dtype))
    frame = replace(frame, mantissa_bits=mantissa_bits, base=base)
    return draw(_with_elements(frame))


@st.composite
def _notes(draw: st.DrawFn) -> list[tuple[int, bytes]] | None:
    """Any ids that ascend; those that the format describes have their length."""
    if draw(st.integers(0, 3)) > 0:
        return None
    numbers = sorted(draw(st.sets(st.integers(0, 200), max_size=3)))
    lengths = {1: 4, 2: 32}
    return [
        (number, draw(st.binary(max_size=9)).ljust(32)[: lengths.get(number, 9)])
        for number in numbers
    ]


@st.composite
def plane_fields(draw: st.DrawFn, dtype: str) -> tuple[int, int]:
    """Mantissa bits and base exponent of floats in planes."""
    bits = EXPONENT_BITS.get(dtype, 8)
    return draw(st.integers(max(8 - bits, 0), 4)), draw(st.integers(0, (1 << bits) - 1))


@st.composite
def _chunk_elements(draw: st.DrawFn, frame: Frame) -> int | None:
    rows = frame.row_length if frame.positions == "csr" and frame.row_length else 1
    if draw(st.booleans()):
        return None
    minimum = -(-SMALLEST_CHUNK // rows)
    return rows * draw(st.integers(minimum, minimum + 300 // rows))


@st.composite
def floats(
    draw: st.DrawFn,
    dtypes: Sequence[str],
    count: int,
    inner: int,
    entries: int = 1,
    most_coded: int = 256,
) -> Floats:
    """Parameters of a group each, stored in any way that holds them."""
    dtype = draw(st.sampled_from(dtypes))
    data = draw(element_bytes(dtype, count * entries))
    size = ITEM_SIZES[dtype]
    if draw(st.booleans()):
        data = _ascending(data, size, entries)
    mode = "verbatim"
    if count * entries <= most_coded:
        mode = draw(st.sampled_from(MODES))
    return Floats(dtype, data, count, inner, entries, mode, *draw(plane_fields(dtype)))


def _ascending(data: bytes, size: int, entries: int) -> bytes:
    """Each row of `entries` values in the order of numbers."""
    values = [data[at : at + size] for at in range(0, len(data), size)]
    rows = [values[first : first + entries] for first in range(0, len(values), entries)]
    for row in rows:
        row.sort(key=lambda value: key_of(int.from_bytes(value, "little"), size))
    return b"".join(b"".join(row) for row in rows)


@st.composite
def _groups(draw: st.DrawFn, frame: Frame) -> tuple[int, int]:
    """Count and inner: one for a tensor, an axis, blocks, or anything."""
    axis = draw(st.integers(0, max(len(frame.dims) - 1, 0)))
    inner = int(np.prod(frame.dims[axis + 1 :])) or 1
    choices = [(1, 1), (draw(st.integers(1, 9)), draw(st.integers(1, 40)))]
    if frame.dims and frame.dims[axis]:
        choices.append((frame.dims[axis], inner))
    choices.append((1, 2**56 - 1))
    if frame.positions == "copies":  # only elements that share everything are copied
        choices = [(count, inner) for count, inner in choices if count == 1]
    return draw(st.sampled_from(choices))


@st.composite
def _of_lengths(draw: st.DrawFn, frame: Frame, parameters: Floats) -> Floats:
    """The same, or with groups of lengths of their own."""
    count = parameters.count
    if not 2 <= count <= frame.size or parameters.mode == "permuted" or draw(st.booleans()):
        return parameters
    random = np.random.default_rng(draw(seeds))
    ends = np.sort(random.choice(np.arange(1, frame.size), count - 1, replace=False))
    lengths = np.diff(ends, prepend=0, append=frame.size)
    return replace(parameters, lengths=tuple(int(length) for length in lengths))


@st.composite
def _with_scales(draw: st.DrawFn, frame: Frame) -> Frame:
    count, inner = draw(_groups(frame))
    dtypes = ["f32", "f16", "bf16", "f8e4m3", "e8m0"]
    scales = draw(floats(dtypes, count, inner, 1, max(frame.size, 256)))
    second = draw(element_bytes("f32", draw(st.integers(0, 1))))
    return replace(frame, scales=draw(_of_lengths(frame, scales)), second_scale=second)


@st.composite
def _with_parameters(draw: st.DrawFn, frame: Frame) -> Frame:
    most_coded = max(frame.size, 256)
    if frame.kind == "codebook":
        entries = draw(st.sampled_from([1, 2, 3, 4, 5, 16, 17, 255, 256]))
        count, inner = draw(_groups(frame))
        inner, dtypes = inner if count > 1 else 1, ["f32", "f16", "bf16"]
        book = draw(_of_lengths(frame, draw(floats(dtypes, count, inner, entries, most_coded))))
        frame = replace(frame, codebook=book, width=max((entries - 1).bit_length(), 1))
    if draw(st.booleans()):
        frame = draw(_with_scales(frame))
    if frame.kind == "affine":
        zeros = st.integers(0, 2**16 - 1)
        frame = replace(frame, zero_point=draw(zeros))
        if frame.scales is not None and draw(st.booleans()):
            random = np.random.default_rng(draw(seeds))
            may_be_coded = frame.scales.count <= most_coded
            mode = draw(st.sampled_from(MODES)) if may_be_coded else "verbatim"
            points = random.integers(0, 1 << draw(st.sampled_from([4, 16])), frame.scales.count)
            points = [int(point) for point in points]
            frame = replace(frame, zero_point=points, zero_points_mode=mode)
    return frame


@st.composite
def _with_elements(draw: st.DrawFn, frame: Frame) -> Frame:
    if frame.kind == "delta":
        return draw(_with_base(frame))
    random = np.random.default_rng(draw(seeds))
    density = draw(st.sampled_from([0.0, 0.02, 0.3, 0.9, 1.0]))
    present = random.random(frame.size) < density
    if frame.positions in FULL_POSITIONS:
        present[:] = True
    stored = _within_reach(frame, [int(index) for index in np.flatnonzero(present)])
    size = ITEM_SIZES[frame.element_dtype]
    if frame.kind in ELEMENT_KINDS:
        data = draw(element_bytes(frame.element_dtype, len(stored)))
        elements = [data[at : at + size] for at in range(0, len(data), size)]
        if elements and draw(st.booleans()):
            elements = [elements[0]] * len(elements)
        elif elements and frame.dtype != "bool" and draw(st.booleans()):
            bits = BITS.get(frame.dtype, 8 * size)
            elements = _repeating(elements, draw(st.integers(1, 9)), bits)
        return replace(frame, stored=stored, elements=elements)
    limit = frame.codebook.entries if frame.codebook else 1 << frame.width
    codes = random.integers(0, draw(st.integers(1, limit)), len(stored))
    return replace(frame, stored=stored, elements=[int(code) for code in codes])


def _repeating(elements: list[bytes], period: int, bits: int) -> list[bytes]:
    """The first few elements again and again, every other time backward and in steps of one."""
    pattern, repeated = elements[:period], list[bytes]()
    for number in range(-(-len(elements) // period)):
        again = pattern[::-1] if number % 2 else pattern
        words = [int.from_bytes(element, "little") + number // 2 for element in again]
        repeated += [
            (w % (1 << bits)).to_bytes(len(e), "little") for w, e in zip(words, again, strict=True)
        ]
    return repeated[: len(elements)]


@st.composite
def _with_base(draw: st.DrawFn, frame: Frame) -> Frame:
    """Any base, and elements some of which are near to it, in units of the last place."""
    size, count = ITEM_SIZES[frame.dtype], frame.size
    base = draw(element_bytes(frame.dtype, count))
    other = draw(element_bytes(frame.dtype, count))
    random = np.random.default_rng(draw(seeds))
    carrier = np.dtype(_BITS[size]).newbyteorder("<")
    reach = draw(st.sampled_from([1, 2, 200, 1 << 8 * size - 3]))
    near = np.frombuffer(base, carrier) + random.integers(0, reach, count).astype(carrier)
    is_near = random.random(count) < draw(st.sampled_from([0.0, 0.9, 1.0]))
    data = np.where(is_near, near, np.frombuffer(other, carrier)).astype(carrier).tobytes()
    step = draw(st.integers(0, 300) | st.sampled_from([0, 1, 150, 1060, 4095]))
    sides = draw(st.sampled_from([(1, 1), (3, 3), (1, 4), (7, 1), (255, 255), (5, 2)]))
    stored: Sequence[int] = range(count)
    if frame.positions != "dense":
        chosen = np.flatnonzero(random.random(count) < draw(st.sampled_from([0.0, 0.1, 1.0])))
        stored, sides = _within_reach(frame, [int(index) for index in chosen]), (1, 1)
    elements = [data[at * size : (at + 1) * size] for at in stored]
    return replace(frame, stored=stored, elements=elements, delta=Delta(base, step, sides))


def _within_reach(frame: Frame, stored: list[int]) -> list[int]:
    """With fillers where a gap would be wider than its symbols."""
    if frame.positions not in ("gaps", "csr"):
        return stored
    span = frame.row_length if frame.positions == "csr" else frame.chunk_elements or frame.size
    reached: list[int] = []
    before = -1
    for index in stored:
        before = max(before, index - index % span - 1)
        while index - before > 1 << frame.gap_width:
            before += 1 << frame.gap_width
            reached.append(before)
        reached.append(index)
        before = index
    return reached


@st.composite
def valid_frames(draw: st.DrawFn) -> bytes:
    """The bytes of any legal frame, each of its streams in any coding."""
    return write_frame(draw(frames()), draw(coders()))


# ---- damage ----


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """One to three bytes changed, inserted or removed."""
    spoilt = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(spoilt)))
        match draw(st.sampled_from(["flip", "set", "insert", "remove"])):
            case "flip" if at < len(spoilt):
                spoilt[at] ^= 1 << draw(st.integers(0, 7))
            case "set" if at < len(spoilt):
                spoilt[at] = draw(st.sampled_from([0, 1, 2, 3, 15, 16, 127, 128, 255]))
            case "insert":
                spoilt.insert(at, draw(st.integers(0, 255)))
            case "remove":
                del spoilt[at : at + draw(st.integers(1, 4))]
    return bytes(spoilt)


@st.composite
def corrupted_frames(draw: st.DrawFn) -> bytes:
    """A legal frame with a part spoilt, and lengths and CRCs that fit the spoilt bytes."""
    parts = write_parts(draw(frames()), draw(coders()))
    return assemble(draw(spoilt_parts(parts)))


@st.composite
def spoilt_parts(draw: st.DrawFn, parts: Parts) -> Parts:
    """One part damaged; the chunks oftenest, as the most rules are about them."""
    others = ["parameters"] * 2 + ["fields", "chunk elements", "notes"]
    where = draw(st.sampled_from(["chunk"] * 4 + others))
    if where == "notes" and parts.notes:
        return replace(parts, notes=draw(damaged(parts.notes)))
    if where == "fields":
        return replace(parts, fields=draw(damaged(parts.fields)))
    if where == "parameters":
        return replace(parts, parameters=draw(damaged(parts.parameters)))
    if where == "chunk elements" and parts.chunk_elements is not None:
        return replace(parts, chunk_elements=draw(damaged(parts.chunk_elements)))
    if not parts.chunks:
        return parts
    at = draw(st.integers(0, len(parts.chunks) - 1))
    chunks = list(parts.chunks)
    chunks[at] = draw(damaged(chunks[at]))
    return replace(parts, chunks=tuple(chunks))
