"""Saving leaves the old file or the new one, whatever happens on the way."""

import errno
import os
import stat
import sys
import threading

import numpy as np
import pytest

from qcodec.atomic import replace_file
from qcodec.files import load_file, save_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes of POSIX")

#: The promise is for a thousand and more: QCODEC_KILLS=2000.
KILLS = int(os.environ.get("QCODEC_KILLS", "100"))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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


@pytest.mark.parametrize("suffix", [".qc", ".safetensors"])
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


def test_a_folder_in_the_way_is_an_error_and_nothing_is_left(tmp_path):
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


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        (tmp_path / ".file.qcodec-tmp").write_bytes(b"stray")
        (tmp_path / ".file.qcodec-tmp").chmod(0o777)
        replace_file(tmp_path / "file", [b"new"])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_replaced_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    replace_file(path, [b"new"])
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


def test_a_symbolic_link_stays_one(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "real")
    replace_file(tmp_path / "link", [b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "real").read_bytes() == b"new"


def test_the_temporary_file_does_not_follow_a_planted_link(tmp_path):
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / ".file.qcodec-tmp").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="qcodec-tmp"):
        replace_file(tmp_path / "file", [b"new"])
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_saves_of_one_file_at_the_same_time_wait_for_each_other(tmp_path):
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
