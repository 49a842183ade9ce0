"""Limits on a file's total and on its expansion, and warnings when a written file exceeds them."""

import warnings
from functools import partial

import numpy as np
import pytest

import qcodec
from qcodec.cli import main
from qcodec.files import safe_open
from qcodec.limits import Limits
from qcodec.quantized import Quantized

MIB = 1 << 20
ZEROS = np.zeros(MIB // 4, np.float32)


def noise(size=MIB):
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


def empty(elements):
    """A tensor of float32 of which nothing is stored."""
    none = np.empty(0, np.int64)
    return Quantized((elements,), "float32", "bytes", np.empty(0, np.float32), none)


def load_with_torch(path, limits):
    torch = pytest.importorskip("torch")
    from qcodec.torch import load

    model = torch.nn.Module()
    for name in "ab":
        model.register_buffer(name, torch.ones(MIB // 4))
    load(model, path, limits=limits)


def get_tensors(path, limits):
    with safe_open(path, limits=limits) as file:
        file.get_tensors()


def decode_command(path, limits):
    option = f"max_total_bytes={limits.max_total_bytes},expansion_floor={limits.expansion_floor}"
    options = ["decode", str(path), f"{path}.npz", "--limits", option]
    if main(options) != 0:
        raise qcodec.LimitError("as the command line has printed")


#: What builds all tensors of a file.
WHOLE = {
    "load_file": lambda path, limits: qcodec.load_file(path, limits=limits),
    "load": lambda path, limits: qcodec.load(path.read_bytes(), limits=limits),
    "get_tensors": get_tensors,
    "torch": load_with_torch,
    "decode": decode_command,
}
ENOUGH = {"max_total_bytes": 2 * MIB, "expansion_floor": 2 * MIB}


@pytest.mark.parametrize("suffix", ["qc", "qc.safetensors"])
@pytest.mark.parametrize("door", WHOLE)
def test_the_sum_of_a_file_is_limited(door, suffix, tmp_path, capsys):
    path = tmp_path / f"net.{suffix}"
    qcodec.save_file({"a": ZEROS, "b": ZEROS.copy()}, path)
    WHOLE[door](path, Limits(**ENOUGH))
    for name in ENOUGH:
        with pytest.raises(qcodec.LimitError):
            WHOLE[door](path, Limits(**ENOUGH | {name: 2 * MIB - 1}))


def test_no_tensor_is_decoded_before_the_sum_is_known(tmp_path):
    tensors = {f"w{number}": noise() for number in range(4)}
    qcodec.save_file(tensors, tmp_path / "net.qc.safetensors")
    with safe_open(tmp_path / "net.qc.safetensors", limits=Limits(max_total_bytes=3 * MIB)) as file:
        before = file.source.bytes_read
        with pytest.raises(qcodec.LimitError, match="max_total_bytes"):
            file.get_tensors()
        assert file.source.bytes_read - before <= 4 * 4096  # heads
        assert np.array_equal(file.get_tensor("w3"), tensors["w3"])  # alone, the caller holds it


def test_the_last_tensor_too_is_checked_before_the_first_is_decoded(tmp_path):
    qcodec.save_file({"a": noise(), "b": noise(2 * MIB)}, tmp_path / "net.qc.safetensors")
    limits = Limits(max_tensor_bytes=MIB)
    with safe_open(tmp_path / "net.qc.safetensors", limits=limits) as file:
        before = file.source.bytes_read
        with pytest.raises(qcodec.LimitError, match=r"tensor 'b': .*max_tensor_bytes"):
            file.get_tensors()
        assert file.source.bytes_read - before <= 2 * 4096


@pytest.mark.parametrize("suffix", ["qc", "qc.safetensors"])
def test_aliases_count_once(suffix, tmp_path):
    path = tmp_path / f"net.{suffix}"
    qcodec.save_file({"a": ZEROS, "tied": ZEROS}, path)
    limits = Limits(max_total_bytes=MIB)
    loaded = qcodec.load_file(path, limits=limits)
    assert loaded["a"] is loaded["tied"]
    assert main(["decode", str(path), f"{path}.npz", "--limits", f"max_total_bytes={MIB}"]) == 0


def test_names_share_an_array_wherever_their_tensor_is_in_the_file(tmp_path):
    path = tmp_path / "net.qc.safetensors"
    large = noise()  # an entry of its own, after that of the pack with the other names
    qcodec.save_file({"weight": large, "also": large, "copy": large.copy()}, path)
    with safe_open(path) as file:
        assert file.offset_keys()[-1] == "weight"
        loaded = file.get_tensors()
    assert list(loaded)[-1] == "weight"
    assert loaded["also"] is loaded["weight"]
    assert loaded["copy"] is not loaded["weight"]
    assert np.array_equal(loaded["copy"], large)
    limit = f"max_total_bytes={2 * MIB}"
    assert main(["decode", str(path), f"{path}.npz", "--limits", limit]) == 0


def test_the_sum_counts_the_output_type():
    data = qcodec.save({"a": noise().view(np.float16), "n": noise()}, recipe=qcodec.Verbatim())
    assert qcodec.load(data, limits=Limits(max_total_bytes=2 * MIB))
    for dtype, size in (("float32", 3 * MIB), ("float64", 5 * MIB)):
        qcodec.load(data, dtype=dtype, limits=Limits(max_total_bytes=size))
        with pytest.raises(qcodec.LimitError):
            qcodec.load(data, dtype=dtype, limits=Limits(max_total_bytes=size - 1))


def test_ordinary_tensors_count():
    data = qcodec.save({"a": noise(), "b": noise()}, recipe={".": None})
    assert qcodec.load(data, limits=Limits(max_total_bytes=2 * MIB))
    with pytest.raises(qcodec.LimitError, match="max_total_bytes"):
        qcodec.load(data, limits=Limits(max_total_bytes=2 * MIB - 1))
    with pytest.raises(qcodec.LimitError, match=r"tensor 'a'.*max_tensor_bytes"):
        qcodec.load(data, limits=Limits(max_tensor_bytes=MIB - 1))


def test_the_floor_of_expansion_applies_once(tmp_path):
    # Each is within the floor, and all together are 256 MiB of nothing.
    tensors = {str(number): empty(MIB) for number in range(64)}
    data = qcodec.save(tensors)
    assert len(data) < 64 * 1024 // 4
    limits = Limits(expansion_floor=4 * MIB, max_expansion=1)
    with pytest.raises(qcodec.LimitError, match=r"all is decoded.*max_expansion"):
        qcodec.load(data, limits=limits)


def test_a_tensor_may_use_the_expansion_of_the_whole_file(tmp_path):
    # Beside a megabyte of noise, 64 of zeros are no more suspicious than a net half of zeros.
    path = tmp_path / "net.qc.safetensors"
    qcodec.save_file({"noise": noise(), "zeros": empty(16 * MIB)}, path)
    limits = Limits(expansion_floor=0, max_expansion=100)
    assert qcodec.load_file(path, limits=limits)["zeros"].nbytes == 64 * MIB
    with safe_open(path, limits=limits) as file:
        assert file.get_tensor("zeros").nbytes == 64 * MIB
        assert file.get_slice("zeros")[:].nbytes == 64 * MIB
        alone = qcodec.encode(empty(16 * MIB))
    with pytest.raises(qcodec.LimitError, match="max_expansion"):
        qcodec.decode(alone, limits=limits)


def test_files_of_deltas_open_their_base_with_the_same_limits(tmp_path):
    base = {"w": np.linspace(-1, 1, 10_000, dtype=np.float32)}
    qcodec.save_file(base, tmp_path / "base.qcodec")
    path = tmp_path / "tuned.qc.safetensors"
    qcodec.save_file({"w": base["w"] * 1.001}, path, recipe=qcodec.Delta(tmp_path / "base.qcodec"))
    with pytest.raises(qcodec.LimitError):
        qcodec.load_file(
            path, base=tmp_path / "base.qcodec", limits=Limits(max_tensor_bytes=39_999)
        )
    qcodec.load_file(path, base=tmp_path / "base.qcodec", limits=Limits(max_tensor_bytes=40_000))


def test_checking_takes_no_memory_and_so_has_no_limit(tmp_path, capsys):
    path = tmp_path / "net.qcodec"
    qcodec.save_file({"a": ZEROS, "b": noise()}, path)
    limits = Limits(max_tensor_bytes=1, max_total_bytes=1)
    with safe_open(path, limits=limits) as file:
        for name in file:
            file.verify(name)
            assert file.info(name).dense_bytes == MIB
        with pytest.raises(qcodec.LimitError):
            file.get_tensor("a")


def test_the_table_of_a_pack_is_limited_as_a_header_is(tmp_path):
    path = tmp_path / "net.qcodec"
    qcodec.save_file({"a" * 1000: ZEROS}, path)
    safe_open(path, limits=Limits(max_tensor_bytes=0, expansion_floor=0, max_expansion=0)).close()
    with pytest.raises(qcodec.LimitError, match="max_header_bytes"):
        safe_open(path, limits=Limits(max_header_bytes=1000))


# ---- what is written can be read ----

GB = 10**9
#: Dense bytes, bytes of the file, tensors and bytes of the header: what people have as one file.
CHECKPOINTS = {
    "embeddings of 128,000 x 8,192, float32": (4.2 * GB, 3.4 * GB, 1, 100),
    "a diffusion model, bfloat16": (24 * GB, 16 * GB, 800, 100_000),
    "the same at 4 bits and few values": (24 * GB, 0.6 * GB, 800, 100_000),
    "a video model, float32": (57 * GB, 47 * GB, 1100, 200_000),
    "experts, each by itself": (60 * GB, 40 * GB, 100_000, 20_000_000),
    "a fresh optimizer's zeros": (0.4 * GB, 353, 1, 100),
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_the_default_limits_let_checkpoints_pass(name):
    dense, encoded, count, header = map(int, CHECKPOINTS[name])
    limits = Limits()
    limits.check_file(max(dense, encoded))
    limits.check_tensor(min(dense, 8 * GB), encoded)
    limits.check_total(dense, encoded)
    limits.check_count(count)
    limits.check_header(header)


#: Of 1 GiB, in a few hundred bytes.
ALLOWED = 1 << 28


def test_within_the_default_limits_there_is_no_warning(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        qcodec.save_file({"a": empty(ALLOWED)}, tmp_path / "net.qcodec", profile="fixed")
        qcodec.encode(empty(ALLOWED), profile="fixed")


def test_encoding_warns_of_what_the_default_limits_refuse(tmp_path):
    beyond = empty(ALLOWED + 1)
    message = r"1,073,741,828 bytes once decoded, allowed 1,073,741,824 \(Limits.max_expansion\)"
    with pytest.warns(qcodec.LimitWarning, match=message) as caught:
        data = qcodec.encode(beyond, profile="fixed")
    assert [record.filename for record in caught] == [__file__]
    with pytest.raises(qcodec.LimitError, match=message):
        qcodec.decode(data)
    tensors = {"small": ZEROS, "w": beyond}
    message = f"tensor 'w': {message}"
    for save in (
        qcodec.save,
        partial(qcodec.save_file, filename=tmp_path / "net.qcodec"),
        partial(qcodec.save_file, filename=tmp_path / "net.qc.safetensors"),
    ):
        with pytest.warns(qcodec.LimitWarning, match=message) as caught:
            save(tensors, profile="fixed")
        assert [record.filename for record in caught] == [__file__]
    with pytest.raises(qcodec.LimitError, match=message):
        qcodec.load_file(tmp_path / "net.qcodec")


def test_encoding_warns_of_a_sum_that_the_default_limits_refuse():
    halves = {"a": empty(ALLOWED // 2), "b": empty(ALLOWED // 2 + 1)}
    with pytest.warns(qcodec.LimitWarning, match="all is decoded") as caught:
        data = qcodec.save(halves, profile="fixed")
    assert len(caught) == 1
    with pytest.raises(qcodec.LimitError, match="all is decoded"):
        qcodec.load(data)


def test_encoding_warns_of_more_tensors_than_the_default_limits_let_pass(monkeypatch):
    # So many that the default limits refuse them would take a minute to write.
    monkeypatch.setattr("qcodec.files.DEFAULT_LIMITS", Limits(max_tensors=1))
    with pytest.warns(qcodec.LimitWarning, match="max_tensors"):
        qcodec.save({"a": ZEROS, "b": ZEROS})
    monkeypatch.setattr("qcodec.files.DEFAULT_LIMITS", Limits(max_header_bytes=64))
    with pytest.warns(qcodec.LimitWarning, match="max_header_bytes"):
        qcodec.save({"a": ZEROS}, metadata={"k": "v" * 100})


@pytest.mark.parametrize("suffix", ["qcodec", "qc.safetensors"])
def test_encoding_warns_of_a_table_that_the_default_limits_refuse(suffix, tmp_path, monkeypatch):
    monkeypatch.setattr("qcodec.files.DEFAULT_LIMITS", Limits(max_header_bytes=300))
    path = tmp_path / f"net.{suffix}"
    with pytest.warns(qcodec.LimitWarning, match="max_header_bytes"):
        qcodec.save_file({"n" * 400: ZEROS}, path)
    with pytest.raises(qcodec.LimitError, match="max_header_bytes"):
        qcodec.load_file(path, limits=Limits(max_header_bytes=300))


def test_nothing_is_written_if_the_warning_is_an_error(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(qcodec.LimitWarning):
            qcodec.save_file({"w": empty(ALLOWED + 1)}, tmp_path / "net.qcodec", profile="fixed")
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_warns_in_one_line(tmp_path, monkeypatch, capsys):
    qcodec.save_file({"w": ZEROS}, tmp_path / "net.qcodec")
    monkeypatch.setattr("qcodec.files.DEFAULT_LIMITS", Limits(max_tensor_bytes=MIB - 1))
    assert main(["encode", str(tmp_path / "net.qcodec"), str(tmp_path / "again.qcodec")]) == 0
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "warning: only readers with higher limits" in error
    assert error.endswith("tensor 'w': 1,048,576 bytes once decoded, allowed 1,048,575 "
                          "(Limits.max_tensor_bytes)\n")  # fmt: skip


@pytest.mark.parametrize(
    ("option", "works"),
    [
        ("none", True),
        ("max_tensors=2", True),
        ("max_tensors=1", False),
        ("max_file_bytes=1TiB,max_tensors=1KiB", True),
        ("max_file_bytes=1TiB,max_tensors=1", False),
    ],
)
@pytest.mark.parametrize("name", ["verify", "inspect", "decode", "encode"])
def test_every_command_that_reads_takes_limits(name, option, works, tmp_path, capsys):
    path = tmp_path / "net.qcodec"
    qcodec.save_file({"a": ZEROS, "b": noise(10)}, path)
    out = [str(tmp_path / "out.safetensors")] if name in ("decode", "encode") else []
    assert main([name, str(path), *out, "--limits", option]) == (0 if works else 1)
    assert works or "(Limits.max_tensors)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", ["", "all", "max_tensors", "max_tensors=-1", "tensors=1", "none,"]
)
def test_wrong_limits_are_errors_that_name_the_right_ones(option, tmp_path, capsys):
    assert main(["verify", str(tmp_path / "net.qcodec"), "--limits", option]) == 2
    assert "max_total_bytes" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["2GiB", 1.5, None, True, -1])
def test_limits_are_numbers_of_bytes(value):
    with pytest.raises((TypeError, ValueError), match="max_total_bytes="):
        Limits(max_total_bytes=value)
