"""Pruning: which weights stay. A mask is True where one does."""

from __future__ import annotations

from typing import Any

import numpy as np

from .source import quantizable

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def density_mask(array: Any, density: float) -> Mask:
    """Keep exactly ``round(density * n)`` elements: those of largest magnitude.

    Parameters
    ----------
    array : array_like
        A float array of any shape.
    density : float
        From 0 to 1.

    Returns
    -------
    numpy.ndarray of bool
        Of the array's shape. Of equal magnitudes the first in C order stay.

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
    magnitudes, shape = _magnitudes(array)
    return _largest(magnitudes, round(density * len(magnitudes))).reshape(shape)


def quality_mask(array: Any, quality: float) -> Mask:
    """Keep magnitudes above ``quality`` standard deviations of the tensor.

    The rule of Han et al., "Learning both weights and connections".

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
    source = quantizable(array)
    deviation = float(np.std(source.values, dtype=np.float64)) if len(source.values) else 0.0
    return threshold_mask(array, quality * deviation)


def threshold_mask(array: Any, threshold: float) -> Mask:
    """Keep magnitudes above a threshold.

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
    magnitudes, shape = _magnitudes(array)
    # In float64, so that the threshold is the one that was said.
    return (magnitudes > np.float64(threshold)).reshape(shape)


def n_of_m_mask(array: Any, n: int, m: int) -> Mask:
    """Keep the `n` largest magnitudes of every `m` along the last axis.

    Parameters
    ----------
    array : array_like
        A float array of any shape; a last group of fewer than `m` elements
        keeps up to `n` of them.
    n, m : int
        ``1 <= n <= m``.

    Returns
    -------
    numpy.ndarray of bool
        Of the array's shape. Of equal magnitudes the first ones stay.

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
    magnitudes, shape = _magnitudes(array)
    row = shape[-1] if shape else 1
    groups = -(-row // m)
    padded = np.full((len(magnitudes) // max(row, 1), groups * m), np.float32(-1))
    padded[:, :row] = magnitudes.reshape(len(padded), row)
    order = np.argsort(-padded.reshape(-1, m), axis=1, kind="stable")
    kept = np.zeros(order.shape, np.bool_)
    np.put_along_axis(kept, order[:, :n], True, axis=1)
    return kept.reshape(padded.shape)[:, :row].reshape(shape)


def _magnitudes(array: Any) -> tuple[Array, tuple[int, ...]]:
    source = quantizable(array)
    return np.abs(source.values), source.shape


def _largest(magnitudes: Array, keep: int) -> Mask:
    """A mask of the `keep` largest, by selection: no sort, and ties in order of index."""
    if keep == 0:
        return np.zeros(len(magnitudes), np.bool_)
    threshold = np.partition(magnitudes, len(magnitudes) - keep)[len(magnitudes) - keep]
    kept: Mask = magnitudes > threshold
    ties = np.flatnonzero(magnitudes == threshold)
    kept[ties[: keep - np.count_nonzero(kept)]] = True
    return kept
