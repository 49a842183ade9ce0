"""Recipes as TOML, and the command that shows and checks them."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec.cli import main
from qcodec.codecs.rules import codec_text, parse_rule
from qcodec.recipes import READY_MADE, Recipe, Rule, exactly
from tests.repository import ROOT

CODECS = [
    None,
    qcodec.Lossless(),
    qcodec.Codebook(4, scale="rms", group=20),
    qcodec.Affine(8, per=0, symmetric=True),
    qcodec.Levels((-1, 0, 0.5)),
    qcodec.DeepCompression(5, qcodec.Density(0.1)),
    qcodec.Sparse(qcodec.Codebook(3, rate=0.01), qcodec.NOfM(2, 4), "mask"),
]


@pytest.mark.parametrize("name", READY_MADE)
def test_every_ready_made_recipe_is_the_same_after_toml(name):
    assert Recipe.from_toml(READY_MADE[name].to_toml()) == READY_MADE[name]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(CODECS))
def test_any_pattern_and_codec_are_the_same_after_toml(name, codec):
    recipe = Recipe([Rule(exactly(name), codec)], weights=codec, others=None)
    assert Recipe.from_toml(recipe.to_toml()) == recipe


BLOCKS = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "recipes.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS)
def test_the_examples_of_the_documentation_are_recipes(text):
    recipe = Recipe.from_toml(text)
    assert not recipe.is_lossless
    assert Recipe.from_toml(recipe.to_toml()) == recipe


def test_the_documentation_names_every_recipe():
    text = (ROOT / "docs" / "recipes.md").read_text()
    assert all(f"`{name}`" in text for name in READY_MADE)
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_the_text_of_a_codec_is_what_a_rule_takes(codec):
    assert parse_rule(f"fc={codec_text(codec)}").codec == codec


# ---- the command

WEIGHT = np.random.default_rng(0).normal(size=(8, 8, 4, 4)).astype("f4")


@pytest.fixture
def net(tmp_path):
    tensors = {"conv.weight": WEIGHT, "conv.bias": np.ones(8, "f4")}
    path = tmp_path / "net.safetensors"
    qcodec.save_file(tensors, path, recipe=Recipe(weights=None, others=None))
    return path


def test_a_recipe_that_is_shown_can_be_changed_and_used(net, tmp_path, capsys):
    assert main(["recipe", "show", "nf4(group=32)"]) == 0
    path = tmp_path / "mine.toml"
    path.write_text(capsys.readouterr().out.replace("group = 32", "group = 16"))
    assert main(["encode", str(net), str(tmp_path / "out.qcodec"), "--recipe", str(path)]) == 0
    found = qcodec.load_file(tmp_path / "out.qcodec")["conv.weight"]
    expected = qcodec.Levels(group=16).quantize(WEIGHT).dequantize()
    np.testing.assert_array_equal(found, expected)


def test_all_names_are_listed_with_what_they_do(capsys):
    assert main(["recipe", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(READY_MADE)
    assert main(["recipe", "show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {name: Recipe.from_dict(fields) for name, fields in shown.items()} == READY_MADE


def test_check_says_which_codec_each_tensor_gets_and_why(net, capsys):
    assert main(["recipe", "check", "int8", str(net)]) == 0
    bias, weight, total = capsys.readouterr().out.splitlines()[1:]
    assert bias.split() == ["conv.bias", "8", "lossless", "fewer", "than", "two", "dimensions"]
    assert "affine(bits = 8, per = 0, symmetric = true)" in weight
    assert total == "2 tensors; every rule applies"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["check", "nf5", "NET"], 2, "'nf5' is not a ready-made recipe or a codec"),
        (["check", "none.toml", "NET"], 2, "none.toml: no such file"),
        (["check", "BROKEN", "NET"], 2, "not TOML"),
        (["check", "IDLE", "NET"], 1, "rule 'cnv' matches no tensor; nearest: 'conv.bias'"),
        (["show", "codebook"], 2, "needs the parameter 'bits'"),
        ([], 2, "show|check"),
    ],
)
def test_what_is_wrong_is_one_line(net, tmp_path, capsys, arguments, status, message):
    files = {"BROKEN": "weights =", "IDLE": Recipe([Rule("cnv", None)]).to_toml()}
    paths = {"NET": str(net)}
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text)
        paths[name] = str(tmp_path / f"{name}.toml")
    assert main(["recipe", *(paths.get(word, word) for word in arguments)]) == status
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
