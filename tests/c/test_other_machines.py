"""The C core on machines that this one is not: cross-compiled, and run by emulation.

What it decodes and what it encodes is the same on all of them.

aarch64 has vector kernels of its own, s390x is big-endian, i686 has 32 bits. On Debian:
`apt-get install qemu-user-static gcc-aarch64-linux-gnu gcc-s390x-linux-gnu gcc-i686-linux-gnu`.
"""

import functools
import json
import shutil

import numpy as np
import pytest

from qcodec import Encoded
from qcodec._frame.ids import PROFILES
from qcodec.tensor import decode
from tests.c.c_programs import FLAGS, PROGRAMS, ROOT, host_core, run, shared_core
from tests.repository import GOLDEN

EMULATORS = {"aarch64": "aarch64", "s390x": "s390x", "i686": "i386"}
#: Tests of much arithmetic, or of sanitizers' findings, and nothing that a machine could do in its
#: own way.
SLOW = {"test_huffman_gate", "test_streams_round_trip", "test_changing_buffers"}
ALL_CODINGS = 2**64 - 1
MANIFESTS = sorted(GOLDEN.glob("*/manifest.json"))

pytestmark = pytest.mark.builds


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
    objects = shared_core(command, tmp_path_factory)

    return functools.partial(build_and_run, command, objects, [emulator])


def build_and_run(command, objects, emulator, program, folder, *arguments):
    executable = folder / program.stem
    run(*command, program, *objects, "-lm", "-o", executable)
    return run(*emulator, executable, *arguments)


@pytest.fixture(scope="module")
def this_machine(tmp_path_factory):
    """The same for this one."""
    return functools.partial(build_and_run, *host_core(tmp_path_factory), [])


@pytest.mark.parametrize(
    "program", [path for path in PROGRAMS if path.stem not in SLOW], ids=lambda path: path.stem
)
def test_c_program_passes(program, machine, tmp_path):
    machine(program, tmp_path)


def assert_same_bits(found, expected):
    """But for the sign and payload of NaNs, which the format leaves open."""
    with np.errstate(invalid="ignore"):  # of signalling NaNs
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


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
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


def requests_of(manifest):
    """(path, profile, codings, expected bytes or None): every valid frame in every profile that can
    hold it, and those of the library's encoder as they were made."""
    for name, entry in json.loads(manifest.read_text(encoding="utf-8"))["valid"].items():
        path = manifest.parent / name
        if path.suffix != ".frame":
            continue
        # A codebook in another order is coded, which fast and fixed never do.
        profiles = ("balanced", "small") if "permuted" in name else PROFILES
        for profile in profiles:
            yield path, PROFILES[profile], ALL_CODINGS, None
        if "encode" in entry:
            made = entry["encode"]
            yield path, PROFILES[made["profile"]], made["codings"], path.read_bytes()


def encode_again(machine, requests, folder):
    """What the machine makes of the codes of each request's frame."""
    folder.mkdir()
    arguments = [part for path, *how, _ in requests for part in (path, *map(str, how))]
    machine(ROOT / "tests/c/encode_frames.c", folder, folder, *arguments)
    return [(folder / str(number)).read_bytes() for number in range(len(requests))]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_golden_frames_are_encoded_again_to_the_same_bytes(
    manifest, machine, this_machine, tmp_path
):
    requests = list(requests_of(manifest))
    there = encode_again(machine, requests, tmp_path / "there")
    here = encode_again(this_machine, requests, tmp_path / "here")
    assert [same for same, other in zip(there, here, strict=True) if same != other] == []
    for (path, *_, expected), data in zip(requests, here, strict=True):
        if expected is not None:
            assert data == expected, path.name
        else:
            base = base_of(path)
            assert_same_bits(decode(data, base=base), decode(path.read_bytes(), base=base))
