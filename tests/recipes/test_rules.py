"""Recipes: the codec of each tensor, and errors that name the mistake."""

import json
import re

import numpy as np
import pytest

from qcodec import QCodecWarning
from qcodec.codecs import Affine, Codebook, Delta, FixedPoint, Lossless, Sparse, Ternary
from qcodec.codecs.pruning import Density
from qcodec.files import load, save, save_file
from qcodec.recipes import READY_MADE, Recipe, Rule, as_recipe, codec_of, parse_rule, recipe_for

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
    data = save(tensors, recipe=name)
    assert (len(data) < tensors["w"].nbytes / 3) == (name != "lossless")
    assert np.abs(load(data)["w"] - tensors["w"]).max() < 4


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
        ("weights = 3\n", "codec: found int; allowed are a codec"),
        ("rules = 3\n", "rules are a list"),
        ("rules = [3]\n", "a rule is a table"),
        ("min_elements = -1\n", "min_elements is -1"),
        ("min_elements = true\n", "min_elements is True"),
        ("weights = \n", "not TOML: Invalid value"),
        pytest.param(f"a = {'[' * 5000}\n", "not TOML: ", id="nested"),
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
    with pytest.raises(ValueError, match="nearest is 'codebook'"):
        as_recipe("codebok")
    with pytest.raises(TypeError, match="needs the parameter 'bits'"):
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
        ("fc", "'fc': is not REGEX=CODEC"),
        ("fc=", "is not REGEX=CODEC"),
        ("fc=codebook(bits=4", "is not REGEX=CODEC"),
        ("fc=codebok(bits=4)", "did you mean 'codebook'"),
        ("fc=codebook(bits=)", "Invalid value"),
        ("fc=codebook({bits})", "Expecting property name"),
        ("fc=codebook(bits=99)", "bits"),
        pytest.param(f"fc=codebook(bits={'[' * 5000})", "neither TOML nor JSON", id="nested"),
        ("(=ternary", "is not a regular expression"),
        ("fc=ternary(id='verbatim')", "'id'"),
        ("fc=sparse(prune={id='density', density=1})", "needs the parameter 'codec'"),
        ("fc=sparse(codec={id='verbatim'}, prune={density=1})", "'id'; ids with .* density$"),
    ],
)
def test_a_mistake_in_a_rule_is_named(text, message):
    with pytest.raises((TypeError, ValueError), match=message):
        parse_rule(text)


def test_keep_and_none_are_no_codec():
    assert codec_of("keep") is None
    assert codec_of(None) is None
    assert codec_of("ternary") == Ternary()


# ---- rules that apply to nothing, recipes that quantize nothing ----

TENSORS = {
    "attn.weight": np.ones((40, 40), np.float32),
    "mlp.weight": np.ones((40, 40), np.float32),
    "norm": np.ones(2000, np.float32),
}


def saves(tmp_path):
    """Every function that takes tensors with a recipe."""
    from qcodec import rate_distortion

    yield lambda tensors, recipe: save(tensors, recipe=recipe)
    yield lambda tensors, recipe: save_file(tensors, tmp_path / "net.qcodec", recipe=recipe)
    yield lambda tensors, recipe: rate_distortion.at_price(tensors, recipe, 0.1)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"attnn": Ternary()}, "rule 'attnn' matches no tensor; nearest: 'attn.weight', "),
        ({"^weight": Ternary()}, "rule '^weight' matches no tensor; nearest: "),
        ({"attn": Ternary(), "bias$": "keep"}, "rule 'bias$' matches no tensor"),
        (
            {"weight": Ternary(), "attn": "keep"},
            "rule 'attn' applies to no tensor: earlier rules match first",
        ),
    ],
)
def test_a_rule_of_a_mapping_that_applies_to_nothing_is_an_error(tmp_path, rules, message):
    for saved in saves(tmp_path):
        with pytest.raises(ValueError, match=re.escape(message)):
            saved(TENSORS, rules)
    assert not (tmp_path / "net.qcodec").exists()


def test_a_rule_of_a_shared_recipe_that_matches_nothing_is_a_warning(tmp_path):
    recipe = Recipe([Rule("lm_head", Codebook(bits=2))], weights=Ternary())
    for saved in saves(tmp_path):
        with pytest.warns(QCodecWarning, match="rule 'lm_head' matches no tensor") as caught:
            saved(TENSORS, recipe)
        assert caught[0].filename == __file__


def test_what_is_no_tensors_by_name_is_told_before_rules_are_looked_at(tmp_path):
    for saved in saves(tmp_path):
        for rules in ({"x": Ternary()}, Recipe([Rule("x", None)])):
            with pytest.raises(TypeError, match="a tensor is called 1: allowed names are str"):
                saved({1: np.ones(3)}, rules)
            with pytest.raises(TypeError, match="a list was given; allowed is a mapping"):
                saved([np.ones(3)], rules)


def test_rules_that_all_apply_are_silent(tmp_path):
    for saved in saves(tmp_path):
        saved(TENSORS, {"attn": Ternary(), "weight": Codebook(bits=2), "norm": "keep"})


def test_of_many_names_the_nearest_are_found_in_little_time():
    names = [f"layers.{number}.self_attn.q_proj.weight" for number in range(100_000)]
    with pytest.raises(ValueError, match=r"matches no tensor; nearest: 'layers\.1"):
        recipe_for({"layers.1.self_atn": Ternary()}, names)
    assert recipe_for({"layers.99999": Ternary()}, names).rules
    with pytest.raises(ValueError, match="'x' matches no tensor; there are none"):
        recipe_for({"x": Ternary()}, [])


@pytest.mark.parametrize(
    ("tensors", "why"),
    [
        ({"norm": np.ones(5000, "f4")}, "all 1 keep every bit (1 with fewer than two dimensions)"),
        ({"a": np.ones((31, 33), "f4")}, "(1 with fewer than 1,024 elements)"),
        ({"a": np.ones((64, 64), "i4")}, "(1 with no float type that can be quantized)"),
        (
            {"a": np.ones(9, "f4"), "b": np.ones(8, "f4"), "c": np.ones((3, 3), "f4")},
            "all 3 keep every bit (2 with fewer than two dimensions, 1 with fewer than 1,024 ",
        ),
    ],
)
@pytest.mark.parametrize("recipe", [Ternary(), "codebook4", Recipe(weights=Affine(8))])
def test_a_recipe_that_quantizes_nothing_says_so(tmp_path, tensors, why, recipe):
    with pytest.warns(QCodecWarning, match="no tensor was quantized") as caught:
        save_file(tensors, tmp_path / "net.qc.safetensors", recipe=recipe)
    assert why in str(caught[0].message)
    assert caught[0].filename == __file__
    assert len(caught) == 1


def test_a_rule_that_keeps_every_weight_is_told_as_the_reason():
    with pytest.warns(QCodecWarning, match=r"\(1 with a rule that keeps every bit\)"):
        save({"a": np.ones((64, 64))}, recipe=Recipe([Rule("a", Lossless())], weights=Ternary()))


def test_what_quantizes_something_or_was_not_asked_to_is_silent():
    small, large = np.ones(9, np.float32), np.ones((64, 64), np.float32)
    quantized = Ternary().quantize(small)
    save({"a": small, "b": large}, recipe=Ternary())
    save({"a": small}, recipe={"a": Ternary()})
    save({"a": small, "b": quantized}, recipe=Ternary())
    save({"a": small, "b": large})
    save({"a": small}, recipe=Recipe(weights=None))
    save({"a": small}, recipe=Delta({"a": small}))
    save({}, recipe=Ternary())
