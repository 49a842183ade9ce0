"""Settings of codecs and prunings: refused at once, or a configuration that JSON holds."""

import dataclasses
import json

import numpy as np
import pytest

import qcodec
from qcodec.codecs import CODECS, from_config
from qcodec.prunings import PRUNINGS

EXAMPLES = {
    "raw": qcodec.Raw(),
    "lossless": qcodec.Lossless(),
    "affine": qcodec.Affine(4),
    "fixed_point": qcodec.FixedPoint(4),
    "codebook": qcodec.Codebook(4),
    "ternary": qcodec.Ternary(),
    "sparse": qcodec.Sparse(qcodec.Codebook(4)),
    "deep_compression": qcodec.DeepCompression(4),
    "trained_ternary": qcodec.TrainedTernary(),
    "delta": qcodec.Delta("base.safetensors"),
    "density": qcodec.Density(0.5),
    "quality": qcodec.Quality(0.5),
    "threshold": qcodec.Threshold(0.5),
    "n_of_m": qcodec.NOfM(2, 4),
}
FIELDS = [
    (codec_id, field.name)
    for codec_id, example in EXAMPLES.items()
    for field in dataclasses.fields(example)
    if (codec_id, field.name) != ("delta", "base")  # arrays and mappings of them
]
VALUES = [
    np.int64(2),
    np.int8(1),
    np.uint8(4),
    np.float32(0.5),
    np.float64(0.5),
    np.bool_(True),
    np.str_("auto"),
    np.array(2),
    np.array([1, 2]),
    np.float32,
    np.dtype("float32"),
    2.0,
    1.0,
    True,
    None,
    "4",
    "0.5",
    b"max",
    [1],
    {"bits": 4},
    object(),
    qcodec.Codebook,
    float("nan"),
    float("inf"),
    -1,
    1 << 70,
]


def test_every_codec_and_pruning_is_in_the_table():
    assert EXAMPLES.keys() == CODECS.keys() | PRUNINGS.keys()


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize(("codec_id", "name"), FIELDS, ids=map(".".join, FIELDS))
def test_a_setting_is_refused_at_once_or_is_json(codec_id, name, value):
    try:
        made = dataclasses.replace(EXAMPLES[codec_id], **{name: value})
    except (TypeError, ValueError):  # and no other kind, such as OverflowError
        return
    config = json.loads(json.dumps(made.get_config(), allow_nan=False))
    again = from_config(config) if codec_id in CODECS else PRUNINGS[codec_id](**without_id(config))
    assert again.get_config() == config


def without_id(config):
    return {key: value for key, value in config.items() if key != "id"}


NUMPY_NUMBERS = {
    "bits": lambda: qcodec.Codebook(np.int64(4)),
    "affine bits": lambda: qcodec.Affine(np.int64(4)),
    "fixed-point bits": lambda: qcodec.FixedPoint(np.int64(4)),
    "rate": lambda: qcodec.Codebook(4, rate=np.float32(0.01)),
    "seed": lambda: qcodec.Codebook(4, seed=np.int64(1)),
    "scales": lambda: qcodec.Ternary(scales=np.int64(2)),
    "threshold": lambda: qcodec.Ternary(np.float32(0.05)),
    "density": lambda: qcodec.Density(np.float32(0.1)),
    "quality": lambda: qcodec.Quality(np.float16(1)),
    "pruning threshold": lambda: qcodec.Threshold(np.float32(0.1)),
    "n of m": lambda: qcodec.NOfM(2.0, 4.0),
    "symmetric": lambda: qcodec.Affine(4, symmetric=np.bool_(True)),
    "dtype": lambda: qcodec.Lossless(np.float32),
    "text": lambda: qcodec.Density("0.5"),
}


@pytest.mark.parametrize("make", NUMPY_NUMBERS.values(), ids=NUMPY_NUMBERS)
def test_types_that_json_does_not_have_are_refused(make):
    with pytest.raises(TypeError, match="allowed"):
        make()


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_seeds_are_64_bits(seed):
    for codec in (qcodec.Codebook, qcodec.DeepCompression):
        with pytest.raises(ValueError, match=f"seed={seed}"):
            codec(4, seed=seed)
