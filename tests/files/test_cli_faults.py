"""Errors of commands: one line that begins with the file concerned."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import qcodec
from qcodec.cli import main

WEIGHT = np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32)
NOBODY = 65534


@pytest.fixture
def folder():
    """A folder in which every user may write, with good files in it."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        safetensors.numpy.save_file({"w": WEIGHT}, path / "good.safetensors")
        qcodec.save_file({"w": WEIGHT}, path / "base.qcodec")
        near = {"w": WEIGHT * np.float32(1.00001)}
        safetensors.numpy.save_file(near, path / "near.safetensors")
        qcodec.save_file(near, path / "delta.qcodec", recipe=qcodec.Delta({"w": WEIGHT}))
        for file in path.iterdir():
            file.chmod(0o644)
        yield path


@pytest.fixture
def fails(capsys):
    """Run a command that fails: its code and its error, which is one line without a traceback."""

    def run(*arguments):
        capsys.readouterr()  # drops what came before
        code = main([os.fspath(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("qcodec: ")
        assert printed.err.count("\n") == 1
        assert ".qcodec-tmp" not in printed.err
        assert "[Errno" not in printed.err
        return code, printed.err.removeprefix("qcodec: ")

    return run


@contextlib.contextmanager
def no_privileges():
    """Permissions hold for root too: as another user, as far as files are concerned."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions are those of POSIX")
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


# ---- files that are read ----


def unreadable(path):
    path.write_bytes(safetensors.numpy.save({"w": WEIGHT}))
    path.chmod(0)


def truncated(path):
    path.write_bytes(safetensors.numpy.save({"w": WEIGHT})[:-1])


FAULTS = {
    "missing": (lambda path: None, "No such file or directory"),
    "a folder": (Path.mkdir, "has no checkpoint: expected is"),
    "unreadable": (unreadable, "Permission denied"),
    "empty": (Path.touch, "file is 0 bytes"),
    "truncated": (truncated, "incomplete download?"),
    "GGUF": (lambda path: path.write_bytes(b"GGUF\4" + bytes(60)), "GGUF: version 4, allowed are"),
    "zip": (
        lambda path: path.write_bytes(b"PK\3\4" + bytes(60)),
        "not an archive: File is not a zip file",
    ),
    "zeros": (lambda path: path.write_bytes(bytes(60)), "accepted are safetensors"),
    "broken header": (lambda path: path.write_bytes(b"\x09" + bytes(7) + b"{'w': 1}!"), "JSON"),
    "broken pack": (lambda path: path.write_bytes(b"QP" + bytes(60)), ""),
}
#: Every way in which a command reads a file; F is the file.
READERS = {
    "inspect": ("inspect", "F"),
    "verify": ("verify", "F"),
    "decode": ("decode", "F", "out.safetensors"),
    "decode into .npz": ("decode", "F", "out.npz"),
    "encode": ("encode", "F", "out.qcodec"),
    "encode against a base": ("encode", "F", "out.qcodec", "--base", "base.qcodec"),
    "verify --base": ("verify", "delta.qcodec", "--base", "F"),
    "decode --base": ("decode", "delta.qcodec", "out.safetensors", "--base", "F"),
    "encode --base": ("encode", "near.safetensors", "out.qcodec", "--base", "F"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_cannot_be_read_is_the_one_that_is_named(folder, fails, reader, fault):
    make, what = FAULTS[fault]
    path = folder / "faulty.net"
    make(path)
    names = [path if name == "F" else name for name in READERS[reader]]
    arguments = [folder / n if n != path and Path(n).suffix else n for n in names]
    with no_privileges():
        code, message = fails(*arguments)
    assert code == 1
    assert message.startswith(f"{path}: ")
    assert what in message
    assert not [name for name in ("near", "delta", "base", "out.") if name in message]
    assert not list(folder.glob("out.*"))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_recipe_that_cannot_be_read_is_a_wrong_command(folder, fails, fault):
    make, _ = FAULTS[fault]
    path = folder / "faulty.net"
    make(path)
    if fault == "empty":  # is a recipe: the default one
        path.write_text("nonsense")
    with no_privileges():
        code, message = fails(
            "encode", folder / "good.safetensors", folder / "out.qcodec", "--recipe", path
        )
    assert code == 2
    assert message.startswith(f"--recipe {path}: ")
    assert not (folder / "out.qcodec").exists()


def flip(path):
    data = bytearray(path.read_bytes())
    data[-30] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("arguments", [("decode", "out.safetensors"), ("encode", "out.qcodec")])
def test_a_broken_tensor_is_named_with_its_file(folder, fails, arguments):
    command, output = arguments
    flip(folder / "base.qcodec")
    code, message = fails(command, folder / "base.qcodec", folder / output)
    assert code == 1
    assert message.startswith(f"{folder / 'base.qcodec'}: tensor 'w': ")
    assert "checksum" in message


@pytest.mark.parametrize(
    "arguments",
    [("decode", "delta.qcodec", "out.safetensors"), ("encode", "near.safetensors", "out.qcodec")],
)
def test_a_broken_tensor_of_the_base_is_blamed_on_the_base(folder, fails, arguments):
    flip(folder / "base.qcodec")
    command, source, output = arguments
    base = folder / "base.qcodec"
    code, message = fails(command, folder / source, folder / output, "--base", base)
    assert code == 1
    assert message.startswith(f"{folder / source}: tensor 'w': base '{base}': tensor 'w': ")


def test_verify_tells_a_broken_base_from_a_broken_file(folder, capsys):
    flip(folder / "base.qcodec")
    assert main(["verify", f"{folder}/delta.qcodec", "--base", f"{folder}/base.qcodec"]) == 1
    fault = f"tensor 'w': base '{folder}/base.qcodec': tensor 'w': "
    assert capsys.readouterr().out.startswith(f"{folder}/delta.qcodec: {fault}")


def test_a_broken_base_is_told_in_python_too(folder):
    base = folder / "faulty.net"
    base.write_bytes(b"GGUF" + bytes(60))
    for attempt in (
        lambda: qcodec.load_file(folder / "delta.qcodec", base=base),
        lambda: qcodec.save_file({"w": WEIGHT}, folder / "out.qcodec", recipe=qcodec.Delta(base)),
    ):
        with pytest.raises(qcodec.BaseError, match=rf"base '{base}': GGUF"):
            attempt()
    assert not (folder / "out.qcodec").exists()


# ---- files that are written ----


def full_disk():
    """Files may have 100 bytes in this process."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


OUTPUTS = {
    "in a folder that is missing": "missing/out{}",
    "in a folder that is a file": "good.safetensors/out{}",
    "in a folder that may not be written": "closed/out{}",
    "a folder": "folder{}",
}
WRITERS = {"encode": ("good.safetensors", ".qcodec"), "decode": ("base.qcodec", ".safetensors")}


@pytest.mark.parametrize("fault", OUTPUTS)
@pytest.mark.parametrize("command", WRITERS)
def test_an_output_that_cannot_be_written_is_named(folder, fails, command, fault):
    source, suffix = WRITERS[command]
    output = folder / OUTPUTS[fault].format(suffix)
    (folder / "closed").mkdir(mode=0o555)
    (folder / f"folder{suffix}").mkdir()
    with no_privileges():
        code, message = fails(command, folder / source, output)
    assert code == 1
    assert message.startswith(f"{output}: ")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("command", WRITERS)
def test_a_full_disk_is_blamed_on_the_output(folder, command):
    source, suffix = WRITERS[command]
    (folder / "numbers").mkdir()
    arguments = [sys.executable, "-m", "qcodec", command, folder / source]
    output = folder / "numbers" / f"out{suffix}"
    done = subprocess.run(
        [*arguments, output], capture_output=True, text=True, check=False, preexec_fn=full_disk
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"qcodec: {output}: File too large\n"
    assert not list(output.parent.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [
        (("inspect", "base.qcodec"), ""),
        (("inspect", "base.qcodec"), "1"),
        (("verify", "base.qcodec", "--json"), ""),
        (("encode", "good.safetensors", "out.qcodec"), ""),
        (("decode", "base.qcodec", "out.safetensors"), ""),
        (("demo",), ""),
        (("--version",), ""),
        (("--help",), ""),
        (("--help",), "1"),
    ],
)
def test_a_standard_output_that_is_full_is_blamed_alone(folder, arguments, unbuffered):
    command = [sys.executable, "-W", "error", "-m", "qcodec", *arguments]
    environment = os.environ | {
        "PYTHONPATH": str(Path(qcodec.__file__).parents[1]),
        "PYTHONUNBUFFERED": unbuffered,
    }
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            cwd=folder, env=environment,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "qcodec: standard output: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="closed as by a shell of POSIX")
@pytest.mark.parametrize(("closed", "code"), [("1", 0), ("2", 1)])
def test_a_stream_that_is_closed_is_no_traceback(folder, closed, code):
    name = "base.qcodec" if code == 0 else "none.qcodec"
    command = f'exec "$1" -m qcodec inspect "$2" {closed}>&-'
    done = subprocess.run(
        ["sh", "-c", command, "sh", sys.executable, folder / name],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (code, "")


# ---- what stands anywhere in a command ----


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "base.qcodec"),
        ("verify", "base.qcodec"),
        ("encode", "good.safetensors", "out.qcodec", "--recipe", "int8"),
        ("decode", "--dtype", "float16", "base.qcodec", "out.safetensors"),
        ("demo",),
        ("--version",),
    ],
)
def test_json_is_accepted_anywhere(folder, capsys, monkeypatch, arguments):
    monkeypatch.chdir(folder)
    positions = range(len(arguments) + 1) if arguments != ("demo",) else (0, 1)
    printed = []
    for at in positions:
        assert main([*arguments[:at], "--json", *arguments[at:]]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0].startswith("{")
    assert printed == [printed[0]] * len(printed)


def test_version_is_accepted_anywhere(capsys):
    for arguments in (["--version"], ["inspect", "--version"], ["encode", "a", "--version", "b"]):
        assert main(arguments) == 0
        assert "CPU used" in capsys.readouterr().out


def test_after_two_dashes_every_name_is_a_file(fails):
    assert fails("inspect", "--", "--json") == (1, "--json: No such file or directory\n")


# ---- rules, recipes and their arguments ----


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (["attnn=ternary"], "--tensor 'attnn=ternary': rule 'attnn' matches no tensor; nearest"),
        (["w=ternary", "^w$=keep"], "--tensor '^w$=keep': rule '^w$' applies to no tensor"),
        (["w=sparse(prune={id='density', density=1})"], "sparse needs the parameter 'codec'"),
        (
            ["w=sparse(codec={id='codebook', bits=4}, prune={density=0.1})"],
            "prune of sparse: {'density': 0.1} has no 'id'; ids with these parameters: density",
        ),
    ],
)
def test_a_rule_that_does_nothing_or_is_wrong_is_a_wrong_command(folder, fails, rules, message):
    options = [word for rule in rules for word in ("--tensor", rule)]
    code, error = fails("encode", folder / "good.safetensors", folder / "out.qcodec", *options)
    assert code == 2
    assert error.startswith("--tensor ")
    assert message in error
    assert not (folder / "out.qcodec").exists()


def test_recipes_and_rules_without_effect_give_a_warning_in_one_line(folder, capsys):
    small, recipe = folder / "small.safetensors", folder / "recipe.toml"
    safetensors.numpy.save_file({"norm": np.ones(9, "f4")}, small)
    recipe.write_text("weights = 'ternary'\n[[rules]]\ntensor = 'head'\ncodec = 'keep'\n")
    assert main(["encode", f"{small}", f"{folder}/out.qcodec", "--recipe", f"{recipe}"]) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"qcodec: {small}: warning: rule 'head' matches no tensor; nearest: 'norm'"
    assert second.startswith(f"qcodec: {small}: warning: no tensor was quantized: ")


def test_an_archive_of_numpy_is_known_by_its_bytes(folder, fails):
    np.savez(folder / "net.npz", w=WEIGHT)
    (folder / "net.npz").rename(folder / "net.weights")
    assert main(["encode", f"{folder}/net.weights", f"{folder}/out.qcodec"]) == 0
    assert np.array_equal(qcodec.load_file(folder / "out.qcodec")["w"], WEIGHT)
    for command in (("inspect",), ("verify",), ("decode", f"{folder}/again.npz")):
        assert main([command[0], f"{folder}/net.weights", *command[1:]]) == 0
