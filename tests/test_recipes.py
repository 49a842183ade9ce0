"""Recipes: which tensor gets which codec, and mistakes that are named."""

import json

import numpy as np
import pytest

from qcodec.codecs import Affine, Codebook, FixedPoint, Lossless, Sparse, Ternary
from qcodec.files import load, save
from qcodec.prunings import Density
from qcodec.recipes import READY_MADE, Recipe, Rule, as_recipe, codec_of, parse_rule

WEIGHT = ((64, 64), "float32")


def test_the_first_rule_that_matches_decides():
    recipe = Recipe([Rule("attn", Codebook(bits=4)), Rule("weight", Codebook(bits=2))])
    assert recipe.codec_for("layer.attn.weight", *WEIGHT) == Codebook(bits=4)
    assert recipe.codec_for("layer.mlp.weight", *WEIGHT) == Codebook(bits=2)
    assert recipe.codec_for("embed", *WEIGHT) == Lossless()


def test_a_pattern_is_searched_for_anywhere_in_the_name():
    assert Rule("fc", None).matches("block.fc.weight")
    assert not Rule("^fc", None).matches("block.fc.weight")
    assert not Rule("weight$", None).matches("weight.scale")


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((4096,), "float32"),
        ((8, 8), "float32"),
        ((), "float32"),
        ((64, 64), "int64"),
        ((64, 64), "float8_e4m3fn"),
        ((0, 4096), "float32"),
    ],
)
def test_biases_small_tensors_and_integers_keep_every_bit_unless_said(shape, dtype):
    recipe = Recipe(weights=Codebook(bits=4))
    assert recipe.codec_for("x", shape, dtype) == Lossless()
    assert recipe.with_rules([Rule("x", Ternary())]).codec_for("x", shape, dtype) == Ternary()


def test_min_elements_is_where_weights_begin():
    recipe = Recipe(weights=Ternary(), min_elements=100)
    assert recipe.codec_for("w", (10, 10), "float16") == Ternary()
    assert recipe.codec_for("w", (9, 11), "float16") == Lossless()


def test_new_rules_come_before_the_recipes_own():
    recipe = (
        READY_MADE["codebook4"].with_rules([Rule("w", None)]).with_rules([Rule("w", Ternary())])
    )
    assert recipe.codec_for("w", *WEIGHT) == Ternary()
    assert recipe.weights == Codebook(bits=4)


RECIPE = Recipe(
    [
        Rule("^embed", None),
        Rule("fc", Sparse(Codebook(bits=4), Density(0.1))),
        Rule(r"conv\d", FixedPoint(bits=8)),
    ],
    weights=Affine(bits=8, per=0, symmetric=True),
    others=None,
    min_elements=10,
)


def test_recipes_survive_json():
    assert Recipe.from_dict(json.loads(json.dumps(RECIPE.to_dict()))) == RECIPE


@pytest.mark.parametrize("name", READY_MADE)
def test_ready_made_recipes_survive_json_and_encode(name):
    assert Recipe.from_dict(json.loads(json.dumps(READY_MADE[name].to_dict()))) == as_recipe(name)
    tensors = {"w": np.random.default_rng(0).normal(size=(64, 64)).astype("f4")}
    data = save(tensors, name)
    assert (len(data) < tensors["w"].nbytes / 3) == (name != "lossless")
    assert np.abs(load(data)["w"] - tensors["w"]).max() < 3


TOML = """
weights = {id = "affine", bits = 8, per = 0, symmetric = true}
others = "keep"
min_elements = 10

[[rules]]
tensor = "^embed"
codec = "keep"

[[rules]]
tensor = "fc"
[rules.codec]
id = "sparse"
codec = {id = "codebook", bits = 4}
prune = {id = "density", density = 0.1}

[[rules]]
tensor = 'conv\\d'
codec = {id = "fixed_point", bits = 8}
"""


def test_a_recipe_is_read_from_toml_text_and_file(tmp_path):
    assert Recipe.from_toml(TOML) == RECIPE
    path = tmp_path / "recipe.toml"
    path.write_text(TOML)
    assert Recipe.from_toml(path) == Recipe.from_toml(str(path)) == RECIPE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('wieghts = "lossless"\n', "'wieghts' is not a key of a recipe; the nearest is 'weights'"),
        ('[[rules]]\ntensr = "a"\n', "'tensr' is not a key of a rule; the nearest is 'tensor'"),
        ('[[rules]]\ntensor = "a"\n', "a rule has no 'codec'"),
        ('[[rules]]\ncodec = "lossless"\n', "a rule has no 'tensor'"),
        ('[[rules]]\ntensor = "("\ncodec = "lossless"\n', "is not a regular expression"),
        ("[[rules]]\ntensor = 3\ncodec = 'lossless'\n", "a rule's tensor is a regular expression"),
        ('weights = {id = "codebok", bits = 4}\n', "did you mean 'codebook'"),
        ('weights = {id = "codebook", bit = 4}\n', "did you mean 'bits'"),
        ("weights = 'codebook'\n", "bits"),
        ("weights = {bits = 4}\n", "id"),
        ("weights = 3\n", "a codec, its configuration or its name, not int"),
        ("rules = 3\n", "rules are a list"),
        ("rules = [3]\n", "a rule is a table"),
        ("min_elements = -1\n", "min_elements is -1"),
        ("min_elements = true\n", "min_elements is True"),
        ("weights = \n", "Invalid value"),
    ],
)
def test_a_mistake_in_a_recipe_is_named(text, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Recipe.from_toml(text)


def test_a_recipe_may_be_given_in_short():
    assert as_recipe(None) == Recipe()
    assert as_recipe(RECIPE) is RECIPE
    assert as_recipe(Ternary()) == Recipe(weights=Ternary())
    assert as_recipe("int8") is READY_MADE["int8"]
    assert as_recipe(
        {"fc": Ternary(), "bias": "keep", "x": {"id": "codebook", "bits": 2}}
    ) == Recipe([Rule("fc", Ternary()), Rule("bias", None), Rule("x", Codebook(bits=2))])


def test_what_is_no_recipe_is_refused():
    with pytest.raises(ValueError, match="nearest is 'codebook4'"):
        as_recipe("codebook")
    with pytest.raises(TypeError, match="not int"):
        as_recipe(4)


@pytest.mark.parametrize(
    ("text", "pattern", "codec"),
    [
        ("fc=codebook(bits=4)", "fc", Codebook(bits=4)),
        ("fc=codebook(bits = 4, init = 'linear')", "fc", Codebook(bits=4, init="linear")),
        ('fc=codebook({"bits": 4, "per": 0})', "fc", Codebook(bits=4, per=0)),
        ("a=b=ternary()", "a=b", Ternary()),
        ("(fc|conv)[0-9]=ternary", "(fc|conv)[0-9]", Ternary()),
        ("x(=y)?=affine(bits=8)", "x(=y)?", Affine(bits=8)),
        ("=lossless", "", Lossless()),
        ("bias$=keep", "bias$", None),
        (
            'fc=sparse(codec = {id = "codebook", bits = 4})',
            "fc",
            Sparse(Codebook(bits=4)),
        ),
    ],
)
def test_a_rule_is_read_from_one_line(text, pattern, codec):
    assert parse_rule(text) == Rule(pattern, codec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fc", "is not REGEX=CODEC"),
        ("fc=", "is not REGEX=CODEC"),
        ("fc=codebook(bits=4", "is not REGEX=CODEC"),
        ("fc=codebok(bits=4)", "did you mean 'codebook'"),
        ("fc=codebook(bits=)", "Invalid value"),
        ("fc=codebook({bits})", "Expecting property name"),
        ("fc=codebook(bits=99)", "bits"),
        ("(=ternary", "is not a regular expression"),
        ("fc=ternary(id='raw')", "'id'"),
    ],
)
def test_a_mistake_in_a_rule_is_named(text, message):
    with pytest.raises((TypeError, ValueError), match=message):
        parse_rule(text)


def test_keep_and_none_are_no_codec():
    assert codec_of("keep") is None
    assert codec_of(None) is None
    assert codec_of("ternary") == Ternary()
