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
    positions = weights.positions
    if positions is None:
        return None, found.values, codes
    is_stored, entries = codes != found.absent, found.values
    if found.absent >= 0:
        codes -= (codes > found.absent).astype(np.uint8)  # the code of an absent element is unused
        entries = np.delete(entries, found.absent)
    columns = int(np.prod(weights.shape[1:], dtype=np.int64))
    if len(weights.shape) > 1 and weights.shape[0] > 1 and columns > 1:
        sides = np.divmod(positions, columns)
        codes, is_stored, entries = _by_position(
            values, sides, (weights.shape[0], columns), (codes, is_stored, entries), price, fit
        )
    return positions[is_stored], entries, codes[is_stored]


def _by_position(
    values: Array,
    sides: tuple[Array, Array],
    counts: tuple[int, int],
    start: tuple[Array, Array, Array],
    price: float,
    fit: Fit,
) -> tuple[Array, Array, Array]:
    """Improve codes, stored elements and entries found for positions that all cost the same."""
    codes, is_stored, entries = start
    for _ in range(_MAX_ROUNDS):
        sizes = np.bincount(codes[is_stored], minlength=len(entries))
        if not sizes.any():
            return codes, is_stored, entries[:0]
        entries, sizes = entries[sizes > 0], sizes[sizes > 0]
        costs = -price * np.log2(sizes / sizes.sum())
        codes = core.assign_by_cost(values, entries, costs)
        taken = entries.astype(np.float64)[codes]
        gains = taken * (2 * values - taken) - costs[codes]  # compared with an absent element
        before, is_stored = is_stored, gains > price * _position_bits(sides, counts, is_stored)
        sizes = np.bincount(codes[is_stored], minlength=len(entries))
        sums = np.bincount(codes[is_stored], values[is_stored], len(entries))
        used = sizes > 0
        entries = fit(entries[used], sizes[used], sums[used]).astype(np.float32)
        codes = np.maximum(np.cumsum(used) - 1, 0).astype(np.uint8)[codes]
        if np.array_equal(before, is_stored):
            break
    # Neighbours that round to the same float32 become one entry.
    merged, numbers = np.unique(entries, return_inverse=True)
    return np.append(numbers, 0).astype(np.uint8)[codes], is_stored, merged


def _position_bits(sides: tuple[Array, Array], counts: tuple[int, int], is_stored: Array) -> Array:
    """Return the bits that storing each element adds to the mask, with the others unchanged.

    Each row and column is counted with one more element than it has, so that no position becomes
    impossible.
    """
    shares = np.ones(len(is_stored))
    stored = max(int(np.count_nonzero(is_stored)), 1)
    for side, count in zip(sides, counts, strict=True):
        sizes = np.bincount(side[is_stored], minlength=count)
        # Each element is counted as stored, whether it is or not.
        shares *= (sizes[side] + 1 + ~is_stored) / (stored + count)
    shares = np.clip(shares * stored, None, 0.5)
    bits: Array = np.log2(1 / shares - 1)
    return bits
