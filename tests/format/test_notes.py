"""Notes of frames: checksums of elements and of bases, which only `verify` checks."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
import reference
from qcodec import Affine, Codebook, Delta, Encoded, Lossless, Notes, Sparse, Ternary, Verbatim
from qcodec._base.arrays import little_endian_bytes
from qcodec._core import core
from qcodec._file.pack import PackItem, write_pack
from qcodec._file.tensor_file import TensorFile
from qcodec._frame.encode import encode_quantized
from qcodec._io.source import BytesSource, open_source
from qcodec.cli import main
from qcodec.errors import BaseError, ChecksumError, LimitError
from qcodec.limits import Limits
from qcodec.quantize import quantize_verbatim
from reference.conventions import Checksum, crc32c

ALL_CODINGS = (1 << len(core.coding_names())) - 1
PROFILES = ("fast", "balanced", "small", "fixed")

random = np.random.default_rng(0)
NOISE = random.normal(size=(40, 30)).astype("f4")
LARGE = random.normal(size=(600, 1000)).astype("f4")
BASE = NOISE + np.float32(1e-4) * random.normal(size=NOISE.shape).astype("f4")
#: Arrays and codecs for every kind and positions form, chunked and not.
TENSORS = {
    "planes": (NOISE, Lossless()),
    "bytes": (NOISE, Verbatim()),
    "half": (NOISE.astype("f2"), Lossless()),
    "double with NaN": (np.array([[np.nan, -0.0, np.inf, 1e-310]]), Lossless()),
    "integers": (random.integers(-5, 9, (20, 30)), Lossless()),
    "bool": (NOISE > 0, Lossless()),
    "complex": (NOISE.view("c8"), Lossless()),
    "copies": (np.tile(NOISE[:4], (8, 1)), Lossless()),
    "mostly zero": (np.where(NOISE > 1.5, NOISE, 0), Lossless()),
    "codebook": (NOISE, Codebook(4)),
    "affine": (NOISE, Affine(5)),
    "sparse": (NOISE, Sparse(Codebook(3), qcodec.Density(0.1))),
    "ternary": (NOISE, Ternary()),
    "delta": (NOISE, Delta(BASE)),
    "no elements": (np.zeros((0, 3), "f4"), Lossless()),
    "one element": (np.float32(7), Lossless()),
    "chunks": (LARGE, Codebook(4)),
    "chunks of floats": (LARGE, Lossless()),
}


def base_for(codec):
    return codec.base if isinstance(codec, Delta) else None


def frame_with(notes, array=NOISE, base=None):
    """A frame with these notes, right or wrong."""
    quantized = quantize_verbatim(array) if base is None else Delta(base).quantize(array)
    return encode_quantized(quantized, profile="balanced", codings=ALL_CODINGS, notes=notes)


# ---- what is written ----


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("case", TENSORS)
def test_the_checksum_is_that_of_the_decoded_elements(case, profile):
    array, codec = TENSORS[case]
    data = qcodec.encode(array, codec, profile=profile, element_checksums=True)
    encoded = Encoded(data, base=base_for(codec))
    decoded = little_endian_bytes(encoded.decode())
    assert encoded.notes.elements_crc == core.crc32c(decoded)
    encoded.verify()
    sections = {section.name: section.bytes for section in encoded.info().sections}
    assert sections["notes"] == len(encoded.notes.to_bytes())
    assert sum(sections.values()) == encoded.info().bytes == len(data)
    if decoded.size < 20_000:
        base = None if base_for(codec) is None else base_for(codec).tobytes()
        reference.verify(data, base)
        assert crc32c(reference.decode(data, base=base).data) == encoded.notes.elements_crc


@pytest.mark.parametrize("case", TENSORS)
def test_without_being_asked_for_nothing_is_written(case):
    array, codec = TENSORS[case]
    without, noted = (qcodec.encode(array, codec, element_checksums=on) for on in (False, True))
    assert Encoded(without).notes == Notes()
    added = len(Encoded(noted).notes.to_bytes()) + 1
    assert added == (41 if case == "delta" else 7)
    assert added <= len(noted) - len(without) <= added + 2  # lengths may take a byte more


def test_the_base_is_known_by_its_sha256():
    data = qcodec.encode(NOISE, Delta(BASE), element_checksums=True)
    assert Encoded(data).notes.base_sha256 == hashlib.sha256(BASE.tobytes()).digest()
    assert Encoded(data).info().kind == "delta"


def test_a_tensor_that_is_stored_without_its_base_has_no_sha256_of_it():
    far = random.normal(size=NOISE.shape).astype("f4")
    data = qcodec.encode(NOISE, Delta(far), profile="fixed", element_checksums=True)
    assert Encoded(data).info().kind != "delta"
    assert Encoded(data).notes.base_sha256 is None
    Encoded(data).verify()


notes = st.builds(
    Notes,
    elements_crc=st.none() | st.integers(0, 2**32 - 1),
    base_sha256=st.none() | st.binary(min_size=32, max_size=32),
    json=st.none() | st.binary(max_size=200),
    others=st.dictionaries(
        st.integers(0, 2**56 - 1).filter(lambda number: number not in (1, 2, 3)),
        st.binary(max_size=200),
        max_size=4,
    ),
)


@given(notes, st.sampled_from([None, 256]))
def test_any_notes_come_back_and_readers_step_over_them(notes, chunk):
    quantized = Delta(BASE).quantize(NOISE)
    data = encode_quantized(
        quantized, profile="balanced", codings=ALL_CODINGS, chunk=chunk, notes=notes
    )
    encoded = Encoded(data, base=BASE)
    assert encoded.notes == notes
    assert encoded.decode().tobytes() == NOISE.tobytes()
    assert reference.notes_of(data) == encoded._frame.notes()
    assert np.array_equal(encoded[3:5], NOISE[3:5])


@pytest.mark.parametrize("others", [{1: b"abc"}, {2: b"short"}, {1 << 56: b""}])
def test_notes_that_could_not_be_read_are_not_written(others):
    with pytest.raises(ValueError, match="notes"):
        frame_with(Notes(others=others))


def test_notes_are_read_with_the_head(tmp_path):
    path = tmp_path / "large.frame"
    path.write_bytes(qcodec.encode(LARGE, Codebook(4), element_checksums=True))
    with open_source(path, "pread") as source:
        assert Encoded(source).notes.elements_crc is not None
        assert source.bytes_read < 20_000


# ---- what verify finds ----

WRONG = Notes(elements_crc=0x12345678)


@pytest.mark.parametrize("array", [NOISE, LARGE, NOISE > 0, np.zeros(0), np.tile(NOISE, (9, 1))])
def test_a_wrong_checksum_is_found_by_verify_only(array):
    data = frame_with(WRONG, array)
    encoded = Encoded(data)
    assert encoded.decode().tobytes() == array.tobytes()
    assert np.array_equal(encoded[:1], array[:1])
    with pytest.raises(ChecksumError, match=r"^decoded elements: checksum") as caught:
        encoded.verify()
    assert caught.value.found == 0x12345678
    assert caught.value.allowed == core.crc32c(little_endian_bytes(array))
    if array.size < 2000:
        with pytest.raises(Checksum):
            reference.verify(data)


def test_the_sha256_of_another_base_is_found_by_verify_only():
    data = frame_with(Notes(base_sha256=bytes(32)), base=BASE)
    encoded = Encoded(data, base=BASE)
    assert encoded.decode().tobytes() == NOISE.tobytes()
    with pytest.raises(BaseError, match=r"base of SHA-256 0000.*; given was another one, "):
        encoded.verify()
    with pytest.raises(reference.Base, match="another SHA-256"):
        reference.verify(data, BASE.tobytes())


def test_verify_of_a_delta_needs_its_base():
    with pytest.raises(BaseError, match="no base was given"):
        Encoded(qcodec.encode(NOISE, Delta(BASE), element_checksums=True)).verify()


@pytest.mark.parametrize("case", ["codebook", "chunks", "delta"])
def test_damaged_bytes_are_still_found(case):
    array, codec = TENSORS[case]
    data = bytearray(qcodec.encode(array, codec, element_checksums=True))
    data[-40] ^= 1
    with pytest.raises(ChecksumError):
        Encoded(bytes(data), base=base_for(codec)).verify()


def test_verify_takes_the_memory_of_a_chunk_and_limits_it():
    data = qcodec.encode(LARGE, chunk=10_000, element_checksums=True)
    Encoded(data, limits=Limits(max_tensor_bytes=40_000)).verify()
    with pytest.raises(LimitError, match="max_tensor_bytes"):
        Encoded(data, limits=Limits(max_tensor_bytes=39_999)).verify()
    Encoded(qcodec.encode(LARGE), limits=Limits(max_tensor_bytes=0)).verify()


# ---- in files ----


def small_tensors():
    """Tensors of which several share a frame."""
    return {f"layer{number}.bias": NOISE[number] for number in range(20)}


@pytest.mark.parametrize("suffix", [".qcodec", ".qc.safetensors"])
def test_files_have_checksums_of_all_their_frames(suffix, tmp_path, capsys):
    path = tmp_path / f"net{suffix}"
    tensors = small_tensors() | {"large": LARGE, "tied": LARGE, "half": NOISE.astype("f2")}
    qcodec.save_file(tensors, path, attached={"a": b"words"}, element_checksums=True)
    with qcodec.safe_open(path) as file:
        parts = [name for name in file if file.directory.tensors[name].part]
        assert len(parts) > 2
        for name in [*file.keys(), *file.attached()]:
            assert file.encoded(name).notes.elements_crc is not None
            file.verify(name)
        assert file.faults() == {}
    assert main(["verify", str(path)]) == 0
    capsys.readouterr()


def test_files_in_memory_have_them_too():
    data = qcodec.save({"w": NOISE}, element_checksums=True)
    with TensorFile(BytesSource(data)) as file:
        assert file.encoded("w").notes.elements_crc == core.crc32c(NOISE.view("u1").reshape(-1))


def test_verify_names_the_tensors_of_a_frame_with_a_wrong_checksum(tmp_path, capsys):
    path = tmp_path / "net.qcodec"
    whole = frame_with(WRONG)
    items = [
        PackItem("fine", "frame", qcodec.encode(NOISE, element_checksums=True)),
        PackItem("a", "first", whole, (20, 30)),
        PackItem("b", "next", shape=(600,)),
        PackItem("tied", "same", target="a"),
        PackItem("text", "attached", frame_with(WRONG, np.zeros(99, np.uint8))),
    ]
    path.write_bytes(b"".join(write_pack(items)))
    assert qcodec.load_file(path)["b"].tobytes() == NOISE.reshape(-1)[600:].tobytes()
    with qcodec.safe_open(path) as file:
        assert sorted(file.faults()) == ["a", "b", "text", "tied"]
    assert main(["verify", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{path}: tensor 'a': decoded elements: checksum (found 0x12345678")
    assert lines[3].startswith(f"{path}: attached 'text': decoded elements: checksum")
    assert all(line.endswith("(checksum)") for line in lines[:4])
    assert lines[4] == f"{path}: 4 tensors and 1 attached, 4 broken"


def test_the_command_line_writes_and_verifies_them(tmp_path, capsys):
    tuned, base, path = (tmp_path / f"{name}.qcodec" for name in ("tuned", "base", "out"))
    qcodec.save_file({"w": NOISE}, tuned)
    qcodec.save_file({"w": BASE}, base)
    options = ["--element-checksums", "--base", str(base)]
    assert main(["encode", str(tuned), str(path), *options]) == 0
    with qcodec.safe_open(path) as file:
        assert file.encoded("w").notes.elements_crc == core.crc32c(NOISE.view("u1").reshape(-1))
        assert file.encoded("w").notes.base_sha256 == hashlib.sha256(BASE.tobytes()).digest()
    assert main(["verify", str(path), "--base", str(base)]) == 0
    assert main(["encode", str(tuned), str(path), "--base", str(base)]) == 0
    with qcodec.safe_open(path) as file:
        assert file.encoded("w").notes == Notes()
    capsys.readouterr()
