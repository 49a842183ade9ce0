"""Parts of the C core that work alone, built from exactly the files that csrc/README.md lists."""

import hashlib
import json
import re
import subprocess
import sys

import numpy as np
import pytest

import qcodec
from qcodec import streams
from tests.c.c_programs import COMPILER, CSRC, FLAGS, ROOT, compile_once, object_of, run
from tests.repository import GOLDEN

PROGRAMS = ROOT / "tests/c/parts"
README = (CSRC / "README.md").read_text()
SHARED = re.search(r"built from `([^`]*)` and:", README)[1].split()
PARTS = {
    name: patterns.split()
    for name, patterns in re.findall(r"^\| (\w+) \| `([^`]*)` \|$", README, re.M)
}

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler")


def files_of(patterns):
    found = [sorted(CSRC.glob(pattern)) for pattern in patterns]
    assert all(found), f"a pattern of {patterns} has no files"
    return [path for files in found for path in files]


@pytest.fixture(scope="module", params=[False, True], ids=["all kernels", "portable"])
def build(tmp_path_factory, request):
    """A function that links a part's program; gives its path and what the linker said."""
    command = [*COMPILER.split(), *FLAGS, "-O0"]
    shared = SHARED
    if request.param:
        command += ["-DQC_PORTABLE"]
        shared = [pattern.replace("kernels/**/", "kernels/") for pattern in SHARED]
    every = sorted({path for patterns in (shared, *PARTS.values()) for path in files_of(patterns)})
    compiled = dict(
        zip(every, compile_once(dict.fromkeys(every, command), tmp_path_factory), strict=True)
    )

    def link(name, *flags):
        folder = tmp_path_factory.mktemp(name)
        archive, program = folder / "libpart.a", folder / name
        files = files_of([*shared, *PARTS[name]])
        run("ar", "rcs", archive, *(compiled[path] for path in files))
        mathematics = ["-lm"] if name == "quantizers" else []  # the codec needs none
        linked = run(*command, PROGRAMS / f"{name}.c", *flags, archive, *mathematics, "-o", program)
        return program, linked

    return link


def feed(program, *arguments, data=b""):
    done = subprocess.run([program, *arguments], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_names_the_parts():
    assert set(PARTS) == {path.stem for path in PROGRAMS.glob("*.c")}


@pytest.mark.skipif(sys.platform != "linux", reason="other linkers trace in other words")
@pytest.mark.parametrize("name", PARTS)
def test_a_part_lists_no_file_that_it_does_not_need(build, name):
    _, linked = build(name, "-Wl,--trace,--trace")  # said twice, it names members of archives
    taken = set(re.findall(r"[\w-]+\.o\b", linked))
    own = {object_of(path, ROOT).name for path in files_of(PARTS[name])}
    assert own - taken == set()


def test_a_decoder_alone_decodes_golden_frames(build):
    program, _ = build("decoder")
    folder = max(GOLDEN.iterdir())
    manifest = json.loads((folder / "manifest.json").read_text())["valid"]
    decoded = 0
    for name, entry in manifest.items():
        if name.endswith(".frame") and not (folder / f"{name}.base").exists():
            values = feed(program, "frame", data=(folder / name).read_bytes())
            assert hashlib.sha256(values).hexdigest() == entry["values"], name
            decoded += 1
    assert decoded > 100
    symbols = np.arange(300) % 7
    stream = streams.encode(symbols, "huffman")
    assert list(feed(program, "stream", "300", "3", data=stream)) == list(symbols)


def test_an_encoder_alone_writes_what_the_library_reads(build):
    program, _ = build("encoder")
    array = np.random.default_rng(1).integers(0, 6, 5000).astype(np.uint8) // 4
    written, parts = feed(program, data=array.tobytes()), []
    while written:
        size = int.from_bytes(written[:4], "little")
        parts.append(written[4 : 4 + size])
        written = written[4 + size :]
    dense, sparse, stream = parts
    assert np.array_equal(qcodec.decode(dense), array)
    assert np.array_equal(qcodec.decode(sparse), array)
    assert np.array_equal(streams.decode(stream, 5000, 8), array)


def test_packs_alone_find_a_name(build):
    program, _ = build("packs")
    assert feed(program) == b"1 3 5\n"


def test_quantizers_alone_choose_numbers(build):
    program, _ = build("quantizers")
    exact = b"4: 332210, 0.5: 004478\n"
    halves = b"1: bc00 4100 4200\n"
    assert feed(program) == exact + b"-1 1.875 3.1875, 001111, 2.75 1, 5 1\n" + halves
