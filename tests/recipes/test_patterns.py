"""Patterns of tensor names match like `re.search`, without a search for each name."""

import copy
import pickle
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qcodec._base import fixed_patterns
from qcodec._base.patterns import Pattern, Patterns, exactly

# Raised for sets in random expressions that a future `re` may read differently.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

ODD_NAMES = [
    "",
    "fc.weight",
    "a b-c_d#~&/1",
    "^a$",
    r"back\slash",
    r"\Z",
    "[x](y){2}|*+?",
    "a\n",
    "\n",
    "tab\tnul\0",
    "größe.权重",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_found_exactly_and_without_a_search(name):
    pattern = Pattern(exactly(name))
    assert pattern.names == (name,)
    for found in (pattern.finds, lambda other: re.search(exactly(name), other) is not None):
        assert found(name)
        for other in (f"{name}\n", f"x{name}", f"{name}x", name[:-1] or "x", name.upper() + "X"):
            assert not found(other)


# Short texts of few characters, so that special characters meet and names match.
_PIECES = ["^", "$", r"\Z", r"\A", "\\", ".", r"\.", "a", "b", "Z", "d", "1", "-", r"\-", "_",
           "\n", "*", "?", "+", "|", "(", ")", "(?i)", "(?x)", "(?m)", "[", "]", "{1}", "}",
           "ä", r"\ä", "#", " "]  # fmt: skip
_NAMES = st.lists(st.sampled_from([*"ab.Zd1-_\n\\$^ä# A", "aa"]), max_size=4).map("".join)
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=6).map("".join)
_ANCHORED = st.tuples(_TEXTS, st.sampled_from(["$", r"\Z"])).map(lambda parts: f"^{''.join(parts)}")


def compiles(text):
    try:
        re.compile(text)
    except re.error:
        return False
    return True


@given(st.one_of(_TEXTS, _ANCHORED), st.lists(_NAMES, max_size=8))
@example("^a$", ["a", "a\n", "a\n\n", "b"])
@example(r"^a\Z", ["a", "a\n"])
@example(r"^a\\Z", ["a", "a\\Z", "a\\Zb"])
@example(r"^a\$", ["a", "a$", "a$b"])
@example(r"^a\1$", [])
def test_a_pattern_finds_what_a_search_finds(text, names):
    if not compiles(text):
        with pytest.raises(ValueError, match="is not a regular expression"):
            Pattern(text)
        return
    pattern = Pattern(text)
    names = [*names, *(pattern.names or ())]
    found = [name for name in names if re.search(text, name)]
    assert [name for name in names if pattern.finds(name)] == found
    assert pattern.finds_any(frozenset(names)) == bool(found)


@given(st.lists(st.one_of(_TEXTS, _ANCHORED, _NAMES.map(exactly)), max_size=6), _NAMES)
@example([exactly("a"), exactly("a")], "a")
@example(["b", exactly("a"), "a", exactly("a")], "a")
def test_the_first_pattern_is_that_of_a_search_one_after_the_other(texts, name):
    texts = list(filter(compiles, texts))
    first = next((at for at, text in enumerate(texts) if re.search(text, name)), None)
    assert Patterns(map(Pattern, texts)).first(name) == first


@pytest.fixture(scope="module")
def looked_up():
    """A pattern is looked up whatever the number of others of its form."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_patterns, "_MANY", 1)
        yield


# Names with their dots, as programs write them; anchored or not.
_PLAIN = st.tuples(st.sampled_from(["", "^"]), _NAMES, st.sampled_from(["", "$", r"\Z"])).map(
    "".join
)


@given(st.lists(st.one_of(_TEXTS, _PLAIN, _NAMES.map(exactly)), max_size=6),
       st.lists(_NAMES, max_size=4))  # fmt: skip
@example(["a.b"], ["a.b", "xa.b", "aXbY", "a\nb", "ab"])
@example(["a.$", "^.a", "^a.b$", ".."], ["ab", "a\n", "ab\n", "ba", "a.b", "a\nb", "", "\n\n"])
@example([r"a\.b", "a.b", r"^a\.b\Z"], ["aXb", "a.b", "a.b\n"])
def test_what_is_looked_up_is_what_a_search_finds(looked_up, texts, names):
    texts = list(filter(compiles, texts))
    patterns = Patterns(map(Pattern, texts))
    for name in names:
        found = [at for at, text in enumerate(texts) if re.search(text, name)]
        assert patterns.first(name) == min(found, default=None)
    everywhere = {
        at for at, text in enumerate(texts) if any(re.search(text, name) for name in names)
    }
    assert patterns.found_in(frozenset(names)) == everywhere


def test_names_with_their_dots_have_a_form_and_expressions_have_none():
    for text in ("layers.1.weight", "^a.b$", r"a\.b\Z", "a"):
        assert fixed_patterns.fixed(text) is not None
    for text in ("", "^$", "a.*b", "a|b", "[ab]", "(a)", r"\d", "a+", "a{2}", "a?"):
        assert fixed_patterns.fixed(text) is None


@pytest.mark.parametrize("text", ["^fc", r"^a\.b$"])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_find_the_same(text, copied):
    pattern = copied(Pattern(text))
    assert pattern.text == text
    assert [name for name in ("fc.x", "a.b", "axb") if pattern.finds(name)] == [
        name for name in ("fc.x", "a.b", "axb") if re.search(text, name)
    ]
