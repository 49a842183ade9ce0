"""Errors are one short line of printable text, whatever a file contains."""

import json

import numpy as np
import pytest

import qcodec
from qcodec._base.messages import MAX_MESSAGE
from qcodec._file.container import Ordinary, safetensors_parts
from qcodec._file.pack import PackItem, write_pack
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.cli import main
from qcodec.dtypes import BY_NAME
from qcodec.files import safe_open
from qcodec.interop import dcnet

#: Names that fit into a header's entry or a pack's table, and would not into a line.
HOSTILE = {
    "long": "x" * 1000,
    "a terminal's control": "\x1b[2J\x1b]0;owned\x07" * 50,
    "lines": "weight\nqcodec: all valid\r" * 30,
    "right to left": "\u202e\u2066" * 150,
    "beyond the plane": "\U000e0001" * 250,
    "short control": "\x9b31m",
    "quotes": "'\"" * 400,
}
LONGEST = 4000  # of names that only a header has
U8 = {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}


def file_of(entries, data=b"\1"):
    header = json.dumps(entries, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return len(header).to_bytes(8, "little") + header + data


def twice(entry):
    return file_of({"A": entry, "B": entry}).replace(b'"B"', b'"A"')


def read(data):
    return TensorFile(BytesSource(data))


def pack_of(*items):
    return b"".join(write_pack(items))


def frame_under(name):
    """A frame that is cut, in a pack under this name."""
    frame = qcodec.encode(np.arange(99))[:-1]
    return pack_of(PackItem(name, "frame", frame))


def named_twice(name):
    """Once in the header, once in the pack."""
    pack = pack_of(PackItem(name, "frame", b"frame"))
    entries = {name: U8, "qcodec.pack": {**U8, "shape": [len(pack)]}}
    entries["qcodec.pack"]["data_offsets"] = [1, 1 + len(pack)]
    return file_of(entries, b"\1" + pack)


def base_named(name):
    """A file of a delta, in whose metadata the base has this name."""
    base = np.random.default_rng(0).standard_normal(100, np.float32)
    frame = qcodec.encode(base * 1.001, qcodec.Delta(base))
    entry = {"dtype": "U8", "shape": [len(frame)], "data_offsets": [0, len(frame)]}
    return file_of({"__metadata__": {"qcodec.base": name}, "w.qcodec": entry}, frame)


#: Files whose names are in the errors.
FILES = {
    "two of a name": lambda t: file_of({t: U8, "?": U8}).replace(b'"?"', json.dumps(t).encode()),
    "name in header and pack": named_twice,
    "fields": lambda t: file_of({t: {}}),
    "no entry": lambda t: file_of({t: [1]}),
    "field of that name": lambda t: file_of({"a": {**U8, t: 1}}),
    "shape": lambda t: file_of({t: {**U8, "shape": [-1]}}),
    "size": lambda t: file_of({t: {**U8, "shape": [2]}}),
    "size, many dims": lambda t: file_of({t: {**U8, "shape": [2] * 40}}),
    "overflow": lambda t: file_of({t: {**U8, "shape": [1 << 63, 1 << 63]}}),
    "dtype": lambda t: file_of({t: {**U8, "dtype": "U9!"}}),
    "dtype of that name": lambda t: file_of({"a": {**U8, "dtype": t}}),
    "hole": lambda t: file_of({t: {**U8, "data_offsets": [1, 2]}}),
    "dims": lambda t: file_of({t: {**U8, "shape": [1] * 99}}),
    "empty": lambda t: file_of({t: {**U8, "shape": [0, 1 << 60], "data_offsets": [0, 0]}}, b""),
    "not decoded": lambda t: file_of({t: {**U8, "dtype": "C9", "data_offsets": [0, 8]}}, bytes(8)),
    "type of the future": lambda t: file_of({t: {**U8, "dtype": "X" * 32}}),
    "bool": lambda t: file_of({t: {**U8, "dtype": "BOOL"}}, b"\2"),
    "frame": frame_under,
    "frame in the header": lambda t: file_of({t + ".qcodec": U8}),
    "base": base_named,
    "metadata": lambda t: file_of({"__metadata__": {t: 1}}),
    "metadata twice": lambda t: file_of({"__metadata__": {t: "", "?": ""}}).replace(
        b'"?"', json.dumps(t).encode()
    ),
}


def fits(text):
    return len(text) <= MAX_MESSAGE and text.isprintable()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", FILES)
def test_errors_of_files_are_one_short_line(kind, text, tmp_path, capsys):
    data = FILES[kind](HOSTILE[text])
    with pytest.raises(qcodec.QCodecError) as caught:
        qcodec.load(data)
    assert fits(str(caught.value))
    path = tmp_path / "net.qc.safetensors"
    path.write_bytes(data)
    for command in ("verify", "decode", "encode", "inspect"):
        out = [str(tmp_path / "out.npz")] if command == "decode" else []
        out = [str(tmp_path / "out.safetensors")] if command == "encode" else out
        status = main([command, str(path), *out])
        printed = capsys.readouterr()
        lines = printed.err.splitlines()
        assert len(lines) == (status if command != "verify" else len(lines))
        assert all(map(fits, lines))
        assert all(map(fits, printed.out.splitlines()))
        assert (status, command) != (0, "decode")


@pytest.mark.parametrize("text", HOSTILE)
def test_other_errors_that_name_tensors_are_one_short_line(text, tmp_path):
    name = HOSTILE[text]
    file = read(file_of({name: U8}))
    layer = dcnet.Layer(name, (2, 2), 4)

    doors = {
        "no such tensor": lambda: file.get_tensor(name * 2),
        "not encoded": lambda: file.encoded(name),
        "saving": lambda: qcodec.save({name: np.array(["text"])}),
        "rule for another name": lambda: qcodec.save({name: np.zeros(1)}, recipe={"other": None}),
        "name that is too long": lambda: qcodec.save({name * 999: np.zeros(1)}),
        "name that is no text": lambda: qcodec.save({f"{name}\ud800": np.zeros(1)}),
        "reserved": lambda: safetensors_parts(
            {name + ".qcodec": Ordinary(np.zeros(1, "u1"), BY_NAME["uint8"])}
        ),
        "layer": lambda: dcnet.read(bytes(3), [layer]),
        "layer too short": lambda: dcnet.read(b"\1\0\0\0" + bytes(9), [layer]),
        "layer twice": lambda: dcnet.read(dcnet_of(layer) * 2, [layer, layer]),
        "layer without weights": lambda: dcnet.Layer(name, (0,) * 99, 4),
        "layer of 5 bits": lambda: dcnet.Layer(name, (2, 2), 5),
    }
    for door, call in doors.items():
        with pytest.raises((qcodec.QCodecError, TypeError, ValueError)) as caught:
            call()
        assert fits(str(caught.value)), door


def dcnet_of(layer):
    return b"\1\0\0\0" + bytes(4 * 16 + 4 * 2 + 1 + 1)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_model_that_a_file_does_not_fit_is_told_so_in_one_short_line(text, tmp_path):
    torch = pytest.importorskip("torch")
    from qcodec.torch import load

    names = {f"{HOSTILE[text]}{number}": np.zeros(1) for number in range(1000)}
    qcodec.save_file(names, tmp_path / "net.qcodec")
    with pytest.raises(ValueError, match="and 997 more") as caught:
        load(torch.nn.Linear(1, 1), tmp_path / "net.qcodec")
    assert fits(str(caught.value))


def test_a_name_of_megabytes_takes_no_time_and_no_line(tmp_path):
    for error in (qcodec.CorruptError("x" * 90_000_000), qcodec.LimitError("\n" * 90_000_000)):
        assert fits(str(error))
    path = tmp_path / "net.safetensors"
    path.write_bytes(file_of({"x" * LONGEST: {**U8, "dtype": "C9"}}))
    with pytest.raises(qcodec.QCodecError) as caught:
        safe_open(path).get_tensor("x" * LONGEST)
    assert fits(str(caught.value))


def test_names_in_tables_are_short_and_in_json_whole(tmp_path, capsys):
    path = tmp_path / "net.qc.safetensors"
    name = "x" * 900 + "\x1b"
    frame = qcodec.encode(np.arange(99))
    items = PackItem(name, "frame", frame), PackItem(name + "2", "same", target=name)
    path.write_bytes(pack_of(*items))
    assert main(["inspect", str(path)]) == 0
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert max(map(len, printed.splitlines())) < 400
    assert "\x1b" not in printed
    assert main(["inspect", "--json", str(path)]) == 0
    tensors = json.loads(capsys.readouterr().out)["tensors"]
    assert [tensor["name"] for tensor in tensors] == [name, name + "2"]
