"""The command line: what it prints, what it writes, and how it fails."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy

from qcodec.cli import main
from qcodec.cli.text import escape, table
from qcodec.files import load_file, save_file

HOSTILE = "fc\x1b[2J\r\n\u202eweight\x00"


def model():
    random = np.random.default_rng(0)
    weight = random.normal(size=(200, 300)).astype("f4")
    return {
        "fc.weight": weight,
        "fc.bias": random.normal(size=200).astype("f4"),
        "head": weight,
        "steps": np.array(7),
    }


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "net.safetensors"
    safetensors.numpy.save_file(model(), path, {"format": "pt"})
    return path


@pytest.fixture
def encoded(tmp_path):
    path = tmp_path / "net.qc.safetensors"
    save_file(model(), path, recipe={"steps": None})
    return path


@pytest.fixture
def command(capsys):
    """Run a command: its exit code, and what it printed."""

    def run(*arguments):
        capsys.readouterr()
        code = main([os.fspath(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def numbers(text):
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]


# ---- inspect ----


def column(out, name):
    head, *rows = out.splitlines()
    end = head.index(name) + len(name)
    cells = [(row.split("  ")[0], row[:end].split()[-1].replace(",", "")) for row in rows]
    return {first: int(last) for first, last in cells}


@pytest.mark.parametrize("suffix", [".qcodec", ".qc.safetensors"])
def test_inspect_shows_every_tensor_and_its_bytes_sum_to_the_file(command, tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    save_file(model(), path)
    code, out, err = command("inspect", path)
    assert (code, err) == (0, "")
    sizes = column(out, "bytes")
    total = sizes.pop("file")
    assert set(model()) < set(sizes)
    assert sum(sizes.values()) == total == path.stat().st_size


def test_inspect_names_alias_ordinary_tensors_and_header(command, encoded):
    _, out, _ = command("inspect", encoded)
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert "= fc.weight" in lines["head"]
    assert "ordinary" in lines["steps"]
    assert "scalar" in lines["steps"]
    assert "200x300" in lines["fc.weight"]
    assert "planes" in lines["fc.weight"]
    assert "(safetensors header)" in lines
    assert "(pack table)" in lines


def test_inspect_shows_copies_of_other_tensors(command, tmp_path):
    path, master = tmp_path / "net.qcodec", np.linspace(0, 1, 6000, dtype="f4")
    tensors = {"master": master, "half": master.astype("f2"), "equal": master.copy()}
    save_file(tensors, path)
    report = json.loads(command("inspect", path, "--json")[1])
    found = {tensor["name"]: tensor for tensor in report["tensors"]}
    for name, dtype in {"half": "float16", "equal": "float32"}.items():
        assert found[name]["converted_from"] == "master"
        assert (found[name]["dtype"], found[name]["shape"]) == (dtype, [6000])
        assert (found[name]["bytes"], found[name]["dense_bytes"]) == (0, tensors[name].nbytes)
    lines = {line.split("  ")[0]: line for line in command("inspect", path)[1].splitlines()}
    assert "float16  like master" in lines["half"]


def test_inspect_json_says_the_same(command, encoded):
    code, out, _ = command("inspect", encoded, "--json")
    report = json.loads(out)
    assert code == 0
    parts = [tensor["bytes"] for tensor in report["tensors"]]
    parts += [report["safetensors_header_bytes"], report["pack_table_bytes"]]
    assert sum(parts) == report["bytes"] == encoded.stat().st_size
    assert report["dense_bytes"] == sum(array.nbytes for array in model().values())
    tensors = {tensor["name"]: tensor for tensor in report["tensors"]}
    assert tensors["head"]["alias_of"] == "fc.weight"
    assert sum(s["bytes"] for s in tensors["fc.bias"]["sections"]) == tensors["fc.bias"]["bytes"]


def test_inspect_reads_plain_safetensors_files_too(command, plain):
    code, out, _ = command("inspect", plain)
    assert code == 0
    assert column(out, "bytes")["file"] == plain.stat().st_size


# ---- encode and decode ----


def test_encode_and_decode_lose_nothing_by_default(command, plain, tmp_path):
    coded, back = tmp_path / "net.qcodec", tmp_path / "back.safetensors"
    code, out, err = command("encode", plain, coded)
    assert (code, err) == (0, "")
    assert numbers(out.split(":")[1])[:3] == [4, coded.stat().st_size, plain.stat().st_size]
    assert command("decode", coded, back)[0] == 0
    for name, array in safetensors.numpy.load_file(back).items():
        assert np.array_equal(array, model()[name])


@pytest.mark.parametrize("suffix", [".qcodec", ".qc.safetensors"])
def test_metadata_survives_encode_and_decode(command, plain, tmp_path, suffix):
    coded, back = tmp_path / f"net{suffix}", tmp_path / "back.safetensors"
    command("encode", plain, coded)
    command("decode", coded, back)
    with safetensors.safe_open(back, "np") as file:
        assert file.metadata() == {"format": "pt"}


def test_encode_takes_a_recipe_by_name_and_rules(command, plain, tmp_path):
    path = tmp_path / "net.qc.safetensors"
    rules = ("--tensor", "fc.weight=codebook(bits=2)", "--tensor", "^head$=keep")
    assert command("encode", plain, path, "--recipe", "int8", *rules)[0] == 0
    loaded = load_file(path)
    assert len(np.unique(loaded["fc.weight"])) == 4
    assert np.array_equal(safetensors.numpy.load_file(path)["head"], model()["head"])


def test_encode_takes_a_recipe_from_a_file(command, plain, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('weights = {id = "codebook", bits = 1}\n')
    path = tmp_path / "net.qcodec"
    assert command("encode", plain, path, "--recipe", recipe, "--profile", "small")[0] == 0
    assert len(np.unique(load_file(path)["head"])) == 2


def test_encode_takes_an_npz_file_and_decode_writes_one(command, tmp_path):
    arrays = {"file": np.arange(5), "a/b": np.ones((3, 4), "f2"), "scalar": np.float64(2)}
    source, coded, back = (tmp_path / name for name in ("in.npz", "net.qcodec", "out.npz"))
    with source.open("wb") as file:
        np.savez(file, **{"a/b": arrays["a/b"], "scalar": arrays["scalar"], "arr": arrays["file"]})
    assert command("encode", source, coded, "--threads", "2")[0] == 0
    assert command("decode", coded, back)[0] == 0
    with np.load(back) as loaded:
        assert set(loaded.files) == {"a/b", "scalar", "arr"}
        assert all(np.array_equal(loaded[n], arrays.get(n, arrays["file"])) for n in loaded.files)


def test_an_npz_file_may_hold_an_array_called_file(command, tmp_path):
    save_file({"file": np.arange(5)}, tmp_path / "net.qcodec")
    assert command("decode", tmp_path / "net.qcodec", tmp_path / "out.npz")[0] == 0
    with np.load(tmp_path / "out.npz") as loaded:
        assert loaded["file"].tolist() == [0, 1, 2, 3, 4]


def test_pickled_arrays_are_refused(command, tmp_path):
    with (tmp_path / "in.npz").open("wb") as file:
        np.savez(file, evil=np.array([{}], object))
    code, _, err = command("encode", tmp_path / "in.npz", tmp_path / "net.qcodec")
    assert code == 1
    assert "tensor 'evil' is of NumPy's type object, which qcodec does not read" in err


def test_decode_to_another_type(command, encoded, tmp_path):
    command("decode", encoded, tmp_path / "half.npz", "--dtype", "float16")
    with np.load(tmp_path / "half.npz") as loaded:
        assert loaded["fc.bias"].dtype == np.float16
        assert loaded["steps"].dtype == np.int64


def test_npz_without_bfloat16_says_what_to_do(command, encoded, tmp_path):
    code, _, err = command("decode", encoded, tmp_path / "out.npz", "--dtype", "bfloat16")
    assert code == 1
    assert ".npz has no bfloat16: decode to .safetensors" in err
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("suffix", [".qcodec", ".qc.safetensors", ".safetensors"])
def test_json_of_encode_and_decode(command, plain, tmp_path, suffix):
    coded, back = tmp_path / f"out{suffix}", tmp_path / "back.safetensors"
    report = json.loads(command("encode", plain, coded, "--json")[1])
    assert report["bytes"] == coded.stat().st_size
    assert report["input_bytes"] == plain.stat().st_size
    report = json.loads(command("decode", coded, back, "--json")[1])
    nothing = {"attached": [], "metadata": []}
    size = back.stat().st_size
    assert report == {"output": str(back), "tensors": 4, "bytes": size, "left_out": nothing}


def test_encode_over_its_own_input(command, plain):
    assert command("encode", plain, plain)[0] == 0
    assert np.array_equal(load_file(plain)["head"], model()["head"])


# ---- verify ----


def test_verify_reports_that_all_tensors_are_valid(command, encoded):
    assert command("verify", encoded) == (0, f"{encoded}: 4 tensors, all valid\n", "")
    report = json.loads(command("verify", encoded, "--json")[1])
    assert (report["valid"], report["tensors"], report["faults"]) == (True, 4, [])


def broken(path):
    data = bytearray(path.read_bytes())
    data[-30] ^= 4
    path.write_bytes(data)
    return path


def test_verify_names_the_broken_tensor_and_rule(command, tmp_path):
    path = tmp_path / "net.qcodec"
    save_file({"fine": np.arange(50), "weight": np.arange(100.0)}, path)
    code, out, _ = command("verify", broken(path))
    assert code == 1
    assert re.search(r"tensor 'weight': .*checksum.*\(checksum\)", out)
    assert out.endswith("2 tensors, 1 broken\n")
    report = json.loads(command("verify", path, "--json")[1])
    assert [fault["tensor"] for fault in report["faults"]] == ["weight"]
    assert report["faults"][0]["kind"] == "checksum"


# ---- failures ----


@pytest.mark.parametrize("name", ["inspect", "verify"])
def test_a_file_that_is_not_there_is_one_line_and_exit_code_1(command, tmp_path, name):
    path = tmp_path / "none.qcodec"
    code, out, err = command(name, path)
    assert (code, out) == (1, "")
    assert err == f"qcodec: {path}: No such file or directory\n"


@pytest.mark.parametrize("name", ["inspect", "verify", "decode"])
def test_an_incomplete_download_is_one_line_and_exit_code_1(command, encoded, tmp_path, name):
    encoded.write_bytes(encoded.read_bytes()[:-5])
    more = [tmp_path / "out.safetensors"] if name == "decode" else []
    code, out, err = command(name, encoded, *more)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"qcodec: {encoded}: file is ")
    assert err.endswith("incomplete download?\n")


def test_data_that_a_codec_refuses_names_file_and_tensor(command, tmp_path):
    save_file({"weight": np.full((50, 50), np.inf)}, tmp_path / "in.qcodec")
    arguments = ("encode", tmp_path / "in.qcodec", tmp_path / "out.qcodec", "--recipe", "ternary")
    code, _, err = command(*arguments)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"qcodec: {tmp_path / 'in.qcodec'}: tensor 'weight': ")
    assert not (tmp_path / "out.qcodec").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a command is needed"),
        (["unknown"], "invalid choice"),
        (["inspect"], "FILE"),
        (["encode", "a.npz"], "OUT"),
        (["encode", "a.npz", "b.qcodec", "--recipe", "codebok4"], "nearest is 'codebook4'"),
        (["encode", "a.npz", "b.qcodec", "--tensor", "fc=codebok"], "did you mean 'codebook'"),
        (["encode", "a.npz", "b.qcodec", "--tensor", "fc"], "is not REGEX=CODEC"),
        (["encode", "a.npz", "b.qcodec", "--profile", "tiny"], "invalid choice"),
        (["encode", "a.npz", "b.qcodec", "--threads", "none"], "invalid"),
        (["encode", "a.npz", "b.qcodec", "--threads", "0"], "invalid"),
        (["decode", "a.qcodec", "b.npz", "--dtype", "int8"], "invalid choice"),
    ],
)
def test_a_wrong_command_is_exit_code_2_and_says_why(command, arguments, message):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_hostile_names_reach_the_terminal_escaped(command, tmp_path):
    path = tmp_path / "net.qcodec"
    save_file({HOSTILE: np.arange(100.0), "plain": np.arange(3)}, path)
    for arguments in (["inspect", path], ["verify", broken(path)]):
        _, out, err = command(*arguments)
        assert all(character.isprintable() or character == "\n" for character in out + err)
        assert len(out.splitlines()) <= 6
    safetensors.numpy.save_file({HOSTILE: np.full((40, 40), np.nan)}, tmp_path / "in.safetensors")
    arguments = (
        "encode",
        tmp_path / "in.safetensors",
        tmp_path / "out.qcodec",
        "--recipe",
        "ternary",
    )
    code, out, err = command(*arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.rstrip("\n").isprintable()


def test_hostile_names_are_kept_in_json(command, tmp_path):
    save_file({HOSTILE: np.arange(3)}, tmp_path / "net.qcodec")
    _, out, _ = command("inspect", tmp_path / "net.qcodec", "--json")
    assert json.loads(out)["tensors"][0]["name"] == HOSTILE
    assert out.isascii()


def test_control_characters_are_escaped_and_letters_are_not():
    assert escape("größe \x9b31m\x07\u2028\ud800") == r"größe \x9b31m\x07\u2028\ud800"


def test_tables_have_straight_columns():
    assert table(["a", "bb"], [["ccc", "d"], ["", "eee"]]) == "a     bb\nccc    d\n     eee"


# ---- the program itself ----


def program(*arguments, **options):
    command = [sys.executable, "-m", "qcodec", *map(os.fspath, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_the_program_exits_with_the_code_and_without_traceback(tmp_path):
    done = program("inspect", tmp_path / "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


def test_version_says_format_and_cpu(command):
    code, out, _ = command("--version")
    assert code == 0
    assert re.search(r"^format +1, candidate 1 \(0x81\)$", out, re.MULTILINE)
    report = json.loads(command("--version", "--json")[1])
    assert set(report["cpu_used"]) <= set(report["cpu_found"])
    assert report["format"] == "1, candidate 1 (0x81)"


def test_forbidden_cpu_features_are_not_used():
    environment = os.environ | {"QCODEC_DISABLE_CPU_FEATURES": "SSE42,AVX2,AVX512,NEON,ARM_CRC"}
    report = json.loads(program("--version", "--json", env=environment).stdout)
    assert report["cpu_used"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_goes_away_is_no_error(tmp_path):
    names = {f"layer {number:05}": np.zeros(1) for number in range(5000)}
    save_file(names, tmp_path / "net.qcodec")
    command = [sys.executable, "-m", "qcodec", "inspect", str(tmp_path / "net.qcodec")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_terminal_without_unicode_gets_names_escaped(tmp_path):
    save_file({"größe": np.zeros(3)}, tmp_path / "net.qcodec")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = program("inspect", tmp_path / "net.qcodec", env=environment)
    assert done.returncode == 0
    assert r"gr\xf6\xdfe" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_options(command, shell):
    pytest.importorskip("shtab")
    code, out, err = command("completion", shell)
    assert (code, err) == (0, "")
    assert "transcode" in out
    assert "max-shard-size" in out


def test_completion_names_the_package_that_it_needs(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    code, out, err = command("completion", "bash")
    assert (code, out) == (2, "")
    assert "pip install 'qcodec[cli]'" in err
