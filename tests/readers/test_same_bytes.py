"""Safetensors files come back byte for byte, whatever wrote their header, alone and in folders."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import qcodec
from qcodec._file.header import read_header
from qcodec._io.source import BytesSource
from qcodec.checkpoints import decode_checkpoint, encode_checkpoint
from qcodec.cli import main

RANDOM = np.random.default_rng(0)
#: Types, shapes and bytes, in an order in which the library would not write them.
TENSORS = {
    'é/"b': ("F32", [8, 40], RANDOM.normal(size=320).astype("<f4").tobytes()),
    "flags": ("BOOL", [3], b"\0\1\1"),
    "a": ("BF16", [4, 4], RANDOM.bytes(32)),  # at an odd offset
    "scalar": ("I64", [], RANDOM.bytes(8)),
    "empty": ("F32", [0, 3], b""),
    "complex": ("C64", [2], RANDOM.bytes(16)),
    "last": ("U8", [5], RANDOM.bytes(5)),
}
#: Types of which qcodec decodes elements of less than a byte, or nothing at all.
OTHER_TYPES = {
    "F4": ([2, 4], 4), "F6_E2M3": ([4], 3), "F8_E8M0": ([4], 4), "F8_FUTURE": ([3, 3], 9),
}  # fmt: skip
METADATA = {"format": "pt", "b": "2", "a": "ü"}


def described(tensors):
    """The entries of a header, and the bytes."""
    entries, data = {}, b""
    for name, (dtype, shape, bytes_) in tensors.items():
        offsets = [len(data), len(data) + len(bytes_)]
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        data += bytes_
    return entries, data


def turned(entries):
    return {name: dict(reversed(entry.items())) for name, entry in entries.items()}


def compact(value, **options):
    return json.dumps(value, separators=(",", ":"), **options)


#: Texts of the same header.
FORMS = {
    "compact": compact,
    "UTF-8": lambda entries: compact(entries, ensure_ascii=False),
    "spaces": json.dumps,
    "lines": lambda entries: json.dumps(entries, indent=1) + "\n\n",
    "carriage returns and tabs": lambda entries: json.dumps(entries, indent="\t").replace(
        "\n", "\r\n"
    ),
    "padded to a page": lambda entries: json.dumps(entries).ljust(4096 - 8),
    "padded to 8": lambda entries: compact(entries).ljust(-(-len(compact(entries)) // 8) * 8),
    "names sorted": lambda entries: json.dumps(entries, sort_keys=True),
    "names reversed": lambda entries: json.dumps(dict(reversed(entries.items()))),
    "fields reversed": lambda entries: json.dumps(turned(entries)),
    "slashes escaped": lambda entries: json.dumps(entries).replace("/", "\\/"),
    "letters escaped": lambda entries: json.dumps(entries).replace('"a"', '"\\u0061"'),
    "metadata first": lambda entries: json.dumps({"__metadata__": METADATA, **entries}),
    "metadata last": lambda entries: compact({**entries, "__metadata__": METADATA}),
    "metadata empty": lambda entries: json.dumps({"__metadata__": {}, **entries}),
}


def file_of(form, tensors=TENSORS):
    entries, data = described(tensors)
    text = FORMS[form](entries).encode()
    return len(text).to_bytes(8, "little") + text + data


def written(path, data):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def command(capsys):
    """Run a command that has to succeed."""

    def run(*arguments):
        assert main([str(argument) for argument in arguments]) == 0, capsys.readouterr().err

    return run


@pytest.mark.parametrize("ending", ["qcodec", "qc.safetensors"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_header_comes_back(tmp_path, command, form, ending):
    data = file_of(form)
    path = written(tmp_path / "net.safetensors", data)
    load_file(path)  # which the library takes
    encoded, again = tmp_path / f"net.{ending}", tmp_path / "again.safetensors"
    command("encode", path, encoded)
    command("decode", encoded, again)
    assert again.read_bytes() == data
    other = tmp_path / "net.small.qcodec"
    command("transcode", encoded, other, "--profile", "small")
    command("decode", other, again)
    assert again.read_bytes() == data


@pytest.mark.parametrize("dtype", OTHER_TYPES)
def test_types_that_are_not_decoded_come_back(tmp_path, command, dtype):
    shape, size = OTHER_TYPES[dtype]
    tensors = {"w": TENSORS["a"], "x": (dtype, shape, RANDOM.bytes(size)), "y": TENSORS["last"]}
    data = file_of("spaces", tensors)
    path = written(tmp_path / "net.safetensors", data)
    encoded, again = tmp_path / "net.qc.safetensors", tmp_path / "again.safetensors"
    command("encode", path, encoded, *["--tensor", "^x$=keep"][: 2 * (dtype == "F8_FUTURE")])
    command("decode", encoded, again)
    assert again.read_bytes() == data


def test_of_quantized_weights_all_other_bytes_come_back(tmp_path, command):
    path = written(tmp_path / "net.safetensors", file_of("fields reversed"))
    encoded, again = tmp_path / "net.qc.safetensors", tmp_path / "again.safetensors"
    command("encode", path, encoded, "--tensor", "b$=affine(bits=8)")
    command("decode", encoded, again)
    before, after = path.read_bytes(), again.read_bytes()
    start = read_header(BytesSource(before)).size
    stop = start + len(TENSORS['é/"b'][2])
    assert (after[:start], after[stop:]) == (before[:start], before[stop:])
    assert after[start:stop] != before[start:stop]


# ---- folders ----

INDEX = "model.safetensors.index.json"
CONFIGS = {
    "as transformers writes it": json.dumps({"a": 1, "b": "x"}, indent=2) + "\n",
    "in one line": '{"b":"\\u00fc","a":1e-05}',
    "none": "",
}


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


@pytest.fixture(
    params=["one file", "the library's", "another name", "shards", "shards of other names"]
)
def folder(request, tmp_path):
    """A folder whose files have headers of several forms."""
    path = tmp_path / "net"
    path.mkdir()
    if request.param == "one file":
        written(path / "model.safetensors", file_of("padded to a page"))
        return path
    if request.param in ("the library's", "another name"):
        name = {"the library's": "model"}.get(request.param, "weights")
        arrays = {key: np.arange(40.0) for key in TENSORS}
        metadata = None if name == "model" else {"format": "pt"}  # which loaders ask for
        save_file(arrays, path / f"{name}.safetensors", metadata)
        return path
    names, weight_map = list(TENSORS), {}
    for number, form in enumerate(("metadata last", "fields reversed", "lines")):
        shard = f"model-{number + 1:05}-of-00003.safetensors"
        if request.param == "shards of other names":
            shard = f"parts/{'abc'[number]}.safetensors"
        some = {name: TENSORS[name] for name in names[number::3]}
        written(path / shard, file_of(form, some))
        weight_map |= dict.fromkeys(some, shard)
    index = {"weight_map": weight_map, "metadata": {"total_size": 1344.0, "mine": None}}
    (path / INDEX).write_text(json.dumps(index))
    return path


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("how", [{}, {"keep_split": True}, {"max_shard_bytes": 100}])
def test_every_file_of_a_folder_comes_back_however_shards_were_split(tmp_path, folder, how, config):
    if CONFIGS[config]:
        (folder / "config.json").write_text(CONFIGS[config])
    encode_checkpoint(folder, tmp_path / "small", **how)
    encode_checkpoint(tmp_path / "small", tmp_path / "smaller", profile="small")
    for encoded in ("small", "smaller"):
        decode_checkpoint(tmp_path / encoded, tmp_path / "again", force=True)
        assert files(tmp_path / "again") == files(folder)


def test_a_folder_in_one_file_comes_back(tmp_path, folder, command):
    encoded, again = tmp_path / "net.qc.safetensors", tmp_path / "again"
    again.mkdir()
    command("encode", folder, encoded)
    main_name = INDEX if (folder / INDEX).exists() else next(folder.iterdir()).name
    (again / "parts").mkdir()
    command("decode", encoded, again / main_name)
    assert files(again) == files(folder)
    command("decode", encoded, tmp_path / "one.safetensors")
    assert sorted(load_file(tmp_path / "one.safetensors")) == sorted(TENSORS)


def test_a_folder_that_was_changed_since_is_written_from_its_tensors(tmp_path, folder):
    small, again = tmp_path / "small", tmp_path / "again"
    encode_checkpoint(folder, small)
    assert (small / "original.qcodec").exists()
    tensors = {name: np.ones(3, np.float32) for name in TENSORS}
    qcodec.save_file(tensors, small / "model.safetensors", layout="entries")
    decode_checkpoint(small, again)
    loaded = load_file(again / "model.safetensors")
    assert sorted(loaded) == sorted(TENSORS)
    assert all(array.tolist() == [1, 1, 1] for array in loaded.values())


def test_a_changed_configuration_is_kept(tmp_path, folder):
    small, again = tmp_path / "small", tmp_path / "again"
    (folder / "config.json").write_text('{"a":1}')
    encode_checkpoint(folder, small)
    config = json.loads((small / "config.json").read_text())
    (small / "config.json").write_text(json.dumps({**config, "a": 2}))
    decode_checkpoint(small, again)
    assert json.loads((again / "config.json").read_text()) == {"a": 2}


def test_nothing_is_kept_that_is_not_needed(tmp_path):
    """Folders as transformers writes them, with one file, need no `original.qcodec`."""
    folder = tmp_path / "net"
    folder.mkdir()
    save_file({"w": np.ones((4, 4), np.float32)}, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(CONFIGS["as transformers writes it"])
    encode_checkpoint(folder, tmp_path / "small")
    assert not (tmp_path / "small/original.qcodec").exists()
    decode_checkpoint(tmp_path / "small", tmp_path / "again")
    assert files(tmp_path / "again") == files(folder)


def test_a_broken_original_is_an_error_that_names_the_file(tmp_path, folder):
    small = tmp_path / "small"
    encode_checkpoint(folder, small)
    path = small / "original.qcodec"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(qcodec.QCodecError, match=r"original\.qcodec"):
        decode_checkpoint(small, tmp_path / "again")
    assert not (tmp_path / "again").exists()
