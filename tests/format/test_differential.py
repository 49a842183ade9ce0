"""The C decoder and the reference agree: the same values, or both refuse.

QCODEC_EXAMPLES=100000 makes a long run.
"""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qcodec._frame.encoded import Encoded
from qcodec.dtypes import BY_ID
from reference.conventions import Reader
from reference.head import read_head
from tests.format.agreement import assert_agreement, by_reference, with_base
from tests.writers.copies_writer import Copies
from tests.writers.delta_writer import Delta
from tests.writers.frame_writer import (
    DELTA_POSITIONS,
    DTYPES,
    ELEMENT_KINDS,
    FLOATS,
    FULL_POSITIONS,
    ITEM_SIZES,
    POSITIONS,
    SCALED,
    Floats,
    Frame,
    write_frame,
)
from tests.writers.strategies import corrupted_frames, damaged, frames, valid_frames
from tests.writers.stream_writer import CODING_IDS, legal_codings, write_stream

output_types = st.sampled_from(FLOATS)

# ---- every row of the tables, whatever Hypothesis chooses ----

SHAPE = (9, 60)
SIZE = 540
ENTRIES = 5


def stored_elements(random, positions):
    if positions in FULL_POSITIONS:
        return list(range(SIZE))
    # No gap is beyond the gap width, so that no filler is needed.
    return [int(index) for index in np.flatnonzero(random.random(SIZE) < 0.4)]


def sample_frame(kind, positions, dtype, scaled=False, chunked=False):
    """A frame that has something of everything that this row of the tables can have."""
    random = np.random.default_rng(ITEM_SIZES[dtype])
    stored = stored_elements(random, positions)
    # Only elements that share their groups are copied.
    groups = 1 if positions == "copies" else None
    frame = {
        "gap_width": 7,
        "copies": Copies(7, 1, 0.7),
        "chunk_elements": 300 if chunked else None,
    }
    if kind == "planes" and scaled:
        frame["stored_dtype"] = SCALED[ITEM_SIZES[dtype] % 8 // 4]
    if kind in ELEMENT_KINDS:
        size = ITEM_SIZES[frame.get("stored_dtype", dtype)]
        # Few different bytes, so that the shortest codes of every coding occur.
        elements = [bytes(random.integers(0, 2, size, np.uint8)) for _ in stored]
    else:
        elements = [int(code) for code in random.integers(0, ENTRIES, len(stored))]
        frame["width"] = 3
    if kind == "delta":
        # Those of the other kinds, of which some differ little and some much.
        base = [bytes(random.integers(0, 2, size, np.uint8)) for _ in range(SIZE)]
        sides = (3, 2) if chunked and positions == "dense" else (1, 1)
        frame["delta"] = Delta(b"".join(base), 5 if scaled else 130, sides)
    if kind == "codebook":
        books = groups or 2
        data = random.standard_normal(books * ENTRIES).astype("<f4").tobytes()
        frame["codebook"] = Floats("f32", data, books, inner=7, entries=ENTRIES)
    if scaled and kind != "delta":
        count = groups or 3
        scales = random.standard_normal(count).astype("<f4").tobytes()
        frame["scales"] = Floats("f32", scales, count, inner=120)
        frame["zero_point"] = [0, 3, 65535][:count] if kind == "affine" else 0
    return Frame(dtype, kind, positions, SHAPE, stored, elements, **frame)


def prefer(coding):
    """A coder that takes this coding wherever it can hold the symbols."""

    def code(symbols, width):
        return write_stream(
            symbols, width, coding if coding in legal_codings(symbols, width) else "bitpacked"
        )

    return code


ROWS = [(kind, dtype, False) for kind in ("bytes", "planes") for dtype in DTYPES]
ROWS += list(itertools.product(("affine", "codebook", "delta"), FLOATS, (False, True)))
ROWS += [("planes", dtype, True) for dtype in FLOATS]


def exists(kind, positions, scaled):
    """Whether the format has the combination."""
    if kind == "planes" and scaled:
        return positions != "copies"
    return kind != "delta" or positions in DELTA_POSITIONS


@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("coding", CODING_IDS)
@pytest.mark.parametrize("positions", POSITIONS)
def test_every_row_of_the_tables_decodes_to_the_same_values(positions, coding, chunked):
    for kind, dtype, scaled in ROWS:
        if not exists(kind, positions, scaled):
            continue
        frame = write_frame(sample_frame(kind, positions, dtype, scaled, chunked), prefer(coding))
        assert not isinstance(assert_agreement(frame), str)


@pytest.mark.parametrize("target", FLOATS)
def test_every_float_type_is_given_in_every_output_type(target):
    for kind, dtype, scaled in ROWS:
        if BY_ID[DTYPES.index(dtype)].is_float:
            positions = "mask" if exists(kind, "mask", scaled) else "dense"
            frame = write_frame(sample_frame(kind, positions, dtype, scaled))
            assert not isinstance(assert_agreement(frame, target), str)


@pytest.mark.parametrize("chunk_elements", [None, 257])
@pytest.mark.parametrize("dims", [(0, 0), (3, 0), (0, 5), (0,)])
def test_csr_rows_without_elements_are_not_divided_by(dims, chunk_elements):
    chunk = 5 * chunk_elements if chunk_elements and dims == (0, 5) else chunk_elements
    data = write_frame(Frame("f32", "bytes", "csr", dims, [], [], chunk_elements=chunk))
    assert assert_agreement(data) == (dims, b"")
    assert Encoded(data)[:].shape == dims


# ---- any frame ----


@given(valid_frames(), st.none() | output_types)
def test_valid_frames_decode_to_the_same_values(data, dtype):
    if read_head(Reader(data, length_is_known=False)).dtype not in FLOATS:
        dtype = None
    assert not isinstance(assert_agreement(data, dtype), str)


#: Sub-streams of too many symbols, before one in a coding that is not known.
TOO_MANY_SYMBOLS = bytes.fromhex(
    "514300094f0023020606651801000009000000dccca65809000000f5e031fd330000009d3492aec0"
    "e80cb00201030020800101000701032d60800101000906300103024202030111400308017776bde9"
    "2896800802030111240502030111980502030111501140040302015c01020000"
)


@example(TOO_MANY_SYMBOLS)
@given(corrupted_frames())
def test_damage_behind_the_checksums_has_the_same_outcome(data):
    assert_agreement(data)


@given(valid_frames(), st.data())
def test_damage_anywhere_has_the_same_outcome(data, choice):
    assert_agreement(choice.draw(damaged(data)))


@given(st.binary(max_size=40))
def test_short_garbage_has_the_same_outcome(data):
    assert_agreement(b"QC\0" + data)


@given(frames(), st.data())
def test_a_range_of_elements_is_the_same_part_of_the_whole(frame, choice):
    data = write_frame(frame, prefer(choice.draw(st.sampled_from(sorted(CODING_IDS)))))
    whole = by_reference(data)
    encoded = with_base(data)
    if not frame.dims:
        return
    first = choice.draw(st.integers(0, frame.dims[0]))
    last = choice.draw(st.integers(first, frame.dims[0]))
    row = frame.row_length * ITEM_SIZES[frame.dtype]
    part = encoded[first:last]
    expected = whole[1][first * row : last * row]
    if part.tobytes() != expected:
        dense = np.frombuffer(expected, part.dtype).reshape(part.shape)
        assert np.array_equal(part, dense, equal_nan=True)


@given(frames(), st.data())
def test_codes_and_positions_are_those_that_were_written(frame, choice):
    data = write_frame(frame, prefer(choice.draw(st.sampled_from(sorted(CODING_IDS)))))
    quantized = with_base(data).quantized()
    written = dict(zip(frame.stored, frame.elements, strict=True))
    if frame.delta is not None:  # elements that are not stored are those of the base
        written = dict(enumerate(frame.delta.elements(ITEM_SIZES[frame.dtype]))) | written
    if frame.kind in ELEMENT_KINDS:
        content, size = quantized.codes.tobytes(), ITEM_SIZES[frame.element_dtype]
        codes = [content[at : at + size] for at in range(0, len(content), size)]
    else:
        codes = quantized.codes.tolist()
    positions = range(frame.size) if quantized.positions is None else quantized.positions.tolist()
    found = dict(zip(positions, codes, strict=True))
    assert found.items() <= written.items()
    # Only entries of the one code that fillers have are left out.
    assert len({code for position, code in written.items() if position not in found}) <= 1
