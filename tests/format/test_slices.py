"""Parts of a tensor: NumPy's elements, from the chunks that hold them, a chunk at a time."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import qcodec
from qcodec import Affine, Codebook, Delta, Lossless, Sparse, Verbatim
from qcodec._file.tensor_file import TensorFile
from qcodec._frame import indexing
from qcodec._io.source import BytesSource
from qcodec.codecs.pruning import Density
from qcodec.files import save

CHUNK = 256


class Counted:
    """A frame that knows which bytes were read of it."""

    def __init__(self, data):
        self.data, self.size, self.reads = data, len(data), []

    def read(self, offset, size):
        self.reads.append((offset, size))
        return self.data[offset : offset + size]


def values(shape):
    """Elements that are all different, with repeats of rows after the first thousand."""
    count = int(np.prod(shape))
    return (np.arange(count) % 1000).astype(np.float32).reshape(shape)


def picks(size):
    """Indices and slices of one axis, of which most are in range."""
    bound = st.none() | st.integers(-size - 2, size + 2)
    steps = st.none() | st.sampled_from([-size, -size + 1, -3, -2, -1, 1, 2, 3, 5, size - 1, size])
    slices = st.builds(slice, bound, bound, steps.filter(lambda step: step != 0))
    return slices if size == 0 else slices | st.integers(-size, size - 1)


@st.composite
def shapes_and_indices(draw):
    shape = tuple(draw(st.lists(st.integers(0, 40), min_size=1, max_size=4)))
    while np.prod(shape) > 20_000:
        shape = shape[1:]
    given_axes = draw(st.integers(0, len(shape)))
    index = [draw(picks(size)) for size in shape[:given_axes]]
    if draw(st.booleans()):
        index.append(...)
    return shape, tuple(index)


def codecs(shape):
    yield "fixed", Verbatim()
    yield "small", Lossless()  # with copies, where there are enough rows
    yield "fast", Sparse(Lossless(), Density(0.3))
    yield "balanced", Delta(values(shape) * np.float32(1.001))


@given(shapes_and_indices())
@example(((1000, 40), (slice(None), 3)))
@example(((1000, 40), (slice(None, None, 999),)))
@example(((1000, 40), (slice(None, None, -17), slice(None, None, -39))))
@example(((3, 7000), (slice(None), slice(6990, None))))
@example(((2, 3, 1000, 2), (slice(None), -1, slice(None, None, 400), slice(1, None))))
@example(((40_000,), (slice(5, None, 3000),)))
def test_parts_are_numpys_and_only_their_chunks_are_read(case):
    shape, index = case
    array = values(shape)
    places = np.arange(array.size).reshape(shape)[index].reshape(-1)
    for profile, codec in codecs(shape):
        data = qcodec.encode(array, codec, profile=profile, chunk=CHUNK)
        source = Counted(data)
        encoded = qcodec.Encoded(source, base=getattr(codec, "base", None))
        expected = qcodec.decode(data, base=getattr(codec, "base", None))[index]
        source.reads.clear()
        part = encoded[index]
        assert part.shape == expected.shape
        assert part.tobytes() == expected.tobytes()
        assert part.flags.c_contiguous
        each = encoded.frame.chunk_elements
        if each:
            chunks = {encoded.frame.chunk(number)[:2] for number in np.unique(places // each)}
            read = {at for offset, size in source.reads for at in range(offset, offset + size)}
            assert read == {at for offset, size in chunks for at in range(offset, offset + size)}
            assert sum(size for _, size in source.reads) == len(read)  # once each


SLICES = {
    "a column": np.s_[:, 3],
    "every sixteenth row": np.s_[::16],
    "the first and the last row": np.s_[::4095],
    "a few columns backwards": np.s_[::-1, 100:400:100],
}


@pytest.mark.parametrize("index", SLICES.values(), ids=list(SLICES))
@pytest.mark.parametrize("kind", ["verbatim", "codebook", "affine", "delta", "ordinary", "half"])
def test_a_part_takes_the_memory_of_a_chunk_beside_itself(kind, index):
    array = np.random.default_rng(0).standard_normal((4096, 1024), dtype=np.float32)
    base = {"w": array * np.float32(1.001)}
    recipe = {
        "verbatim": Verbatim(), "codebook": Codebook(4, init="linear"), "affine": Affine(8),
        "delta": Delta(base), "ordinary": {".": None}, "half": Verbatim(),
    }[kind]  # fmt: skip
    tensors = {"w": array}
    if kind == "half":  # is found to be the other one, converted
        tensors["half"] = array.astype(np.float16)
    data = save(tensors, recipe=recipe, profile="balanced")
    del array, tensors
    with TensorFile(BytesSource(data), base=base if kind == "delta" else None) as file:
        name = "half" if kind == "half" else "w"
        assert (file.directory.tensors[name].converted_to == "float16") == (kind == "half")
        expected = file.get_tensor(name)[index].copy()
        part = file.get_slice(name)
        part[0]  # the base of the delta is checked once
        tracemalloc.start()
        try:
            found = part[index]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert found.tobytes() == expected.tobytes()
    assert peak < 3 * found.nbytes + (5 << 20) < 16 << 20


@pytest.mark.parametrize("kind", ["encoded", "ordinary"])
def test_bytes_between_rows_are_not_read(kind):
    array = np.random.default_rng(0).standard_normal((512, 4096), dtype=np.float32)
    data = save({"w": array}, recipe={".": None} if kind == "ordinary" else Verbatim())
    with TensorFile(BytesSource(data)) as file:
        part = file.get_slice("w")
        for index, most in [(np.s_[::511], 2), (np.s_[5::256], 2), (np.s_[::-64, 7], 8)]:
            before = file.source.bytes_read
            assert np.array_equal(part[index], array[index])
            # Of an ordinary tensor 64 KiB around each, of others its chunk.
            each = 1 << 16 if kind == "ordinary" else 3 << 18
            assert file.source.bytes_read - before <= most * each


def test_chunks_are_decoded_together_up_to_a_megabyte(monkeypatch):
    array = values((1000, 256))
    reads = []
    for most in (0, 1 << 14, 1 << 30):
        monkeypatch.setattr(indexing, "_BLOCK_BYTES", most)
        source = Counted(qcodec.encode(array, Verbatim(), chunk=CHUNK))
        encoded = qcodec.Encoded(source)
        source.reads.clear()
        assert np.array_equal(encoded[:, 5], array[:, 5])
        reads.append(len(source.reads))
    assert reads[0] == 1000
    assert reads[1] == -(-1000 // 16)
    assert reads[2] == 1
