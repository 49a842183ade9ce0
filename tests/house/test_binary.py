"""The compiled module of a wheel: hardened, stripped, and the same wherever it is built."""

import os
import platform
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.repository import ROOT

elffile = pytest.importorskip("elftools.elf.elffile")

pytestmark = [
    pytest.mark.builds,
    pytest.mark.skipif(sys.platform != "linux", reason="its modules are no ELF files"),
]

DF_BIND_NOW = 0x8
DF_1_NOW = 0x1
#: Two names of folders, as in the path of a header or of Python's libraries.
PATH = re.compile(rb"(?<![\w.])/\w+/\w[ -~]*")


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


def copy_project(folder, mode, seconds):
    """The project as git would commit it now, with other permissions and times."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git clone")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((ROOT / name).read_bytes())
            path.chmod(mode)
            os.utime(path, (seconds, seconds))


def build_wheel(folder, umask, **environment):
    """A wheel, every file of which is compiled anew."""
    environment = os.environ | {"CCACHE_DISABLE": "1"} | environment
    environment.pop("SOURCE_DATE_EPOCH", None)
    command = (sys.executable, "-m", "build", "--wheel", "--no-isolation")
    run(*command, cwd=folder, env=environment, umask=umask)
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The same wheel, built in two folders from files of other times and permissions."""
    for tool in ("build", "Cython", "setuptools"):
        pytest.importorskip(tool)
    folders = [tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two") / "a/longer/path"]
    copy_project(folders[0], 0o644, 1_000_000_000)
    copy_project(folders[1], 0o660, 2_000_000_000)
    settings = ({"TZ": "UTC"}, {"TZ": "Asia/Tokyo", "LC_ALL": "C"})
    with ThreadPoolExecutor() as pool:
        built = [
            pool.submit(build_wheel, folder, umask, **setting)
            for folder, umask, setting in zip(folders, (0o022, 0o007), settings, strict=True)
        ]
        return [each.result() for each in built]


@pytest.fixture(scope="module")
def module(wheels, tmp_path_factory):
    """The path of the wheel's compiled module."""
    with zipfile.ZipFile(wheels[0]) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".so")]
        return archive.extract(name, tmp_path_factory.mktemp("module"))


@pytest.fixture
def elf(module):
    with open(module, "rb") as file:
        yield elffile.ELFFile(file)


def test_a_wheel_depends_on_neither_place_nor_time(wheels):
    one, two = map(zipfile.ZipFile, wheels)
    assert one.namelist() == two.namelist()
    different = [name for name in one.namelist() if one.read(name) != two.read(name)]
    assert different == []
    assert wheels[0].name == wheels[1].name
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


def test_nothing_names_the_machine_that_built_it(module, elf):
    with open(module, "rb") as file:
        assert PATH.findall(file.read()) == []
    tags = {tag.entry.d_tag for tag in elf.get_section_by_name(".dynamic").iter_tags()}
    assert not tags & {"DT_RPATH", "DT_RUNPATH"}


def test_symbols_and_debug_information_are_stripped(elf):
    names = {section.name for section in elf.iter_sections()}
    assert ".dynsym" in names
    assert not [name for name in names if re.match(r"\.(symtab|strtab|z?debug)", name)]


def test_nothing_but_the_entry_of_python_is_exported(elf):
    exported = [
        symbol.name
        for symbol in elf.get_section_by_name(".dynsym").iter_symbols()
        if symbol.entry.st_shndx != "SHN_UNDEF"
    ]
    assert exported == ["PyInit_core"]


def test_relocated_data_is_read_only_before_any_code_runs(elf):
    tags = {tag.entry.d_tag: tag for tag in elf.get_section_by_name(".dynamic").iter_tags()}
    assert "DT_TEXTREL" not in tags
    assert tags["DT_FLAGS"].entry.d_val & DF_BIND_NOW
    assert tags["DT_FLAGS_1"].entry.d_val & DF_1_NOW
    assert "PT_GNU_RELRO" in {segment.header.p_type for segment in elf.iter_segments()}


def test_no_segment_can_be_written_and_executed(elf):
    segments = [(segment.header.p_type, segment.header.p_flags) for segment in elf.iter_segments()]
    writable, executable = 0x2, 0x1
    assert "PT_GNU_STACK" in dict(segments)
    assert [kind for kind, flags in segments if flags & writable and flags & executable] == []
    assert not dict(segments)["PT_GNU_STACK"] & executable


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library has no such functions")
def test_stack_and_copies_are_checked(elf):
    symbols = elf.get_section_by_name(".dynsym").iter_symbols()
    needed = {symbol.name for symbol in symbols if symbol.entry.st_shndx == "SHN_UNDEF"}
    assert "__stack_chk_fail" in needed
    assert "__memcpy_chk" in needed
