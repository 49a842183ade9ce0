"""Threads that flush subnormals to zero store and read the same numbers as other threads."""

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

import qcodec
from qcodec import codecs
from qcodec._core.float_mode import standard_float_mode
from qcodec.dead_neurons import zeroed
from qcodec.quantize import density_mask, n_of_m_mask, quality_mask, sqnr, threshold_mask
from qcodec.sparse import encode_csr

sparse = pytest.importorskip("scipy.sparse")
torch = pytest.importorskip("torch")

if not torch.set_flush_denormal(False):
    pytest.skip("this machine has no such mode", allow_module_level=True)


@contextmanager
def flushing():
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def is_flushing():
    return float(np.float32(1e-40) * np.float32(1)) == 0


WEIGHTS = (np.random.default_rng(0).standard_normal((60, 50)) * 1e-39).astype("f4")
WEIGHTS[::3] *= 1e3
WEIGHTS[:, ::7] = 0

CODECS = [
    qcodec.Verbatim(),
    qcodec.Lossless(),
    qcodec.Affine(8),
    qcodec.Affine(4, per=0, symmetric=True),
    qcodec.Affine(5, rate=0.01),
    qcodec.FixedPoint(8),
    qcodec.FixedPoint(16, "max", group=100),
    qcodec.FixedPoint(12, "gauss"),
    *(qcodec.Codebook(4, init) for init in ("exact", "fast", "linear", "density", "forgy")),
    qcodec.Codebook(4, "k-means++", per=0),
    qcodec.Codebook(3, scale="max", group=100),
    qcodec.Codebook(3, scale="rms", per=0),
    qcodec.Codebook(4, rate=0.01),
    qcodec.Levels(group=100),
    qcodec.Levels("fp4", per=0, scale_dtype="float8_e8m0fnu"),
    qcodec.Ternary(),
    qcodec.Ternary("twn", scales=1, per=0),
    qcodec.Ternary(0.05),
    qcodec.TrainedTernary(0.1),
    qcodec.DeepCompression(3, qcodec.Density(0.3)),
    qcodec.Sparse(qcodec.Codebook(4, rate=0.01), qcodec.Quality(0.5)),
    qcodec.Sparse(qcodec.Affine(6), qcodec.Threshold(3e-40)),
    qcodec.Sparse(qcodec.Lossless(), qcodec.NOfM(2, 4)),
    qcodec.Delta(WEIGHTS * np.float32(1.5)),
]


def test_every_codec_is_in_the_table():
    assert {codec.codec_id for codec in CODECS} == codecs.CODECS.keys()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_a_flushing_thread_writes_the_same_bytes(codec, dtype):
    weights = WEIGHTS.astype(dtype)
    if isinstance(codec, qcodec.Delta):
        codec = qcodec.Delta(codec.base.astype(dtype))
    expected = qcodec.encode(weights, codec)
    with flushing():
        found = qcodec.encode(weights, codec)
    assert found == expected


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_a_flushing_thread_reads_the_same_numbers(codec, threads):
    data = qcodec.encode(WEIGHTS.astype("f8"), codec_for_doubles(codec), chunk=1000)
    base = codec.base.astype("f8") if isinstance(codec, qcodec.Delta) else None

    def read():
        encoded = qcodec.Encoded(data, base=base)
        yield qcodec.decode(data, threads=threads, base=base)
        yield qcodec.decode(data, dtype="float32", threads=threads, base=base)
        yield encoded[3:20:2, ::5]
        if base is None:
            yield encoded.quantized().dequantize("float32")
            yield encoded.to_csr().toarray()

    expected = [array.tobytes() for array in read()]
    with flushing():
        found = [array.tobytes() for array in read()]
    assert found == expected


def codec_for_doubles(codec):
    is_delta = isinstance(codec, qcodec.Delta)
    return qcodec.Delta(codec.base.astype("f8")) if is_delta else codec


# Made before any thread flushes: NumPy and SciPy themselves would.
TINY, CHANGED = WEIGHTS.astype("f8") * 1e-270, WEIGHTS.astype("f8") * 1.25e-270
MATRIX = sparse.csr_array(WEIGHTS)

FUNCTIONS = {
    "density_mask": lambda: density_mask(WEIGHTS, 0.3),
    "quality_mask": lambda: quality_mask(WEIGHTS[1::3], 0.7),
    "threshold_mask": lambda: threshold_mask(WEIGHTS, 1e-39),
    "n_of_m_mask": lambda: n_of_m_mask(WEIGHTS, 1, 4),
    "n_of_many": lambda: n_of_m_mask(WEIGHTS, 3, 40),
    "sqnr": lambda: sqnr(TINY, CHANGED),
    "encode_csr": lambda: encode_csr(MATRIX),
    "zeroed": lambda: zeroed(
        {"a": WEIGHTS[1::3].copy(), "b": WEIGHTS[:5, 1:21].copy()}, [("a", None), ("b", None)]
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_on_floats_do_not_depend_on_the_mode(name):
    def found():
        result = FUNCTIONS[name]()
        if isinstance(result, dict):
            return {key: value.tobytes() for key, value in result.items()}
        return result.tobytes() if isinstance(result, np.ndarray) else result

    expected = found()
    with flushing():
        assert found() == expected


FAILING = qcodec.Delta(WEIGHTS[1:])


def test_the_mode_is_restored_after_an_error_too():
    bad = WEIGHTS.copy()
    bad[0, 0] = np.nan
    broken = bytearray(qcodec.encode(WEIGHTS, qcodec.Affine(8)))
    broken[-20] ^= 1
    with flushing():
        for codec in CODECS[2:]:  # those before store every bit
            with pytest.raises(ValueError, match=r"NaN|finite|the base is"):
                qcodec.encode(bad, FAILING if isinstance(codec, qcodec.Delta) else codec)
            assert is_flushing()
        with pytest.raises(qcodec.QCodecError):
            qcodec.decode(broken)
        with pytest.raises(ValueError, match="shapes"):
            sqnr(WEIGHTS, WEIGHTS[1:])
        qcodec.decode(qcodec.encode(WEIGHTS, qcodec.Codebook(2)))
        assert is_flushing()
        with standard_float_mode():
            assert not is_flushing()
            with standard_float_mode():
                pass
            assert not is_flushing()
        assert is_flushing()
    assert not is_flushing()


def test_the_mode_is_of_a_thread_and_of_no_other():
    def mode_of_another_thread():
        with standard_float_mode():
            return is_flushing()

    with flushing(), ThreadPoolExecutor(1) as pool:
        assert not pool.submit(mode_of_another_thread).result()
        assert is_flushing()


def test_a_step_of_the_smallest_subnormals_is_worth_something():
    """The table above would show nothing if codecs turned such weights into zeros."""
    assert math.isfinite(sqnr(WEIGHTS, qcodec.Codebook(4).quantize(WEIGHTS).dequantize()))
    assert np.count_nonzero(qcodec.Codebook(4, per=0).quantize(WEIGHTS).dequantize()) > 1000
