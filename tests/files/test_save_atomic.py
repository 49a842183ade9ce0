"""Saving leaves the old file or the new one, whatever happens meanwhile."""

import errno
import os
import stat
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from qcodec._io import atomic
from qcodec._io.atomic import replace_file
from qcodec.files import load_file, save_file

if sys.platform != "win32":
    import fcntl

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes of POSIX")

#: The promise is for a thousand and more: QCODEC_KILLS=2000.
KILLS = int(os.environ.get("QCODEC_KILLS", "100"))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def temporary_names(path):
    return atomic._temporary_names(path)


KILLED_WHILE_SAVING = """
import os, random, signal, sys, time
import numpy as np
from qcodec.files import load_file, save_file

path, kills = sys.argv[1], int(sys.argv[2])
tensors = [{"w": np.full((50, 300), n, "f4") + np.arange(300) % 7} for n in range(2)]
random.seed(1)

def save_for_ever():
    while True:
        for choice in tensors:
            save_file(choice, path)

def seconds_of_a_save():
    start = time.perf_counter()
    save_file(tensors[0], path)
    return time.perf_counter() - start

duration = max(seconds_of_a_save() for _ in range(5))
strays = 0
for _ in range(kills):
    child = os.fork()
    if child == 0:
        save_for_ever()
    time.sleep(random.uniform(0, 3 * duration))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = load_file(path)["w"]
    assert any(np.array_equal(found, choice["w"]) for choice in tensors)
    others = set(os.listdir(os.path.dirname(path))) - {os.path.basename(path)}
    assert len(others) <= 1, others
    strays += len(others)
    if random.random() < 0.5:
        save_file(tensors[0], path)
        assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]
print(strays)
"""


def test_a_killed_save_leaves_a_whole_file_and_at_most_one_stray(tmp_path, run_python):
    strays = run_python(KILLED_WHILE_SAVING, tmp_path / "net.safetensors", str(KILLS))
    assert int(strays) > 0  # else no kill fell into a save, and nothing was tested


FULL_DISK = """
import resource, sys
import numpy as np
from qcodec.files import save_file
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    save_file({"w": np.random.default_rng(0).normal(size=(100, 100))}, sys.argv[1])
except OSError as error:
    print(error.errno)
"""


@pytest.mark.parametrize("suffix", [".qcodec", ".safetensors"])
def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path, run_python, suffix):
    path = tmp_path / f"net{suffix}"
    save_file({"old": np.ones(3)}, path)
    assert int(run_python(FULL_DISK, path)) == errno.EFBIG
    assert load_file(path)["old"].tolist() == [1, 1, 1]
    assert names(tmp_path) == [path.name]


def test_a_failure_while_the_bytes_are_made_leaves_the_old_file(tmp_path):
    def parts():
        yield b"half of it"
        raise RuntimeError("broken")

    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="broken"):
        replace_file(path, parts())
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_saving_onto_a_folder_is_an_error_and_leaves_no_file(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        replace_file(tmp_path / "file", [b"new"])
    assert names(tmp_path) == ["file"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "none" / "file", [b"new"])


def test_a_stray_file_is_removed_by_the_next_save(tmp_path):
    (tmp_path / ".file.qcodec-tmp").write_bytes(b"left by a killed save")
    assert replace_file(tmp_path / "file", [b"new", memoryview(b" bytes")]) == 9
    assert (tmp_path / "file").read_bytes() == b"new bytes"
    assert names(tmp_path) == ["file"]


def test_a_symbolic_link_stays_one(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "real")
    replace_file(tmp_path / "link", [b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "real").read_bytes() == b"new"


def test_another_hard_link_keeps_the_old_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "other").hardlink_to(tmp_path / "file")
    replace_file(tmp_path / "file", [b"new"])
    assert (tmp_path / "other").read_bytes() == b"old"


def test_a_folder_that_fails_to_flush_is_no_error_once_the_file_is_replaced(tmp_path, monkeypatch):
    fsync = os.fsync

    def fail_for_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_for_folders)
    assert replace_file(tmp_path / "file", [b"new"]) == 3
    assert (tmp_path / "file").read_bytes() == b"new"


# ---- what may be in the way of the temporary file ----


def plant_link(path):
    path.symlink_to(path.with_name("victim"))


def plant_stray(path):
    path.write_bytes(b"left by a killed save")


PLANTS = {"link": plant_link, "folder": Path.mkdir, "pipe": os.mkfifo, "stray": plant_stray}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_temporary_name_that_is_in_use_is_skipped(tmp_path, plant):
    (tmp_path / "victim").write_bytes(b"precious")
    plant(tmp_path / ".file.qcodec-tmp")
    replace_file(tmp_path / "file", [b"new"])
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert set(names(tmp_path)) <= {"file", "victim", ".file.qcodec-tmp"}


def test_a_lock_of_another_process_does_not_hold_up_a_save(tmp_path):
    path = tmp_path / ".file.qcodec-tmp"
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        replace_file(tmp_path / "file", [b"new"])
        assert path.exists()  # it may be another save of the same file
    replace_file(tmp_path / "file", [b"newer"])
    assert names(tmp_path) == ["file"]


def test_without_any_temporary_name_a_save_ends_in_an_error_that_names_the_file(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(atomic, "WAIT_SECONDS", 0.1)
    path = tmp_path / "file"
    path.write_bytes(b"old")
    for name in temporary_names(path):
        name.mkdir()
    with pytest.raises(OSError, match=r"All of its .* temporary names are in use") as caught:
        replace_file(path, [b"new"])
    assert (caught.value.errno, caught.value.filename) == (errno.EBUSY, str(path))
    assert path.read_bytes() == b"old"


def test_a_save_waits_until_a_temporary_name_is_free(tmp_path):
    path = tmp_path / "file"
    taken = temporary_names(path)
    for name in taken:
        name.mkdir()
    timer = threading.Timer(0.2, taken[3].rmdir)
    timer.start()
    replace_file(path, [b"new"])
    timer.join()
    assert path.read_bytes() == b"new"


def test_every_stray_is_removed_by_the_next_save(tmp_path):
    path = tmp_path / "file"
    for name in temporary_names(path):
        name.write_bytes(b"left by a killed save")
    replace_file(path, [b"new"])
    assert names(tmp_path) == ["file"]


def test_a_failed_save_does_not_remove_the_temporary_file_of_another(tmp_path):
    path = tmp_path / "file"

    def parts():
        temporary = tmp_path / ".file.qcodec-tmp"
        temporary.unlink()
        temporary.write_bytes(b"of another save")
        raise RuntimeError("broken")
        yield

    with pytest.raises(RuntimeError, match="broken"):
        replace_file(path, parts())
    assert (tmp_path / ".file.qcodec-tmp").read_bytes() == b"of another save"


# ---- names ----


@pytest.mark.parametrize("size", [2, 100, 101, 242, 243, 255])
@pytest.mark.parametrize("letter", ["n", "ü"])
def test_any_name_that_the_file_system_takes_can_be_saved(tmp_path, size, letter):
    name = (letter * size).encode()[:size].decode(errors="ignore")
    path = tmp_path / name
    for content in (b"new", b"newer"):
        replace_file(path, [content])
        assert path.read_bytes() == content
    assert names(tmp_path) == [name]


def test_long_names_that_begin_alike_have_temporary_files_of_their_own(tmp_path):
    first, second = ({*temporary_names(tmp_path / ("n" * 200 + end))} for end in "ab")
    assert not first & second


def test_a_name_that_is_too_long_is_an_error_that_names_it(tmp_path):
    path = tmp_path / ("n" * 256)
    with pytest.raises(OSError, match="too long") as caught:
        replace_file(path, [b"new"])
    assert caught.value.filename == str(path)


# ---- at the same time ----


def test_saves_of_one_file_at_the_same_time_each_leave_a_whole_one(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([number]) * 100_000 for number in range(4)]
    errors = []

    def save_often(content):
        try:
            for _ in range(25):
                replace_file(path, [content[:50_000], content[50_000:]])
                assert path.read_bytes() in contents
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=save_often, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert names(tmp_path) == ["file"]
