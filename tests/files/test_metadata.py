"""Metadata: in the header of a safetensors file, in the JSON note of a pack, read alike."""

import json

import numpy as np
import pytest

import qcodec
import reference
from qcodec._file.json_scanner import MAX_KEY_BYTES
from qcodec._file.pack import PackItem, write_pack
from qcodec._file.tensor_file import TensorFile
from qcodec._frame.notes import Notes
from qcodec._io.source import BytesSource
from qcodec.errors import ChecksumError, LimitError
from qcodec.files import safe_open, save_file
from qcodec.limits import Limits

SUFFIXES = (".qcodec", ".qc.safetensors")
ITEM = PackItem("w", "frame", qcodec.encode(np.arange(9)))
METADATA = {
    "one": {"format": "pt"},
    "letters": {"größe": "\u65e5\u672c \U0001f600", "": ""},
    "escapes": {'"\\\n\0': "\x1b[2J\u2028", "/": "</script>"},
    "many": {str(number): "v" * (number % 7) for number in range(3000)},
    "large": {"config": json.dumps({"layers": list(range(20_000))})},
}


def with_notes(**notes):
    return b"".join(write_pack([ITEM], notes=Notes(**notes)))


def opened(data, limits=None):
    return TensorFile(BytesSource(data), limits=limits or Limits())


@pytest.mark.parametrize("case", METADATA)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_metadata_comes_back(suffix, case, tmp_path):
    path = tmp_path / f"net{suffix}"
    save_file({"w": np.arange(9)}, path, METADATA[case])
    for backend in ("mmap", "pread"):
        with safe_open(path, backend=backend) as file:
            assert list(file.metadata().items()) == list(METADATA[case].items())
            assert file.get_tensor("w").tolist() == list(range(9))


@pytest.mark.parametrize("metadata", [None, {}])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_metadata_takes_no_bytes_and_is_none(suffix, metadata, tmp_path):
    path, other = tmp_path / f"net{suffix}", tmp_path / f"other{suffix}"
    save_file({"w": np.arange(9)}, path, metadata)
    save_file({"w": np.arange(9)}, other)
    assert path.read_bytes() == other.read_bytes()
    with safe_open(path) as file:
        assert file.metadata() is None
        assert file.notes() == Notes()


@pytest.mark.parametrize("case", METADATA)
def test_the_reference_decoder_finds_the_json_of_a_pack(case, tmp_path):
    save_file({"w": np.arange(9)}, tmp_path / "net.qcodec", METADATA[case])
    data = (tmp_path / "net.qcodec").read_bytes()
    note = reference.notes_of(reference.table_of(data))[3]
    assert json.loads(note.decode("utf-8")) == METADATA[case]
    assert list(reference.read_pack(data)) == ["w"]
    with safe_open(tmp_path / "net.qcodec") as file:
        assert file.notes() == Notes(json=note)


#: JSON notes that are no metadata, and that are no JSON.
NO_METADATA = {
    "numbers": b'{"a": "b", "epoch": 3}',
    "an object in it": b'{"a": {"b": "c"}}',
    "a list": b"[1, 2]",
    "text": b'"a"',
    "null": b"null",
    "nothing": b"",
    "no end": b'{"a": "b"',
    "text after the end": b'{"a": "b"} {}',
    "a key twice": b'{"a": "b", "a": "c"}',
    "no UTF-8": b'{"a": "\xff"}',
    "half a character": b'{"a": "\\ud800"}',
    "depth": b'{"a": ' * 100_000,
    "a control character": b'{"a": "\n"}',
}


@pytest.mark.parametrize("case", NO_METADATA)
def test_json_that_is_no_metadata_is_ignored(case):
    with opened(with_notes(json=NO_METADATA[case])) as file:
        assert file.metadata() is None
        assert file.notes().json == NO_METADATA[case]
        assert file.get_tensor("w").tolist() == list(range(9))
        assert file.faults() == {}


def test_spaces_are_no_matter():
    with opened(with_notes(json=b' {\n"a" :\t"b" , "c":"d"}\r\n')) as file:
        assert file.metadata() == {"a": "b", "c": "d"}


def test_other_notes_of_a_pack_are_skipped_and_given_as_they_are():
    notes = Notes(json=b'{"a":"b"}', others={0: bytes(50), 4: b"later", 1 << 50: b""})
    with opened(with_notes(json=notes.json, others=notes.others)) as file:
        assert file.metadata() == {"a": "b"}
        assert file.notes() == notes


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_damaged_metadata_is_an_error(bit):
    data = bytearray(with_notes(json=b'{"author":"Ada"}'))
    data[data.index(b"Ada")] ^= 1 << bit
    with pytest.raises(ChecksumError):
        opened(bytes(data))


# ---- limits ----


def test_metadata_of_a_pack_is_limited_as_a_header_is():
    source = BytesSource(with_notes(json=json.dumps({"a": "v" * 50_000}).encode()))
    limits = Limits(max_header_bytes=50_000)
    with pytest.raises(LimitError, match="max_header_bytes"):
        TensorFile(source, limits=limits)
    assert source.bytes_read < 100  # the size is known before the table is read
    assert opened(with_notes(json=b'{"a":"v"}'), limits).metadata() == {"a": "v"}


@pytest.mark.parametrize(
    ("json", "message"),
    [
        (b"{%s}" % b",".join(b'"%d":""' % i for i in range(200_000)), "entries of metadata"),
        (b'{"%s":""}' % (b"k" * (MAX_KEY_BYTES + 1)), "metadata of the pack: name of 65,537 bytes"),
    ],
)
def test_hostile_metadata_is_refused_before_it_is_built(json, message):
    with pytest.raises(LimitError, match=message):
        opened(with_notes(json=json))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_saving_warns_of_metadata_that_the_default_limits_refuse(suffix, tmp_path):
    path = tmp_path / f"net{suffix}"
    with pytest.warns(qcodec.LimitWarning, match="max_header_bytes"):
        save_file({"w": np.arange(9)}, path, {"a": "v" * (33 << 20)})
    with safe_open(path, limits=Limits.none()) as file:
        assert len(file.metadata()["a"]) == 33 << 20
