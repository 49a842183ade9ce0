"""The worked examples of docs/format.md decode to the values given below them."""

import math
import re
from dataclasses import dataclass

import pytest

from qcodec.files import load
from reference import decode, decode_entry, read_pack, read_safetensors
from reference.__main__ import values_of
from reference.coded_floats import MODES
from reference.codings import CODINGS, CONTEXTS
from reference.conventions import Reader
from reference.head import read_head
from tests.format.agreement import by_library, by_reference, streams_in
from tests.repository import ROOT
from tests.writers.frame_writer import KINDS, POSITIONS, base_of, remember_base

DOCUMENT = ROOT / "docs" / "format.md"
BYTES = re.compile(r"((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: x (\d+))?(?: {3}|$)")
VALUES = re.compile(r"= (?:(\w+): )?(\w+) \[([\d, ]*)\]: (.*)")


@dataclass
class Example:
    """Its text, its bytes, and the lines under them: name (of a pack), dtype, dims, values."""

    title: str
    text: str
    data: bytes
    expected: list[tuple[str, str, tuple[int, ...], list[str]]]


def repeated(words):
    """Without `x N`, which says that the word before occurs N times."""
    found = []
    for before, word in zip([None, *words[:-1]], words, strict=True):
        if before == "x":
            found += [found.pop()] * int(word)
        elif word != "x":
            found.append(word)
    return found


def read_example(title, text):
    data, expected = b"", []
    for line in text.splitlines():
        if values := VALUES.fullmatch(line):
            name, dtype, dims, numbers = values.groups()
            shape = tuple(int(dim) for dim in dims.split(", ") if dim)
            expected.append((name, dtype, shape, repeated(numbers.split())))
        elif line.startswith("base "):
            part, times = BYTES.match(line[5:]).groups()
            remember_base(bytes.fromhex(part) * int(times or 1))
        else:
            part, times = BYTES.match(line).groups()
            data += bytes.fromhex(part) * int(times or 1)
    return Example(title, text, data, expected)


def read_examples():
    text = DOCUMENT.read_text(encoding="utf-8")
    blocks = re.findall(r"\*\*([^\n*]+)\*\*(?:(?!\*\*).)*?```example\n(.*?)```", text, re.DOTALL)
    return [read_example(title, block) for title, block in blocks]


EXAMPLES = read_examples()
FRAMES = [example for example in EXAMPLES if example.data[:2] == b"QC"]


def same(value, text):
    if isinstance(value, bool):
        return text == str(value)
    return value == float(text) and math.copysign(1, value) == math.copysign(1, float(text))


def tensors_of(data):
    if data[:2] == b"QC":
        return {None: decode(data, base=base_of(data))}
    if data[:2] != b"QP":
        return read_safetensors(data)
    entries = read_pack(data)
    return {name: decode_entry(entries, name) for name in entries}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_reference_gives_the_stated_values(example):
    tensors = tensors_of(example.data)
    assert list(tensors) == [name for name, *_ in example.expected]
    for (_, dtype, shape, values), tensor in zip(example.expected, tensors.values(), strict=True):
        assert (tensor.dtype, tensor.shape) == (dtype, shape)
        assert len(values_of(tensor)) == len(values)
        assert all(map(same, values_of(tensor), values))


@pytest.mark.parametrize("example", FRAMES, ids=lambda example: example.title)
def test_qcodec_gives_the_same_bytes(example):
    outcome = by_reference(example.data)
    assert not isinstance(outcome, str)
    assert by_library(example.data) == outcome


def test_qcodec_reads_the_safetensors_file():
    example = EXAMPLES[-1]
    found = load(example.data)
    assert list(found) == [name for name, *_ in example.expected]
    for name, _, shape, values in example.expected:
        assert (found[name].shape, [str(value) for value in found[name]]) == (shape, values)


def test_every_block_of_examples_is_read():
    assert len(EXAMPLES) == DOCUMENT.read_text(encoding="utf-8").count("```example")


def test_every_kind_and_positions_form_has_an_example():
    heads = [read_head(Reader(example.data, length_is_known=False)) for example in FRAMES]
    assert {head.kind for head in heads} == set(range(len(KINDS)))
    assert {head.positions for head in heads} == set(range(len(POSITIONS)))


def test_every_way_to_store_parameters_has_an_example():
    text = " ".join(example.text for example in FRAMES)
    assert all(f"mode {number}: {name}\n" in text for number, name in enumerate(MODES))
    assert re.search("zero points: mode [123]", text)


def test_every_coding_and_model_has_an_example():
    streams = [stream for example in FRAMES for stream in streams_in(example.data)]
    assert {stream.coding for stream in streams} == set(range(len(CODINGS)))
    assert {stream.body[0] for stream in streams if stream.coding == CONTEXTS} == set(range(4))
