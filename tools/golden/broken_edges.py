"""Frames and packs that are just beyond the edge of a rule; see `valid_edges`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.writers.frame_writer import assemble, write_frame, write_pack, write_parts
from tests.writers.stream_writer import vu

from .damage import AFFINE, BYTES, CSR, SCALES, Broken, with_parameters


def broken_edges() -> Iterator[Broken]:
    """(name, bytes, kind of error) of every frame."""
    rows = replace(CSR, dims=(0, 5), stored=[], elements=[], chunk_elements=260)
    cut = replace(write_parts(rows), chunk_elements=vu(256))
    yield "csr_of_no_rows_that_are_broken", assemble(cut), "corrupt"
    zeros = b"\0\1\0"
    scaled = replace(AFFINE, scales=SCALES)
    permuted = b"\2\0\0\0\1\1\3\6" + zeros + b"\0\1\1"  # one scale, but place 1
    yield "scales_permuted_beyond_those_left", with_parameters(scaled, permuted, 3), "corrupt"
    # One more than elements, all of whose values are the same: all bit lengths are 0.
    many = replace(AFFINE, dims=(257,), stored=range(257), elements=[0] * 257)
    many = replace(many, scales=SCALES)
    coded = b"\2\0\0\0\1" + vu(258) + b"\2\3" + zeros
    yield "scales_of_258_coded", with_parameters(many, coded, 3), "corrupt"


def broken_inputs() -> Iterator[Broken]:
    """The same of every pack: of frames and tables that are inputs of their own."""
    frame = write_frame(BYTES)
    whole = write_pack([(b"a", frame)])
    table, rest = whole[5 : 5 + whole[4]], whole[5 + whole[4] :]
    for name, part, kind in (
        ("ends_early", -1, "truncated"),
        ("of_a_few_bytes", 4 - len(frame), "truncated"),
        ("longer", 1, "corrupt"),
    ):
        changed = (frame + b"\0")[: len(frame) + part]
        yield f"frame_{name}", write_pack([(b"a", changed)]), kind
        yield f"first_part_{name}", write_pack([(b"a", ("first", changed, (2,)))]), kind
        yield f"attached_frame_{name}", write_pack([(b"a", ("attached", changed))]), kind
    for name, content, kind in (
        ("ends_early", table[:-1], "truncated"),
        ("of_a_few_bytes", table[:4], "truncated"),
        ("of_no_bytes", b"", "truncated"),
        ("longer", table + b"\0", "corrupt"),
    ):
        yield f"table_{name}", whole[:4] + vu(len(content)) + content + rest, kind
