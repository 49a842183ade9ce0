"""Which layout is chosen: the smallest, weighed against the time that contexts take to decode."""

from __future__ import annotations

import numpy as np
import pytest

import qcodec
from qcodec import Codebook, Density, Lossless, Sparse

# As C has it: a byte is worth so many binary decisions.
DECISIONS_PER_BYTE = 400
FORMS = ("dense", "mask", "bit_mask", "gaps")


def pruned(count, density=0.1):
    array = np.random.default_rng(count).normal(size=count).astype(np.float32).reshape(-1, 256)
    array[~Density(density).mask(array)] = 0
    return array


def decisions(info):
    """Those of the contexts of a frame."""
    per_section = {
        "mask": info.elements,
        "gaps": info.stored * info.gap_width,
        "values": info.stored * info.code_bits,
    }
    return sum(
        per_section.get(section.name, 0)
        for section in info.sections
        if "contexts" in section.coding.split("+")
    )


def encoded(array, positions, profile):
    codec = Sparse(Codebook(4), positions=positions)
    return qcodec.info(qcodec.encode(array, codec, profile=profile))


@pytest.mark.parametrize("density", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("count", [4_096, 16_384, 46_336, 110_080, 131_072])
def test_contexts_of_a_layout_pay_for_their_time_against_other_layouts(count, density):
    array = pruned(count, density)
    chosen = encoded(array, "auto", "balanced")
    cost = chosen.bytes + decisions(chosen) / DECISIONS_PER_BYTE
    for form in FORMS:
        other = encoded(array, form, "balanced")
        priced = other.bytes + decisions(other) / DECISIONS_PER_BYTE
        # A later one has to save a 64th, in two steps at most.
        assert cost <= priced / (1 - 1 / 64) ** 2 + 2


def test_a_pruned_tensor_has_no_contexts_where_gaps_are_hardly_larger():
    array = pruned(110_080)
    chosen = encoded(array, "auto", "balanced")
    assert decisions(chosen) == 0
    smallest = encoded(array, "auto", "small")
    assert chosen.bytes < 1.02 * smallest.bytes


@pytest.mark.parametrize("profile", ["small", "fast", "fixed"])
def test_only_balanced_has_a_price_of_time(profile):
    array = pruned(46_336)
    chosen = encoded(array, "auto", profile)
    others = [encoded(array, form, profile).bytes for form in FORMS]
    assert chosen.bytes <= min(others) / (1 if profile == "small" else (1 - 1 / 64) ** 3)


@pytest.mark.parametrize("codec", [Sparse(Lossless()), Lossless()])
def test_contexts_of_elements_are_priced_too(codec):
    array = pruned(4_096)
    frame = qcodec.encode(array, codec, profile="balanced")
    assert "contexts" in qcodec.info(frame).codings
    np.testing.assert_array_equal(qcodec.decode(frame), array)
