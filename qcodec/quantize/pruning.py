"""Pruning: masks that are True for the weights to keep."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._core import core
from .._core.float_mode import standard_float_mode
from .sorting import partitioned, row_blocks
from .thresholds import float32_at_most
from .weights import Array, quantizable

Mask = np.ndarray[Any, np.dtype[np.bool_]]

# From this size on, a sample narrows the search for the threshold of a density.
_MIN_SAMPLED = 1 << 16
_SAMPLES = 1 << 12
# Standard deviations of the sample's rank: the range fails for one in a million random tensors.
_DEVIATIONS = 5

# For longer groups, selection is faster than sorting.
_MIN_SELECTED = 1 << 16

# Deviations are summed in blocks of this many values, to save memory.
_BLOCK = 1 << 16


@standard_float_mode()
def density_mask(array: Any, density: float) -> Mask:
    """Keep the ``round(density * n)`` elements of largest magnitude.

    Parameters
    ----------
    array : array_like
        A float array of any shape.
    density : float
        From 0 to 1.

    Returns
    -------
    numpy.ndarray of bool
        In the array's shape. Of equal magnitudes, the first in C order are kept.

    Raises
    ------
    ValueError
        If the density is out of range, or a value is NaN or infinite.

    Examples
    --------
    >>> density_mask(np.array([3.0, -1.0, 1.0, -4.0]), 0.75)
    array([ True,  True, False,  True])
    """
    if not 0 <= density <= 1:
        raise ValueError(f"density {density}: allowed are 0 to 1")
    weights = quantizable(array)
    return _largest(weights.values, round(density * len(weights.values))).reshape(weights.shape)


@standard_float_mode()
def quality_mask(array: Any, quality: float) -> Mask:
    """Keep elements whose magnitude exceeds ``quality`` standard deviations of the tensor.

    This is the rule of Han et al., "Learning both weights and connections".

    Parameters
    ----------
    array : array_like
        A float array of any shape.
    quality : float
        At least 0.

    Returns
    -------
    numpy.ndarray of bool
        Of the array's shape.

    Raises
    ------
    ValueError
        If the quality is negative, or a value is NaN or infinite.

    Examples
    --------
    >>> quality_mask(np.array([3.0, -1.0, 1.0, -4.0]), 1.0)
    array([ True, False, False,  True])
    """
    if not quality >= 0:
        raise ValueError(f"quality {quality}: allowed is 0 and more")
    weights = quantizable(array)
    return _above(weights.values, quality * _standard_deviation(weights.values)).reshape(
        weights.shape
    )


@standard_float_mode()
def threshold_mask(array: Any, threshold: float) -> Mask:
    """Keep elements whose magnitude exceeds a threshold.

    Parameters
    ----------
    array : array_like
        A float array of any shape.
    threshold : float
        At least 0.

    Returns
    -------
    numpy.ndarray of bool
        Of the array's shape.

    Raises
    ------
    ValueError
        If the threshold is negative, or a value is NaN or infinite.

    Examples
    --------
    >>> threshold_mask(np.array([3.0, -1.0, 1.5]), 1.0)
    array([ True, False,  True])
    """
    if not threshold >= 0:
        raise ValueError(f"threshold {threshold}: allowed is 0 and more")
    weights = quantizable(array)
    return _above(weights.values, threshold).reshape(weights.shape)


@standard_float_mode()
def n_of_m_mask(array: Any, n: int, m: int) -> Mask:
    """Keep the `n` elements of largest magnitude of every `m` along the last axis.

    Parameters
    ----------
    array : array_like
        A float array of any shape. If the last group of a row has fewer than `m`
        elements, up to `n` of them are kept.
    n, m : int
        ``1 <= n <= m``.

    Returns
    -------
    numpy.ndarray of bool
        In the array's shape. Of equal magnitudes, the first are kept.

    Raises
    ------
    ValueError
        If n and m are out of range, or a value is NaN or infinite.

    Examples
    --------
    >>> n_of_m_mask(np.array([[1.0, -4.0, 3.0, 2.0], [5.0, 5.0, 5.0, 0.0]]), 2, 4)
    array([[False,  True,  True, False],
           [ True,  True, False, False]])
    """
    if not 1 <= n <= m:
        raise ValueError(f"{n} of {m}: allowed is 1 <= n <= m")
    weights = quantizable(array)
    row = max(1, weights.shape[-1] if weights.shape else 1)
    by_rank = core.mask_n_of_m if m <= core.MAX_N_OF_M else _n_of_many
    return by_rank(weights.values, row, n, m).reshape(weights.shape)


def _n_of_many(values: Array, row: int, n: int, m: int) -> Mask:
    groups = -(-row // m)
    padded = np.full((len(values) // row, groups * m), np.float32(-1))
    padded[:, :row] = np.abs(values).reshape(len(padded), row)
    members = padded.reshape(-1, m)
    kept = np.zeros(members.shape, np.bool_)
    if m > _MIN_SELECTED:
        for group, of_group in zip(kept, members, strict=True):
            group[:] = _largest(of_group, n)
        return kept.reshape(padded.shape)[:, :row]
    for block in row_blocks(*members.shape):
        order = np.argsort(-members[block], axis=1, kind="stable")
        np.put_along_axis(kept[block], order[:, :n], True, axis=1)
    return kept.reshape(padded.shape)[:, :row]


def _above(values: Array, threshold: float) -> Mask:
    """Return the mask of magnitudes above a threshold that need not be a float32."""
    return core.mask_above(values, float(float32_at_most(threshold)), 0)


def _standard_deviation(values: Array) -> float:
    """Return the standard deviation of all values, computed in float64."""
    if len(values) == 0:
        return 0.0
    mean = values.mean(dtype=np.float64)
    blocks = (values[i : i + _BLOCK] - mean for i in range(0, len(values), _BLOCK))
    return float(np.sqrt(sum(np.sum(np.square(block)) for block in blocks) / len(values)))


def _largest(values: Array, keep: int) -> Mask:
    """Return the mask of the `keep` largest magnitudes; of equal ones, the first are kept."""
    if keep == 0:
        return np.zeros(len(values), np.bool_)
    threshold, above = _keep_th_largest(values, keep)
    return core.mask_above(values, threshold, keep - above)


def _keep_th_largest(values: Array, keep: int) -> tuple[float, int]:
    """Return the `keep`-th largest magnitude, and how many are above it."""
    candidates, beyond = _near_rank(values, keep)
    if not 0 < keep - beyond <= len(candidates):  # the sample was misleading
        candidates, beyond = np.abs(values), 0
    place = len(candidates) - (keep - beyond)
    ordered = partitioned(candidates, place)
    threshold = float(ordered[place])
    return threshold, beyond + int(np.count_nonzero(ordered[place:] > threshold))


def _near_rank(values: Array, keep: int) -> tuple[Array, int]:
    """Return magnitudes that probably include the `keep`-th largest, and the number above them."""
    if len(values) < _MIN_SAMPLED:
        return np.abs(values), 0
    # An odd step is not a multiple of the row length, which is usually even.
    sample = np.sort(np.abs(values[:: len(values) // _SAMPLES | 1]))
    share = 1 - keep / len(values)
    middle = share * len(sample)
    margin = _DEVIATIONS * np.sqrt(share * (1 - share) * len(sample)) + _DEVIATIONS
    first, last = int(middle - margin), int(middle + margin)
    minimum = sample[first] if first >= 0 else 0
    maximum = sample[last] if last < len(sample) else np.inf
    return core.magnitudes_between(values, minimum, maximum)
