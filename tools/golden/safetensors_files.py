"""Golden safetensors files (section 9): that are read, and that break a rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from golden.damage import BYTES
from golden.valid import f32
from tests.writers.frame_writer import Frame, write_frame, write_pack

#: An entry of a safetensors file: its name, dtype, shape and bytes.
Entry = tuple[str, str, Sequence[int], bytes]
#: A tensor that a file holds: its dtype, shape and bytes.
Held = tuple[str, Sequence[int], bytes]

_FLOATS = f32(0.5, -2, 3)
_FRAME = write_frame(BYTES)
_HELD_BYTES = ("u8", (3,), b"\7\x08\x09")
_SCALAR = write_frame(Frame("f32", "bytes", "dense", (), [0], [f32(1.5)]))


def safetensors_file(entries: Sequence[Entry], metadata: dict[str, str] | None = None) -> bytes:
    """The entries one after the other, behind a header padded to 8 bytes."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, dtype, shape, data in entries:
        offsets = [at, at + len(data)]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": offsets}
        at += len(data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(data for *_, data in entries)


def _frame(name: str, frame: bytes) -> Entry:
    return name, "U8", [len(frame)], frame


def _pack(entries: list[Any]) -> Entry:
    return _frame("qcodec.pack", write_pack(entries))


def valid_safetensors() -> Iterator[tuple[str, bytes, dict[str, Held]]]:
    """Files, and the tensors that they hold."""
    ordinary = ("bias", "F32", [3], _FLOATS)
    held = {"bias": ("f32", (3,), _FLOATS)}
    yield "ordinary", safetensors_file([ordinary]), held
    yield "empty", safetensors_file([]), {}
    frame = _frame("weight.qcodec", _FRAME)
    yield "frame", safetensors_file([frame, ordinary]), held | {"weight": _HELD_BYTES}
    packed = _pack([(b"scale", _SCALAR), (b"again", ("same", b"weight"))])
    names = {"scale": ("f32", (), f32(1.5)), "again": _HELD_BYTES, "weight": _HELD_BYTES}
    yield "frame_and_pack", safetensors_file([packed, frame, ordinary]), held | names
    converted = _pack([(b"half", ("converted", "f16", b"bias"))])
    half = {"half": ("f16", (3,), bytes.fromhex("0038 00c0 0042"))}
    yield "converted_from_an_ordinary_tensor", safetensors_file([converted, ordinary]), held | half
    attached = _pack([(b"tokenizer.json", ("attached", _FRAME))])
    yield "attached", safetensors_file([attached, ordinary]), held
    based = safetensors_file([frame], {"qcodec.base": "before.qc.safetensors", "format": "pt"})
    yield "metadata", based, {"weight": _HELD_BYTES}
    text = ("notes.qcodec", "I8", [3], b"\7\x08\x09")
    flat = ("rows.qcodec", "U8", [3, 1], b"\7\x08\x09")
    yield (
        "ordinary_tensors_with_the_suffix",
        safetensors_file([text, flat]),
        {"notes.qcodec": ("i8", (3,), text[3]), "rows.qcodec": ("u8", (3, 1), flat[3])},
    )
    # Elements that share bytes: 1 to 4 in nibbles, then 1 to 4 in six bits each.
    nibbles = ("fours", "F4", [2, 2], b"\x21\x43")
    sixes = ("sixes", "F6_E2M3", [4], b"\x81\x30\x10")
    small = {"fours": ("f4", (2, 2), b"\1\2\3\4"), "sixes": ("f6e2m3", (4,), b"\1\2\3\4")}
    yield "elements_of_4_and_6_bits", safetensors_file([nibbles, sixes]), small
    name = "\N{GREEK SMALL LETTER OMEGA}"
    yield (
        "name_of_two_bytes",
        safetensors_file([_frame(f"{name}.qcodec", _FRAME)]),
        {name: _HELD_BYTES},
    )


def broken_safetensors() -> Iterator[tuple[str, bytes, str]]:
    """Files, and the error of each."""
    frame, ordinary = _frame("weight.qcodec", _FRAME), ("weight", "F32", [3], _FLOATS)
    packed = _pack([(b"weight", _SCALAR)])
    spoilt = _FRAME[:-1] + bytes([_FRAME[-1] ^ 1])
    for name, entries, error in (
        ("frame_that_is_none", [_frame("weight.qcodec", b"\0" * 9)], "corrupt"),
        ("frame_cut", [_frame("weight.qcodec", _FRAME[:-1])], "truncated"),
        ("frame_longer", [_frame("weight.qcodec", _FRAME + b"\0")], "corrupt"),
        ("frame_spoilt", [_frame("weight.qcodec", spoilt)], "checksum"),
        ("pack_that_is_none", [_frame("qcodec.pack", b"\0" * 9)], "corrupt"),
        ("pack_that_is_a_frame", [_frame("qcodec.pack", _FRAME)], "corrupt"),
        ("frame_and_ordinary_tensor_of_one_name", [frame, ordinary], "corrupt"),
        ("frame_and_pack_of_one_name", [packed, frame], "corrupt"),
        (
            "pack_and_ordinary_tensor_of_one_name",
            [packed, ordinary],
            "corrupt",
        ),
        ("same_as_no_tensor", [_pack([(b"a", ("same", b"b"))]), ordinary], "corrupt"),
    ):
        yield name, safetensors_file(entries), error
    whole = safetensors_file([frame])
    yield "cut", whole[:-1], "truncated"
    yield "longer", whole + b"\0", "corrupt"
    yield "header_cut", whole[:20], "truncated"
    yield "header_that_is_no_json", whole[:8] + b"[" + whole[9:], "corrupt"
    two = safetensors_file([("a", "U8", [12], bytes(12)), ("b", "F32", [3], bytes(12))])
    for name, before, after, more in (
        ("hole", b"[12,24]", b"[13,25]", b"\0"),
        ("overlap", b"[12,24]", b"[11,23]", b""),
        ("bytes_of_another_shape", b"[3]", b"[4]", b""),
        ("bytes_of_another_type", b"F32", b"F16", b""),
        ("entry_without_a_shape", b"shape", b"shade", b""),
    ):
        assert before in two
        yield name, two.replace(before, after) + more, "corrupt"
    once = b'"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}'
    text = b"{" + once + b"," + once + b"}"
    yield "key_twice", len(text).to_bytes(8, "little") + text + b"abc", "corrupt"
