"""Recipes of many rules: work is counted for some tensors, and for four times as many."""

import copy
import pickle
import re
import sys
import warnings

import numpy as np
import pytest

from qcodec import Affine, Codebook, Delta, FixedPoint, Lossless, QCodecWarning, load, save
from qcodec.rate_distortion import at_price, curve
from qcodec.recipes import Recipe, Rule, as_recipe, exactly, idle_rules, recipe_for

FEW = 150


def names_of(count):
    return [f"layers.{number}.weight" for number in range(count)]


def tensors_of(count):
    values = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32)
    return {name: values + number for number, name in enumerate(names_of(count))}


def mapping_of(count, codec=Affine(4)):  # noqa: B008
    return {exactly(name): codec for name in names_of(count)}


def hand_written(count):
    return {f"^{re.escape(name)}$": Affine(4) for name in names_of(count)}


def plain(count, anchored=False):
    """Names as people and programs write them: with dots that stand for any character."""
    names = names_of(count)
    return {f"^{name}$" if anchored else name: Affine(4) for name in names}


def each_codec(recipe, names):
    for name in names:
        assert recipe.codec_for(name, (32, 32), "float32") == Affine(4)


def checked_without_a_fault(rules, names):
    assert not list(idle_rules(rules, names))


def refused_for_the_last(rules, names):
    with pytest.raises(ValueError, match=r"rule '.*none.*' matches no tensor"):
        recipe_for({**rules, exactly("none"): Affine(4)}, names)


def warned_of_all(recipe, names):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recipe_for(recipe, [f"other.{name}" for name in names])


def saved(tensors, recipe):
    save(tensors, recipe=recipe)


# The counted calls, each with its preparation.
WORK = {
    "mapping": lambda n: (recipe_for, mapping_of(n), names_of(n)),
    "mapping written by hand": lambda n: (recipe_for, hand_written(n), names_of(n)),
    "mapping of plain names": lambda n: (recipe_for, plain(n), names_of(n)),
    "mapping of anchored names": lambda n: (recipe_for, plain(n, True), names_of(n)),
    "codecs of plain names": lambda n: (each_codec, as_recipe(plain(n)), names_of(n)),
    "plain names of another model": lambda n: (warned_of_all, as_recipe(plain(n)), ["a", "b"]),
    "shared recipe": lambda n: (recipe_for, as_recipe(mapping_of(n)), names_of(n)),
    "codecs": lambda n: (each_codec, as_recipe(mapping_of(n)), names_of(n)),
    "codecs after other rules": lambda n: (
        each_codec,
        Recipe([Rule("bias", None)]).with_rules(as_recipe(mapping_of(n)).rules),
        names_of(n),
    ),
    "idle rules": lambda n: (checked_without_a_fault, as_recipe(mapping_of(n)).rules, names_of(n)),
    "idle rule": lambda n: (refused_for_the_last, mapping_of(n), names_of(n)),
    "rules of another model": lambda n: (warned_of_all, as_recipe(mapping_of(n)), names_of(n)),
    "base": lambda n: (as_recipe(mapping_of(n, Lossless())).with_base, "base.safetensors"),
    "save": lambda n: (saved, tensors_of(n), mapping_of(n)),
    "price": lambda n: (at_price, tensors_of(n), Affine(4), 0.1),
    "price of a mapping": lambda n: (at_price, tensors_of(n), mapping_of(n), 0.1),
    "price of several": lambda n: (at_price, tensors_of(n), [FixedPoint(2), FixedPoint(3)], 0.1),
    "curve": lambda n: (curve, tensors_of(n), [FixedPoint(2), FixedPoint(3)], [0.1]),
}


def calls(work, *arguments):
    """Calls of Python and C functions that the work takes."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work(*arguments)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("make", WORK.values(), ids=WORK)
def test_the_work_is_linear_in_the_number_of_tensors(make):
    calls(*make(3))  # work done once per process
    few, many = calls(*make(FEW)), calls(*make(4 * FEW))
    assert few > FEW
    assert many < 4.5 * few


class Compiled:
    """A stand-in for `re.compile` that counts, and counts the searches of what it made."""

    def __init__(self):
        self.compile, self.compiled, self.searched = re.compile, 0, 0

    def __call__(self, text):
        self.compiled += 1
        pattern, counter = self.compile(text), self

        class Counting:
            def search(self, name):
                counter.searched += 1
                return pattern.search(name)

        return Counting()


@pytest.fixture
def counted(monkeypatch):
    stand_in = Compiled()
    monkeypatch.setattr("qcodec._base.patterns.re.compile", stand_in)
    return stand_in


def test_exact_names_are_neither_compiled_nor_searched(counted):
    names = names_of(1000)
    each_codec(recipe_for(mapping_of(1000), names), names)
    each_codec(recipe_for(hand_written(1000), names), names)
    assert (counted.compiled, counted.searched) == (0, 0)


def test_many_plain_names_are_neither_compiled_nor_searched(counted):
    names = names_of(1000)[100:]  # as many characters in each
    rules = {name: Affine(4) for name in names}
    each_codec(recipe_for(rules, names), names)
    each_codec(Recipe(tuple(as_recipe(rules).rules)), names)
    assert (counted.compiled, counted.searched) == (0, 0)


def test_only_the_patterns_before_an_exact_name_are_searched(counted):
    rules = [
        Rule("bias?", None),
        *as_recipe(mapping_of(100)).rules,
        Rule("a?", None),
        Rule("b?", None),
    ]
    each_codec(Recipe(rules), names_of(100))
    assert (counted.compiled, counted.searched) == (3, 100)


def test_each_pattern_is_compiled_once_however_many_there_are(counted):
    """More than the cache of `re` holds, and codecs are exchanged on the way to a file."""
    rules = [Rule(rf"layers\.{number}\.+", Lossless()) for number in range(600)]
    assert counted.compiled == 600
    recipe = Recipe(rules).with_base({"a": np.ones(2)}).with_codecs(lambda codec: Affine(4))
    each_codec(recipe, names_of(600))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(tensors_of(2), recipe=recipe)
        at_price(tensors_of(2), recipe, 0.1)
    assert counted.compiled == 600


# ---- the meaning of recipes does not change ----


def test_exact_names_survive_json_pickle_and_copies():
    recipe = as_recipe(mapping_of(3)).with_rules([Rule(exactly("größe [1]\n"), None)])
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.to_dict()["rules"][1]["tensor"] == r"^layers\.0\.weight\Z"
    for same in (pickle.loads(pickle.dumps(recipe)), copy.deepcopy(recipe)):
        assert same == recipe
        assert repr(same) == repr(recipe)
        assert hash(same) == hash(recipe)
        assert same.codec_for("größe [1]\n", (32, 32), "float32") is None
        assert same.codec_for("größe [1]", (32, 32), "float32") == Lossless()
        each_codec(same, names_of(3))


def test_the_first_of_exact_names_and_patterns_decides():
    rules = [
        Rule("head", Codebook(2)),
        Rule(exactly("a.weight"), Codebook(3)),
        Rule("^a", Codebook(4)),
        Rule(exactly("a.bias"), Codebook(5)),
        Rule(exactly("a.weight"), Codebook(6)),
        Rule(exactly("head.weight"), Codebook(7)),
    ]
    found = {
        name: Recipe(rules).codec_for(name, (32, 32), "float32").bits
        for name in ("head.weight", "a.weight", "a.bias", "xa.weight.head")
    }
    assert found == {"head.weight": 2, "a.weight": 3, "a.bias": 4, "xa.weight.head": 2}
    hidden = "applies to no tensor: earlier rules match first"
    assert [(at, fault[-len(hidden) :]) for at, fault in idle_rules(rules, found)] == [
        (at, hidden) for at in (3, 4, 5)
    ]


def test_an_exact_name_that_no_tensor_has_is_told_with_the_nearest():
    with pytest.raises(ValueError, match=r"no tensor; nearest: 'layers\.1\.weight', "):
        save(tensors_of(3), recipe={exactly("layer.1.weight"): Affine(4)})


def test_of_many_rules_that_match_nothing_the_first_are_told_and_the_others_counted():
    recipe = as_recipe(mapping_of(2000))
    tensors = tensors_of(3)
    with pytest.warns(QCodecWarning) as caught:
        data = save(tensors, recipe=recipe)
    texts = [str(warning.message) for warning in caught]
    assert len(texts) == 11
    assert all("layers" in text and "matches no tensor; nearest: " in text for text in texts[:10])
    assert texts[10] == "1,987 more rules match no tensor"
    assert {warning.filename for warning in caught} == {__file__}
    assert load(data).keys() == tensors.keys()


def test_a_recipe_with_a_base_keeps_its_rules_and_their_order():
    recipe = Recipe([Rule("a", Lossless()), Rule(exactly("b"), None), Rule("c", Affine(4))])
    base = {"a": np.ones(2)}
    changed = recipe.with_base(base)
    assert [rule.pattern for rule in changed.rules] == ["a", exactly("b"), "c"]
    assert isinstance(changed.codec_for("a", (2, 2), "float32"), Delta)
    assert changed.codec_for("b", (2, 2), "float32") is None
    assert changed.codec_for("c", (2, 2), "float32") == Affine(4)
    assert recipe.codec_for("a", (2, 2), "float32") == Lossless()
