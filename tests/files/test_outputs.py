"""Outputs: devices and pipes are not replaced, and no input is lost."""

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import qcodec
from qcodec._file.endings import check_not_misleading
from qcodec._io import atomic, writing
from qcodec._io.outputs import output_at
from qcodec.cli import main
from qcodec.files import load, load_file, save, save_file
from qcodec.recipes import Rule

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and links of POSIX")

RANDOM = np.random.default_rng(0)
TENSORS = {"w": RANDOM.normal(size=(60, 50)).astype("f4"), "b": np.ones(5, "f4")}
TUNED = {"w": TENSORS["w"] + np.float32(1e-3), "b": np.zeros(5, "f4")}


def same(loaded, tensors):
    return loaded.keys() == tensors.keys() and all(
        np.array_equal(loaded[name], tensors[name]) for name in tensors
    )


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "net.safetensors"
    safetensors.numpy.save_file(TENSORS, path)
    return path


@pytest.fixture
def command(capfd):
    """Run a command: its exit code, and what it printed."""

    def run(*arguments):
        capfd.readouterr()
        code = main([os.fspath(argument) for argument in arguments])
        printed = capfd.readouterr()
        return code, printed.out, printed.err

    return run


# ---- devices, pipes, sockets, folders ----


def read_in_background(path):
    read = []
    thread = threading.Thread(target=lambda: read.append(path.read_bytes()))
    thread.start()
    return thread, read


@pytest.mark.parametrize("name", ["pipe", "pipe.qcodec", "pipe.pt"])
def test_a_pipe_is_written_into_and_stays_one(tmp_path, name):
    pipe = tmp_path / name
    os.mkfifo(pipe)
    thread, read = read_in_background(pipe)
    size = save_file(TENSORS, pipe)
    thread.join()
    assert len(read[0]) == size
    assert same(load(read[0]), TENSORS)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == [name]


def test_a_pipe_that_nobody_reads_is_an_error_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "WAIT_SECONDS", 0.1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No process reads") as caught:
        save_file(TENSORS, pipe)
    assert caught.value.filename == str(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_reader_that_comes_late_is_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    timer = threading.Timer(0.2, lambda: read.append(pipe.read_bytes()))
    timer.start()
    save_file(TENSORS, pipe)
    timer.join()
    assert same(load(read[0]), TENSORS)


def test_a_pipe_whose_reader_goes_away_is_an_error_that_names_it(tmp_path, plain, command):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    large = {"w": RANDOM.integers(0, 256, 1 << 20).astype("u1")}  # more than a pipe holds
    safetensors.numpy.save_file(large, plain)
    thread = threading.Thread(target=lambda: os.close(os.open(pipe, os.O_RDONLY)))
    thread.start()
    code, out, err = command("encode", plain, pipe)
    thread.join()
    assert (code, out, err) == (1, "", f"qcodec: {pipe}: Broken pipe\n")


def test_a_full_pipe_that_does_not_block_is_waited_for(tmp_path):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    data = bytes(range(256)) * 4096
    read = []
    with os.fdopen(reader, "rb") as file:
        thread = threading.Thread(target=lambda: read.append(file.read()))
        thread.start()
        assert atomic.replace_file(f"/dev/fd/{writer}", [data]) == len(data)
        os.close(writer)
        thread.join()
    assert read == [data]


def test_the_null_device_stays_a_device(command, plain):
    number = Path("/dev/null").stat().st_rdev
    assert save_file(TENSORS, "/dev/null") == len(save(TENSORS))
    assert command("encode", plain, "/dev/null")[0] == 0
    status = Path("/dev/null").stat()
    assert (stat.S_ISCHR(status.st_mode), status.st_rdev) == (True, number)


def test_a_full_device_is_an_error_that_names_it(command, plain):
    code, out, err = command("encode", plain, "/dev/full")
    assert (code, out, err) == (1, "", "qcodec: /dev/full: No space left on device\n")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def make_block_device(path):
    try:
        os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(7, 250))
    except OSError:
        pytest.skip("devices are made by root")


REFUSED = {
    "folder": (lambda path: Path(path).mkdir(), "Is a directory"),
    "socket": (make_socket, "Is a socket, which cannot be opened as a file"),
    "block device": (make_block_device, "Is a block device, which would be overwritten"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("through_link", [False, True])
def test_what_cannot_be_written_is_refused_and_stays(
    tmp_path, monkeypatch, plain, command, make, message, through_link
):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    make("out.qcodec")
    if through_link:
        Path("link.qcodec").symlink_to("out.qcodec")
    given = "link.qcodec" if through_link else "out.qcodec"
    before = Path("out.qcodec").stat()
    with pytest.raises(OSError, match=message) as caught:
        save_file(TENSORS, given)
    assert caught.value.filename == given
    assert command("encode", plain, given) == (1, "", f"qcodec: {given}: {message}\n")
    assert os.path.samestat(before, Path("out.qcodec").stat())
    assert before.st_mode == Path("out.qcodec").stat().st_mode
    assert len(names(tmp_path)) == 2 + through_link


@pytest.mark.parametrize(
    "name", ["", ".", "..", "none/", "none/x.qcodec", "net.qcodec/", "dangling.qcodec"]
)
def test_impossible_names_are_refused_before_anything_is_encoded(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    save_file(TENSORS, "net.qcodec")
    Path("dangling.qcodec").symlink_to("nowhere/x.qcodec")
    asked = []

    class Asked(dict):
        def __getitem__(self, key):
            asked.append(key)
            return super().__getitem__(key)

    with pytest.raises(OSError, match=r"No such file|Is a directory|Not a directory") as caught:
        save_file(Asked(TENSORS), name)
    assert caught.value.filename == name
    assert asked == []
    assert names(tmp_path) == ["dangling.qcodec", "net.qcodec"]


# ---- /dev/stdout ----


def program(*arguments, **options):
    command = [sys.executable, "-m", "qcodec", *map(os.fspath, arguments)]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_data_goes_to_stdout_and_the_report_to_stderr(tmp_path, plain, name):
    if name == "link":
        (tmp_path / name).symlink_to("/dev/stdout")
    elif not Path(name).exists():
        pytest.skip(f"no {name} here")
    done = program("encode", plain, name, stdout=subprocess.PIPE, cwd=tmp_path)
    assert done.returncode == 0
    assert same(load(done.stdout), TENSORS)
    assert done.stderr.decode().startswith(f"{name}: 2 tensors, {len(done.stdout):,} bytes")
    done = program("decode", plain, name, "--json", stdout=subprocess.PIPE, cwd=tmp_path)
    assert same(safetensors.numpy.load(done.stdout), TENSORS)
    assert json.loads(done.stderr)["bytes"] == len(done.stdout)


def test_a_file_that_is_stdout_is_appended_to_and_not_replaced(tmp_path, plain):
    log = tmp_path / "log"
    log.write_bytes(b"first line\n")
    number = log.stat().st_ino
    with log.open("ab") as file:
        assert program("encode", plain, "/dev/stdout", stdout=file).returncode == 0
    data = log.read_bytes()
    assert data.startswith(b"first line\n")
    assert same(load(data[11:]), TENSORS)
    assert log.stat().st_ino == number


def test_a_socket_that_is_stdout_is_written_into(plain):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert program("encode", plain, "/dev/stdout", stdout=theirs).returncode == 0
        theirs.close()
        assert same(load(ours.makefile("rb").read()), TENSORS)


def test_a_terminal_gets_no_data(plain):
    terminal, other = os.openpty()
    done = program("encode", plain, "/dev/stdout", stdout=other)
    os.close(other)
    os.close(terminal)
    assert (done.returncode, done.stderr) == (
        2,
        b"qcodec: /dev/stdout: is a terminal: write into a file or a pipe\n",
    )


def test_a_descriptor_that_is_not_open_is_refused():
    with pytest.raises(OSError, match="Is not open in this process"):
        output_at("/dev/fd/987")


# ---- endings ----


@pytest.mark.parametrize(
    ("name", "ending"),
    [("encode", e) for e in ("pt", "npz", "NPZ", "bin", "weights", "qc.gz")]
    + [("decode", e) for e in ("qc", "QC", "weights", "py")]
    + [("encode", ""), ("decode", "")],
)
def test_the_command_line_refuses_endings_that_do_not_say_the_format(
    tmp_path, plain, command, name, ending
):
    path = tmp_path / (f"out.{ending}" if ending else "out")
    code, out, err = command(name, plain, path)
    assert (code, out) == (2, "")
    listed = {
        "encode": ".qc.safetensors, .safetensors, .qcodec\n",
        "decode": ".safetensors, .npz, .gguf, .onnx, .pt, .pth, .bin, .ckpt, .npy, .pkl, .pickle, "
        ".index.json\n",
    }
    assert err == f"qcodec: {path}: the ending must say the format: allowed are {listed[name]}"
    assert names(tmp_path) == [plain.name]


@pytest.mark.parametrize("ending", ["pt", "npy", "gguf", "ONNX"])
def test_another_format_is_written_only_if_that_was_encoded(tmp_path, plain, command, ending):
    path = tmp_path / f"out.{ending}"
    code, out, err = command("decode", plain, path)
    assert (code, out) == (2, "")
    assert f".{ending.lower()} cannot be written, as IN was not encoded from such a file" in err
    assert names(tmp_path) == [plain.name]


@pytest.mark.parametrize("name", ["net.pt", "net.npz", "net.PT", "net.qcodec.gz", "net.bin"])
def test_save_file_refuses_the_endings_of_other_formats(tmp_path, name):
    with pytest.raises(
        ValueError, match=r"another format: allowed are .*\.safetensors and \.qcodec"
    ):
        save_file(TENSORS, tmp_path / name)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["net", "net.tmp", "net.safetensors", "net.v2", "npz", ".npz"])
def test_save_file_takes_names_without_the_ending_of_another_format(tmp_path, name):
    assert save_file(TENSORS, tmp_path / name) == len(save(TENSORS))
    assert same(load_file(tmp_path / name), TENSORS)


@pytest.mark.parametrize("name", ["net.qcodec", "net.QCODEC"])
def test_endings_are_compared_without_regard_to_case(tmp_path, name):
    save_file(TENSORS, tmp_path / name)
    assert (tmp_path / name).read_bytes()[:2] == b"QP"
    check_not_misleading(name)


# ---- writing onto what is being read ----


def names_of(path):
    """Other names of the same file."""
    folder = path.parent
    (folder / "folder").mkdir()
    (folder / "link.safetensors").symlink_to(path)
    (folder / "hard.safetensors").hardlink_to(path)
    (folder / "up").symlink_to(folder)
    return {
        "itself": path,
        "link": folder / "link.safetensors",
        "hard link": folder / "hard.safetensors",
        "folder and back": folder / "folder" / ".." / path.name,
        "linked folder": folder / "up" / path.name,
    }


NAMES = ["itself", "link", "hard link", "folder and back", "linked folder"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("base_is_link", [False, True])
def test_a_delta_is_not_saved_onto_its_base(plain, name, base_is_link):
    others, before = names_of(plain), plain.read_bytes()
    base, path = (others[name], plain) if base_is_link else (plain, others[name])
    recipes = [
        qcodec.Delta(base),
        qcodec.Recipe([Rule("^w$", qcodec.Delta(base))]),
        {"w": {"id": "delta", "base": str(base)}},
    ]
    for recipe in recipes:
        with pytest.raises(ValueError, match="is the base") as caught:
            save_file(TUNED, path, recipe=recipe)
        assert repr(str(path)) in str(caught.value)
    assert plain.read_bytes() == before
    save_file(TUNED, plain.with_name("tuned.safetensors"), recipe=qcodec.Delta(base))


@pytest.mark.parametrize("name", NAMES)
def test_no_command_writes_onto_the_base(tmp_path, plain, command, name):
    others, before = names_of(plain), plain.read_bytes()
    tuned, delta = tmp_path / "tuned.safetensors", tmp_path / "delta.safetensors"
    safetensors.numpy.save_file(TUNED, tuned)
    assert command("encode", tuned, delta, "--base", plain)[0] == 0
    for out, base in ((others[name], plain), (plain, others[name])):
        for verb, source in (("encode", tuned), ("decode", delta)):
            code, _, err = command(verb, source, out, "--base", base, "--force")
            assert (code, err.count("\n")) == (2, 1)
            assert err.startswith(f"qcodec: {out}: is the base")
    assert plain.read_bytes() == before


LOSSY = [
    ["--recipe", "ternary"],
    ["--tensor", "w=affine(bits=4)"],
    ["--tensor", 'w=sparse(codec={id="lossless"},prune={id="density",density=0.1})'],
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lossy", LOSSY)
def test_a_file_is_not_replaced_by_its_own_lossy_encoding_unless_forced(
    plain, command, name, lossy
):
    path, before = names_of(plain)[name], plain.read_bytes()
    code, out, err = command("encode", plain, path, *lossy)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "of which bits would be lost: name another file, or use --force" in err
    assert plain.read_bytes() == before
    assert command("encode", plain, path, *lossy, "--force")[0] == 0
    assert not same(load_file(path), TENSORS)


@pytest.mark.parametrize(
    "lossless",
    [
        [],
        ["--tensor", "w=keep"],
        ["--tensor", "w=verbatim"],
        ["--tensor", 'w=sparse(codec={id="verbatim"})'],
    ],
)
def test_a_file_may_be_replaced_by_its_own_lossless_encoding(plain, command, lossless):
    assert command("encode", plain, plain, *lossless)[0] == 0
    assert same(load_file(plain), TENSORS)
    assert command("decode", plain, plain)[0] == 0
    assert same(safetensors.numpy.load_file(plain), TENSORS)


def test_a_file_is_not_replaced_by_its_own_values_in_another_type_unless_forced(plain, command):
    before = plain.read_bytes()
    code, _, err = command("decode", plain, plain, "--dtype", "float16")
    assert (code, "--force" in err) == (2, True)
    assert plain.read_bytes() == before
    assert command("decode", plain, plain, "--dtype", "float16", "--force")[0] == 0
    assert load_file(plain)["w"].dtype == np.float16


def test_a_stream_that_is_the_input_is_refused(plain):
    before = plain.read_bytes()
    with plain.open("ab") as file:
        done = program("encode", plain, "/dev/stdout", stdout=file)
    assert done.returncode == 2
    assert done.stderr == (
        b"qcodec: /dev/stdout: is the input, which cannot be read and written at once\n"
    )
    assert plain.read_bytes() == before
