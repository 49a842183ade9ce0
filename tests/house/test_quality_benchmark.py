"""The benchmark of quality: inputs that are always the same, figures that mean what they say."""

import math

import numpy as np
import pytest

from benchmarks.quality import agreement, net, sounds, table, texts

SCORES = np.array([[0.6, 0.3, 0.1], [0.2, 0.45, 0.35], [0.1, 0.1, 0.8], [0.6, 0.1, 0.3]])


def test_other_answers_count_and_the_float_net_was_decided_by_a_margin():
    found = SCORES.copy()
    found[1] = [0.1, 0.4, 0.5]
    found[3] = [0.4, 0.1, 0.5]
    figures = agreement.of_answers(SCORES, found)
    assert figures == {"same answer": 0.5, "largest margin lost": pytest.approx(0.3)}
    assert agreement.of_answers(SCORES, SCORES)["same answer"] == 1


COSINES = {
    "the same": ([1.0, 2.0], [1.0, 2.0], 1),
    "scaled": ([1.0, 2.0], [3.0, 6.0], 1),
    "across": ([1.0, 0.0], [0.0, 1.0], 0),
    "turned": ([1.0, 1.0], [-1.0, -1.0], -1),
    "both zero": ([0.0, 0.0], [0.0, 0.0], 1),
    "one zero": ([1.0, 0.0], [0.0, 0.0], 0),
    "no number": ([1.0, 0.0], [math.nan, 1.0], 0),
}


@pytest.mark.parametrize(("one", "other", "cosine"), COSINES.values(), ids=COSINES)
def test_cosines_are_those_of_each_input(one, other, cosine):
    arrays = [np.array([values], np.float32) for values in (one, other)]
    assert agreement.cosines(*arrays) == pytest.approx([cosine])


def test_the_mean_and_the_worst_cosine_are_told():
    found = agreement.of_cosines(np.array([1.0, 0.5]), "notes")
    assert found == {"cosine, notes, mean": 0.75, "cosine, notes, worst": 0.5}


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abd", 1),
     ("kitten", "sitting", 3), ("flaw", "lawn", 2)],
)  # fmt: skip
def test_edits_are_the_fewest(one, other, distance):
    assert agreement.edit_distance(one, other) == distance


def test_texts_agree_by_line_and_by_character():
    figures = agreement.of_texts(["abcd", "efgh"], ["abcd", "efxh"])
    assert figures == {"same text": 0.5, "same characters": 0.875}
    assert agreement.of_texts([""], [""]) == {"same text": 1, "same characters": 1}


def test_no_vector_is_its_own_neighbour():
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], np.float32)
    assert agreement.nearest(vectors).tolist() == [1, 0, 1, 2]


def test_the_noise_of_small_tensors_does_not_count():
    original = {"weight": np.ones((32, 32), np.float32), "bias": np.ones(32, np.float32)}
    decoded = {"weight": original["weight"] * 1.1, "bias": np.zeros(32, np.float32)}
    assert net.sqnr(original, decoded) == pytest.approx(20, abs=1e-4)
    assert net.sqnr(original, original) == math.inf


def test_sentences_are_whole_and_appear_once():
    text = "Return the value of a name. Short one.\n\nno capital letter is here."
    assert texts.sentences_of([text, text]) == ["Return the value of a name."]


def test_the_standard_library_has_sentences_enough_and_always_the_same():
    found = texts.sentences(1000)
    assert len(set(found)) == 1000
    assert found == texts.sentences(1000)


def test_too_few_texts_are_an_error():
    with pytest.raises(ValueError, match="2 texts were found, needed are 3"):
        texts.spread(["a", "b"], 3)


def test_sounds_are_those_of_the_seed():
    found = sounds.windows(3, 8000, 8000, seed=1)
    assert found.shape == (3, 8000)
    assert found.dtype == np.float32
    assert np.array_equal(found, sounds.windows(3, 8000, 8000, seed=1))
    assert not np.array_equal(found, sounds.windows(3, 8000, 8000, seed=2))
    assert np.all((np.abs(found).max(axis=1) > 0.1) & (np.abs(found).max(axis=1) < 1))


def test_shares_are_rounded_down_and_no_error_is_exact():
    cells = {
        ("same answer", 0.9999): "99.9 %",
        ("same answer", 0.999): "99.9 %",
        ("same answer", 1): "100.0 %",
        ("SQNR", math.inf): "exact",
        ("SQNR", 41.26): "41.3 dB",
        ("cosine, notes, mean", 0.998765): "0.99877",
        ("bytes", 1234567): "1,234,567",
        ("times", 4): "4.00x",
    }
    assert {key: table.cell(*key) for key in cells} == cells


def test_a_figure_that_a_way_does_not_have_is_left_empty():
    figures = {"float": {"bytes": 10, "SQNR": math.inf}, "int8": {"bytes": 5}}
    made = table.of_net("two files", figures)
    assert made.splitlines() == [
        "Inputs: two files.",
        "",
        "| | file bytes | weights' SQNR |",
        "|---|---:|---:|",
        "| float | 10 | exact |",
        "| int8 | 5 |  |",
    ]
