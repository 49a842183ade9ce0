"""The C core on machines that this one is not: cross-compiled, and run by emulation.

aarch64 has vector kernels of its own, s390x is big-endian, i686 has 32 bits. On Debian:
`apt-get install qemu-user-static gcc-aarch64-linux-gnu gcc-s390x-linux-gnu gcc-i686-linux-gnu`.
"""

import json
import shutil

import numpy as np
import pytest
from c_programs import FLAGS, PROGRAMS, ROOT, build_core, run

from qcodec.encoded import Encoded
from qcodec.tensor import decode

EMULATORS = {"aarch64": "aarch64", "s390x": "s390x", "i686": "i386"}
#: Tests of much arithmetic and nothing that a machine could do in its own way.
SLOW = {"test_huffman_gate", "test_streams_round_trip"}
GOLDEN = sorted((ROOT / "tests/golden").glob("*/manifest.json"))


def found(*names):
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="module", params=EMULATORS)
def machine(request, tmp_path_factory):
    """How to build a program for the machine, and how to run it."""
    compiler = found(f"{request.param}-linux-gnu-gcc")
    name = f"qemu-{EMULATORS[request.param]}"
    emulator = found(f"{name}-static", name)
    if not compiler or not emulator:
        pytest.skip(f"no {request.param}-linux-gnu-gcc, or no {name}")
    command = [compiler, *FLAGS, "-static"]
    objects = build_core(command, tmp_path_factory.mktemp(request.param))

    def build_and_run(program, folder, *arguments):
        executable = folder / program.stem
        run(*command, program, *objects, "-lm", "-o", executable)
        return run(emulator, executable, *arguments)

    return build_and_run


@pytest.mark.parametrize(
    "program", [path for path in PROGRAMS if path.stem not in SLOW], ids=lambda path: path.stem
)
def test_c_program_passes(program, machine, tmp_path):
    machine(program, tmp_path)


def assert_same_bits(found, expected):
    """But for the sign and payload of NaNs, which the format leaves open."""
    is_number = expected == expected  # noqa: PLR0124
    assert np.array_equal(found == found, is_number)  # noqa: PLR0124
    assert found[is_number].tobytes() == expected[is_number].tobytes()


def base_of(path):
    """What a frame of kind delta was stored against, which stands beside it."""
    base = path.with_name(path.name + ".base")
    if not base.exists():
        return None
    encoded = Encoded(path.read_bytes())
    return np.frombuffer(base.read_bytes(), encoded.dtype).reshape(encoded.shape)


@pytest.mark.parametrize("manifest", GOLDEN, ids=lambda path: path.parent.name)
def test_golden_frames_decode_to_their_values_or_errors(manifest, machine, tmp_path):
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    errors = {manifest.parent / name: "ok" for name in entries["valid"]}
    for name, entry in entries["broken"].items():
        errors[manifest.parent / "broken" / name] = entry["error"]
    errors = {path: error for path, error in errors.items() if path.suffix == ".frame"}
    printed = machine(ROOT / "tests/c/decode_frames.c", tmp_path, tmp_path, *errors)
    assert dict(zip(errors, printed.split(), strict=True)) == errors
    for number, (path, error) in enumerate(errors.items()):
        if error == "ok":
            expected = decode(path.read_bytes(), base=base_of(path))
            found = np.fromfile(tmp_path / str(number), expected.dtype).reshape(expected.shape)
            assert_same_bits(found, expected)
