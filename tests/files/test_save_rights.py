"""A saved file keeps the owner, group, mode and attributes of the file that it replaces."""

import os
import stat
import struct
import sys
import tempfile
from pathlib import Path

import pytest

from qcodec._io.atomic import replace_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes of POSIX")

as_root = pytest.mark.skipif(getattr(os, "geteuid", int)() != 0, reason="needs root")
STRANGER = 12345

AS_NOBODY = """
import os, sys
from qcodec._io.atomic import replace_file
path, group = sys.argv[1], int(sys.argv[2])
os.setgroups([group])
os.setgid(65534)
os.setuid(65534)
os.umask(0)
try:
    replace_file(path, [b"new"])
except OSError as error:
    assert error.filename == path, error.filename
    print(error.strerror)
"""


@pytest.fixture
def save_as_nobody(run_python):
    """Save as a process without rights; what went wrong."""

    def save(path, group=65534):
        return run_python(AS_NOBODY, path, str(group)).strip()

    return save


@pytest.fixture
def shared():
    """A folder in which everybody may do everything: not tmp_path, whose parents are private."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


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


@as_root
def test_the_owner_of_a_replaced_file_stays(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    os.chown(path, STRANGER, STRANGER + 1)
    path.chmod(0o640)
    replace_file(path, [b"new"])
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (STRANGER, STRANGER + 1)
    assert stat.S_IMODE(status.st_mode) == 0o640


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6711, 0o1644])
def test_setuid_setgid_and_sticky_bits_are_removed(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    replace_file(path, [b"new"])
    assert stat.S_IMODE(path.stat().st_mode) == mode & 0o777


@as_root
@pytest.mark.parametrize(
    ("mode", "expected"), [(0o666, 0o666), (0o662, 0o622), (0o626, 0o622), (0o676, 0o666)]
)
def test_another_group_than_the_old_one_may_do_no_more_than_everybody(
    shared, save_as_nobody, mode, expected
):
    path = shared / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    assert save_as_nobody(path) == ""
    assert path.read_bytes() == b"new"
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (65534, 65534)
    assert stat.S_IMODE(status.st_mode) == expected


@as_root
def test_members_of_the_old_group_keep_it(shared, save_as_nobody):
    path = shared / "file"
    path.write_bytes(b"old")
    os.chown(path, 0, STRANGER)
    path.chmod(0o660)
    assert save_as_nobody(path, STRANGER) == ""
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (65534, STRANGER)
    assert stat.S_IMODE(status.st_mode) == 0o660


@as_root
def test_a_write_protected_file_or_folder_is_refused(shared, save_as_nobody):
    path = shared / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    assert save_as_nobody(path) == "Permission denied: it is write-protected"
    path.chmod(0o666)
    shared.chmod(0o755)
    assert save_as_nobody(path) == "Permission denied: its folder cannot be written to"
    assert path.read_bytes() == b"old"
    assert [path.name for path in shared.iterdir()] == ["file"]


@as_root
def test_a_folder_that_cannot_be_read_or_flushed_is_no_error(shared, save_as_nobody):
    path = shared / "file"
    path.write_bytes(b"old")
    path.chmod(0o666)
    shared.chmod(0o733)
    assert save_as_nobody(path) == ""
    assert path.read_bytes() == b"new"


@as_root
def test_the_stray_file_of_another_user_is_skipped(shared, save_as_nobody):
    shared.chmod(0o1777)
    (shared / ".file.qcodec-tmp").write_bytes(b"left by root")
    assert save_as_nobody(shared / "file") == ""
    assert {path.name for path in shared.iterdir()} == {".file.qcodec-tmp", "file"}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o200])
def test_a_temporary_file_is_never_more_readable_than_its_target(tmp_path, monkeypatch, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    modes = []

    def look(name):
        def call(*arguments):
            found = [temporary.stat() for temporary in tmp_path.glob(".file*")]
            modes.extend(stat.S_IMODE(status.st_mode) for status in found)
            return real(*arguments)

        real = getattr(os, name)
        monkeypatch.setattr(os, name, call)

    for name in ("fstat", "fchown", "fchmod", "fsync"):
        look(name)
    replace_file(path, [b"new"])
    assert modes
    assert all(found & ~mode & 0o077 == 0 for found in modes)
    assert modes[-1] == mode  # as it is when the bytes are complete


def attributes_are_stored(folder):
    try:
        os.setxattr(folder, "user.qcodec", b"1")
    except (AttributeError, OSError):
        return False
    return True


def access_list(user, group):
    """An access control list as the kernel takes it: the owner's, a user's, the group's."""
    entries = [(1, 6, -1), (2, user, STRANGER), (4, group, -1), (16, user | group, -1), (32, 0, -1)]
    packed = [struct.pack("<HHI", tag, rights, who & 0xFFFFFFFF) for tag, rights, who in entries]
    return struct.pack("<I", 2) + b"".join(packed)


def test_attributes_and_access_control_lists_are_kept(tmp_path):
    if not attributes_are_stored(tmp_path):
        pytest.skip("a file system without extended attributes")
    path, acl = tmp_path / "file", access_list(4, 0)
    path.write_bytes(b"old")
    os.setxattr(path, "user.note", b"of the user")
    os.setxattr(path, "system.posix_acl_access", acl)
    mode = path.stat().st_mode
    replace_file(path, [b"new"])
    assert os.getxattr(path, "user.note") == b"of the user"
    assert os.getxattr(path, "system.posix_acl_access") == acl
    assert path.stat().st_mode == mode


def test_a_replaced_file_does_not_inherit_the_rights_of_its_folder(tmp_path):
    if not attributes_are_stored(tmp_path):
        pytest.skip("a file system without extended attributes")
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    os.setxattr(tmp_path, "system.posix_acl_default", access_list(4, 4))
    replace_file(path, [b"new"])
    assert os.listxattr(path) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
