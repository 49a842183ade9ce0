"""Threads decode runs of chunks: the bits and the errors of one thread, from any source."""

import itertools
import tracemalloc
from functools import partial

import numpy as np
import pytest

import qcodec
from qcodec import Affine, Codebook, Delta, Lossless, Sparse, Ternary, Verbatim
from qcodec._frame import encoded as module
from qcodec._io.source import BytesSource, MmapSource, PreadSource
from qcodec.codecs.pruning import Density

CHUNK = 4096
SHAPE = (130, 1000)  # 31 chunks and a part of one


def weights():
    random = np.random.default_rng(4)
    array = random.standard_normal(SHAPE, dtype=np.float32)
    array[random.random(SHAPE) < 0.5] = 0
    array[60:64] = array[10:14]  # copies, in some profiles
    return array


BASE = weights() * np.float32(1.001)
CODECS = {
    "verbatim": Verbatim(),
    "lossless": Lossless(),
    "codebook": Codebook(4),
    "codebooks by row": Codebook(3, init="linear", per=0),
    "affine": Affine(8, group=1000),
    "ternary": Ternary(),
    "gaps": Sparse(Codebook(4), Density(0.1), positions="gaps"),
    "mask": Sparse(Lossless(), Density(0.3), positions="mask"),
    "csr": Sparse(Codebook(4), Density(0.1), positions="csr"),
    "delta": Delta(BASE),
}
SOURCES = {
    "bytes": lambda path: BytesSource(path.read_bytes()),
    "mapping": MmapSource,
    "pread": PreadSource,
}


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Starts threads for little work, and reads little at once."""
    monkeypatch.setattr("qcodec._base.threads.LEAST_WORK", CHUNK)
    monkeypatch.setattr(module, "_PIECE_BYTES", 2 * CHUNK)


def encode(codec, profile):
    if codec.positions == "csr":
        return qcodec.encode(weights(), codec, profile=profile, chunk=4000)
    return qcodec.encode(weights(), codec, profile=profile, chunk=CHUNK)


@pytest.mark.parametrize("profile", ["fast", "balanced", "small", "fixed"])
@pytest.mark.parametrize("name", CODECS)
def test_threads_decode_the_bits_that_one_decodes_from_every_source(name, profile, tmp_path):
    data = encode(CODECS[name], profile)
    base = BASE if name == "delta" else None
    expected = qcodec.decode(data, base=base)
    (tmp_path / "frame").write_bytes(data)
    for open_source in SOURCES.values():
        with open_source(tmp_path / "frame") as source:
            encoded = qcodec.Encoded(source, base=base)
            for threads, dtype in itertools.product((1, 2, 5), ("float32", "float16")):
                out, tasks = encoded.decoding(dtype=dtype, threads=threads)
                assert (len(tasks) > threads) == (threads > 1)
                for task in reversed(tasks):  # in any order
                    task()
                assert out.tobytes() == expected.astype(dtype).tobytes()
                found = encoded.decode(dtype=dtype, threads=threads)
                assert found.tobytes() == out.tobytes()


def outcome(call):
    with pytest.raises(qcodec.QCodecError) as caught:
        call()
    error = caught.value
    return type(error), str(error), error.offset, error.found, error.allowed


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", ["codebook", "lossless", "gaps", "delta"])
def test_the_error_is_that_of_the_first_broken_chunk(name, verify, tmp_path):
    data = bytearray(encode(CODECS[name], "balanced"))
    base = BASE if name == "delta" else None
    frame = qcodec.Encoded(bytes(data)).frame
    for index in (frame.chunks - 1, 20, 7):
        offset, size, _, _ = frame.chunk(index)
        data[offset] ^= 0x7F  # the first stream's coding, or the number of stored elements
        (tmp_path / "frame").write_bytes(data)
        found = set()
        for open_source in SOURCES.values():
            with open_source(tmp_path / "frame") as source:
                encoded = qcodec.Encoded(source, base=base, verify=verify)
                for threads in (1, 2, 3, 8):
                    found.add(outcome(partial(encoded.decode, threads=threads)))
        ((kind, _, at, _, _),) = found
        assert verify == (kind is qcodec.ChecksumError)
        assert offset <= at <= offset + size


def test_the_base_of_a_delta_is_called_for_once():
    calls = []

    def base():
        calls.append(1)
        return BASE

    encoded = qcodec.Encoded(encode(Delta(BASE), "balanced"), base=base)
    encoded.decode(threads=8)
    assert len(calls) == 1


def test_a_wrong_base_is_found_before_any_element_is_decoded():
    encoded = qcodec.Encoded(encode(Delta(BASE), "balanced"), base=BASE + 1)
    out = np.full(SHAPE, 5, np.float32)
    with pytest.raises(qcodec.BaseError):
        encoded.decode(out=out, threads=3)
    with pytest.raises(qcodec.BaseError):
        encoded[0]
    assert (out == 5).all()


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_below_one_are_refused(threads):
    with pytest.raises(ValueError, match=f"threads={threads}: at least 1"):
        qcodec.decode(qcodec.encode(np.zeros(3)), threads=threads)


def test_small_tensors_start_no_thread(monkeypatch):
    monkeypatch.undo()
    encoded = qcodec.Encoded(encode(Codebook(4), "fixed"))
    assert len(encoded.decoding(threads=8)[1]) == 1


# ---- reading ----


class Counted:
    """A frame that counts what is read of it."""

    def __init__(self, data):
        self.data, self.size, self.reads = data, len(data), []

    def read(self, offset, size):
        self.reads.append((offset, size))
        return self.data[offset : offset + size]


@pytest.mark.parametrize("threads", [1, 4])
def test_each_chunk_is_read_once_and_in_pieces(threads):
    source = Counted(encode(Lossless(), "fast"))
    encoded = qcodec.Encoded(source)
    source.reads.clear()
    assert np.array_equal(encoded.decode(threads=threads), weights())
    reads = sorted(source.reads)
    start, size, _, _ = encoded.frame.chunk(0)
    assert reads[0][0] == start
    for (offset, size), (following, _) in itertools.pairwise(reads):
        assert offset + size == following
    assert sum(reads[-1]) == source.size
    assert max(size for _, size in reads) < 2 * CHUNK + 4 * CHUNK  # a piece, or a chunk


# ---- memory ----

LARGE = (2048, 1024)


@pytest.mark.parametrize("name", ["verbatim", "lossless", "codebook", "ternary", "gaps", "delta"])
@pytest.mark.parametrize("source", ["bytes", "pread"])
def test_decoding_takes_little_more_memory_than_the_output(name, source, tmp_path, monkeypatch):
    monkeypatch.undo()
    array = np.resize(weights(), LARGE)
    base = array * np.float32(1.001) if name == "delta" else None
    codec = Delta(base) if name == "delta" else CODECS[name]
    (tmp_path / "frame").write_bytes(qcodec.encode(array, codec, profile="fast"))
    with SOURCES[source](tmp_path / "frame") as opened:
        qcodec.Encoded(opened, base=base).decode()  # what is imported at first use
        for threads in (1, 3):
            tracemalloc.start()
            try:
                qcodec.Encoded(opened, base=base).decode(threads=threads)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            # Each thread reads a megabyte, or a chunk.
            assert peak < array.nbytes + threads * (1 << 21)
