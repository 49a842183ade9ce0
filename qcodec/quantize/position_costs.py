"""Chooses the elements that are worth the bits of their positions.

Masks are coded with classes of rows and of columns, so a position costs less if its row and column
have other stored elements. If r and c of the n stored elements are in its row and column, the odds
that it is stored are about r * c / n. Rows are indices of the first axis, as in the coding.
"""

from __future__ import annotations

import numpy as np

from .._core import core
from .entropy_descent import Entries, Fit
from .weights import Array, Weights

_MAX_ROUNDS = 12


def store(
    weights: Weights, values: Array, found: Entries, price: float, fit: Fit
) -> tuple[Array | None, Array, Array]:
    """Choose the stored elements, the entries for them, and their codes.

    Parameters
    ----------
    weights : Weights
        Whose mask says which elements may be stored.
    values : numpy.ndarray of float32
        The values of these elements, perhaps divided by scales.
    found : Entries
        The best entries if all positions cost the same.
    price : float
        The price of a bit, in squared error.
    fit : callable

    Returns
    -------
    positions : numpy.ndarray of int64 or None
        Of the elements that are stored; None: all are.
    entries : numpy.ndarray of float32
        Ascending, without an entry for absent elements.
    codes : numpy.ndarray of uint8
    """
    codes = core.assign_by_thresholds(values, found.thresholds)
    if weights.kept is None:
        return None, found.values, codes
    is_stored, entries = codes != found.absent, found.values
    if found.absent >= 0:
        codes -= codes > found.absent  # the code of an absent element is unused
        entries = np.delete(entries, found.absent)
    columns = int(np.prod(weights.shape[1:], dtype=np.int64))
    if len(weights.shape) > 1 and weights.shape[0] > 1 and columns > 1 and len(values):
        kept = None if weights.all_kept else weights.kept.view(np.uint8)
        codes, entries = _by_position(
            values, codes, is_stored, kept, (weights.shape[0], columns), entries, price, fit
        )
    return _positions(weights, is_stored), entries, codes[is_stored]


def _positions(weights: Weights, is_stored: Array) -> Array:
    """Return the flat indices of these of the elements that may be stored."""
    if weights.all_kept:
        return np.flatnonzero(is_stored)
    assert weights.kept is not None
    chosen = weights.kept.copy()
    chosen[weights.kept] = is_stored
    return np.flatnonzero(chosen)


def _by_position(
    values: Array,
    codes: Array,
    is_stored: Array,
    kept: Array | None,
    sides: tuple[int, int],
    entries: Array,
    price: float,
    fit: Fit,
) -> tuple[Array, Array]:
    """Improve codes and entries, and `is_stored` itself, found for positions that cost the same.

    Each row and column is counted with one more element than it has, so that no position becomes
    impossible.
    """
    stored = is_stored.view(np.uint8)
    sizes, _, by_row, by_column = core.count_stored(values, codes, kept, stored, *sides)
    for _ in range(_MAX_ROUNDS):
        sizes = sizes[: len(entries)]
        if not sizes.any():
            return codes, entries[:0]
        entries, sizes = entries[sizes > 0], sizes[sizes > 0]
        costs = -price * np.log2(sizes / sizes.sum())
        codes = core.assign_by_cost(values, entries, costs)
        has_changed = core.choose_stored(
            values, codes, kept, stored, by_row, by_column, entries, costs, price
        )
        sizes, sums, by_row, by_column = core.count_stored(values, codes, kept, stored, *sides)
        used = sizes[: len(entries)] > 0
        sizes, sums = sizes[: len(entries)][used], sums[: len(entries)][used]
        entries = fit(entries[used], sizes, sums).astype(np.float32)
        _renumber(codes, np.maximum(np.cumsum(used) - 1, 0))
        if not has_changed:
            break
    # Neighbours that round to the same float32 become one entry.
    merged, numbers = np.unique(entries, return_inverse=True)
    _renumber(codes, np.append(numbers, 0))
    return codes, merged


def _renumber(codes: Array, numbers: Array) -> None:
    ends = np.array([len(codes)], np.uintp)
    core.renumber(codes, ends, numbers.astype(np.uint8)[None])
