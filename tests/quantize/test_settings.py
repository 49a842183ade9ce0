"""Settings of codecs and prunings: each is refused at once, or gives a JSON configuration."""

import dataclasses
import json
import re

import numpy as np
import pytest

import qcodec
from qcodec.codecs import CODECS, from_config
from qcodec.codecs.pruning import PRUNINGS
from qcodec.recipes import Recipe, Rule, as_recipe

EXAMPLES = {
    "verbatim": qcodec.Verbatim(),
    "lossless": qcodec.Lossless(),
    "affine": qcodec.Affine(4),
    "fixed_point": qcodec.FixedPoint(4),
    "codebook": qcodec.Codebook(4),
    "levels": qcodec.Levels(),
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
    ...,
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


# ---- configurations inside others ----


def nested(depth):
    config = {"id": "codebook", "bits": 4}
    for _ in range(depth):
        config = {"id": "sparse", "codec": config}
    return config


def of_itself():
    config = {"id": "sparse"}
    config["codec"] = config
    return config


@pytest.mark.parametrize("make", [from_config, lambda config: as_recipe({".": config})])
@pytest.mark.parametrize(
    "config", [nested(4), nested(200_000), of_itself()], ids=["4", "200000", "of itself"]
)
def test_configurations_are_nested_to_a_bound(config, make):
    with pytest.raises(ValueError, match=r"nested more than 4 deep") as caught:
        make(config)
    assert len(str(caught.value)) < 200


def test_a_sparse_codec_in_another_is_refused_as_what_it_is():
    assert from_config(nested(1)) == qcodec.Sparse(qcodec.Codebook(4))
    with pytest.raises(TypeError, match="allowed is a codec that is not sparse itself"):
        from_config(nested(2))


LONG = [
    {"id": "x" * 10_000_000},
    {"id": list(range(100_000))},
    {"id": "codebook", "y" * 10_000_000: 4},
    {"codec": nested(100_000)},
    [nested(100_000)] * 1000,
    {"bits": of_itself()},
]


@pytest.mark.parametrize("number", range(len(LONG)))
def test_messages_about_configurations_are_short(number):
    with pytest.raises((TypeError, ValueError)) as caught:
        from_config(LONG[number])
    assert len(str(caught.value)) < 500


RULES = {
    "pattern": lambda: Rule(1, qcodec.Lossless()),
    "compiled": lambda: Rule(re.compile("fc"), None),
    "codec": lambda: Rule("fc", "codebook4"),
    "class": lambda: Rule("fc", qcodec.Lossless),
    "rules": lambda: Recipe([("fc", None)]),
    "weights": lambda: Recipe(weights="lossless"),
    "others": lambda: Recipe(others=qcodec.Codebook),
    "min_elements": lambda: Recipe(min_elements=1024.0),
}


@pytest.mark.parametrize("make", RULES.values(), ids=RULES)
def test_recipes_of_other_things_are_refused_at_once(make):
    with pytest.raises(TypeError, match="allowed"):
        make()


@pytest.mark.parametrize("codec", [qcodec.Codebook, "codebook4", 4, {"id": "verbatim"}], ids=repr)
def test_objects_that_are_not_codecs_are_refused_with_what_is_allowed(codec):
    with pytest.raises(TypeError, match=r"^codec=.*: allowed is a codec, such as"):
        qcodec.encode(np.ones(3), codec)
