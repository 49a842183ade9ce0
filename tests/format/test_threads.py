"""Many threads on one buffer, and buffers that change under the decoder."""

import contextlib
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import qcodec


def sample_frames():
    random = np.random.default_rng(2)
    weights = random.standard_normal((64, 500)).astype(np.float32)
    weights[random.random(weights.shape) < 0.8] = 0
    for codec in (qcodec.Lossless(), qcodec.Codebook(4), qcodec.Sparse(qcodec.Codebook(4))):
        for profile in ("balanced", "small", "fixed"):
            yield qcodec.encode(weights, codec, profile=profile, chunk=4000)


def keep_changing(buffers, started, done):
    """Every buffer has one wrong bit from `started` until `done`, each time another one."""
    random = np.random.default_rng(len(buffers))

    def flip(which, place):
        buffers[which][place // 8] ^= 1 << place % 8

    def somewhere(which):
        return int(random.integers(8 * len(buffers[which])))

    places = [somewhere(which) for which in range(len(buffers))]
    for which, place in enumerate(places):
        flip(which, place)
    started.wait()
    while not done.is_set():
        for which in range(len(buffers)):
            place = somewhere(which)
            if place != places[which]:
                flip(which, place)
                flip(which, places[which])
                places[which] = place
            time.sleep(0)  # the decoder's turn
    for which, place in enumerate(places):
        flip(which, place)


def test_a_buffer_that_changes_while_it_is_decoded_gives_an_error_or_weights():
    originals = list(sample_frames())
    buffers = [bytearray(data) for data in originals]
    started, done, outcomes = threading.Barrier(3), threading.Event(), set()
    changers = [
        threading.Thread(target=keep_changing, args=(half, started, done))
        for half in (buffers[::2], buffers[1::2])
    ]
    for changer in changers:
        changer.start()
    started.wait()
    try:
        for buffer, verify in itertools.product(buffers * 20, (True, False)):
            try:
                outcomes.add(qcodec.decode(buffer, verify=verify).shape)
            except qcodec.QCodecError as error:
                outcomes.add(error.code)
    finally:
        done.set()
        for changer in changers:
            changer.join()
    # At no moment was a buffer right, so this is certain.
    assert outcomes - {(64, 500)}
    for buffer, original in zip(buffers, originals, strict=True):
        assert buffer == original
        assert qcodec.decode(buffer).shape == (64, 500)


@pytest.mark.parametrize(
    "codec",
    [
        qcodec.Lossless(),
        qcodec.Affine(bits=8, group=32),
        qcodec.Codebook(4),
        qcodec.Codebook(4, init="fast"),
        qcodec.Ternary(),
        qcodec.Sparse(qcodec.Codebook(4), qcodec.Density(0.2)),
        qcodec.Sparse(qcodec.Lossless(), qcodec.Density(0.2)),
    ],
    ids=lambda codec: type(codec).__name__,
)
def test_weights_that_are_trained_on_while_they_are_saved_give_a_file_that_decodes(codec):
    random = np.random.default_rng(3)
    steps = random.standard_normal((4, 64, 500)).astype(np.float32)
    weights, done = steps[0].copy(), threading.Event()

    def train():
        while not done.is_set():
            for step in steps:
                np.copyto(weights, step)  # without the interpreter's lock
            weights[:, ::2] = 0
            weights.fill(1)

    trainer = threading.Thread(target=train)
    trainer.start()
    try:
        for profile in ("fast", "balanced", "small", "fixed") * 2:
            with contextlib.suppress(ValueError):  # they fit no single moment
                data = qcodec.encode(weights, codec, profile=profile, chunk=4000)
                assert np.isfinite(qcodec.decode(data)).all()
    finally:
        done.set()
        trainer.join()
    assert qcodec.decode(qcodec.encode(weights, codec)).shape == weights.shape


def test_eight_threads_decode_one_buffer():
    frames = list(sample_frames())
    expected = [qcodec.decode(data).tobytes() for data in frames]

    def decode_all(threads):
        return [qcodec.decode(data, threads=threads).tobytes() for data in frames]

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(decode_all, [1, 2, 3] * 8):
            assert found == expected


def test_eight_threads_share_one_encoded_tensor():
    data = qcodec.encode(np.arange(40000, dtype=np.int32).reshape(400, 100), chunk=1000)
    encoded = qcodec.Encoded(data)
    with ThreadPoolExecutor(8) as pool:
        for row, values in enumerate(pool.map(lambda row: encoded[row], range(400))):
            assert values[0] == 100 * row


# ---- encoding on several threads ----

# Above 4 M elements, so that what computes is shared in several tasks and blocks; rows and groups
# that end anywhere.
SHAPE = (1009, 4157)
QUANTIZERS = [
    qcodec.Codebook(4),
    qcodec.Codebook(8),
    qcodec.Codebook(4, scale="max", per=0),
    qcodec.Ternary(),
    qcodec.Ternary(scales=1),
    qcodec.Ternary(0.1, per=0),
    qcodec.Ternary("twn", per=1),
    qcodec.Affine(8),
    qcodec.Affine(12, per=0),
    qcodec.Affine(8, group=100, symmetric=True),
    qcodec.Affine(8, per=1),
    qcodec.Lossless(),
]
DISTRIBUTIONS = {
    "Gaussian": lambda random: random.standard_normal(SHAPE, dtype=np.float32),
    # Outliers are far outside the first bins, in one block alone.
    "with an outlier": lambda random: np.where(
        np.arange(np.prod(SHAPE)).reshape(SHAPE) == 3_000_000,
        np.float32(4000),
        random.standard_normal(SHAPE, dtype=np.float32),
    ),
    # No histogram of a block suffices: the range of all is found first.
    "with a huge outlier": lambda random: np.where(
        np.arange(np.prod(SHAPE)).reshape(SHAPE) == 3_000_000,
        np.float32(1e30),
        random.standard_normal(SHAPE, dtype=np.float32),
    ),
    "mostly zeros": lambda random: (
        random.standard_normal(SHAPE, dtype=np.float32) * (random.random(SHAPE) < 0.3)
    ).astype(np.float32),
}


@pytest.fixture(scope="module", params=DISTRIBUTIONS)
def large_weights(request):
    return DISTRIBUTIONS[request.param](np.random.default_rng(11))


@pytest.mark.parametrize("codec", QUANTIZERS, ids=str)
def test_the_bytes_do_not_depend_on_the_number_of_threads(large_weights, codec):
    one = qcodec.encode(large_weights, codec, profile="fast")
    for threads in (2, 3, 7):
        assert qcodec.encode(large_weights, codec, profile="fast", threads=threads) == one


@pytest.mark.parametrize("profile", ["balanced", "fast", "small", "fixed"])
@pytest.mark.parametrize("shape", [(70_001,), (301, 203), (64, 3, 3, 3)])
@pytest.mark.parametrize(
    "codec",
    [
        qcodec.Lossless(),
        qcodec.Codebook(4),
        qcodec.Ternary(),
        qcodec.Affine(8, group=50),
        qcodec.Sparse(qcodec.Codebook(4), qcodec.Density(0.2)),
        qcodec.Sparse(qcodec.Lossless(), qcodec.Density(0.3)),
    ],
    ids=str,
)
def test_small_tensors_too_have_the_same_bytes_on_any_threads(codec, shape, profile):
    weights = np.random.default_rng(4).standard_normal(shape).astype(np.float32)
    one = qcodec.encode(weights, codec, profile=profile, chunk=4000)
    for threads in (2, 3, 7):
        assert one == qcodec.encode(weights, codec, profile=profile, chunk=4000, threads=threads)


@pytest.mark.parametrize("codec", [qcodec.Codebook(4), qcodec.Ternary(), qcodec.Affine(8)], ids=str)
def test_a_value_that_is_not_finite_is_the_same_error_on_threads(codec):
    weights = np.zeros(SHAPE, np.float32)
    weights[900, 17] = np.nan
    for threads in (1, 3):
        with pytest.raises(ValueError, match=r"^1 of 4,194,413 values is NaN.*at \(900, 17\)"):
            qcodec.encode(weights, codec, threads=threads)


def test_four_threads_encode_with_threads_of_their_own():
    weights = np.random.default_rng(1).standard_normal(SHAPE, dtype=np.float32)
    expected = qcodec.encode(weights, qcodec.Ternary(), profile="fast")
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(
            lambda threads: qcodec.encode(
                weights, qcodec.Ternary(), profile="fast", threads=threads
            ),
            (1, 2, 3, 2),
        ):
            assert found == expected
