"""Synthesised notes and chords of different timbres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_A4, _A4_NUMBER = 440.0, 69
_CHORDS = ((0,), (0, 7), (0, 4, 7), (0, 3, 7), (0, 4, 7, 11), (0, 3, 7, 10))
_LOWEST, _HIGHEST = 36, 84


def windows(count: int, samples: int, rate: int, seed: int = 0) -> Array:
    """Windows of sound, (count, samples): each has two to six notes or chords, and some noise."""
    generator = np.random.default_rng(seed)
    return np.stack([_window(samples, rate, generator) for _ in range(count)])


def _window(samples: int, rate: int, generator: np.random.Generator) -> Array:
    sound = np.zeros(samples)
    rolloff = generator.uniform(0.5, 2.5)
    odd = generator.random() < 0.3  # only odd partials, as of a clarinet
    decay = generator.choice([0.0, 1.5, 4.0])  # per second
    for start in np.sort(generator.uniform(0, 0.8, generator.integers(2, 7))):
        root = generator.integers(_LOWEST, _HIGHEST)
        first = int(start * samples)
        last = min(samples, first + int(generator.uniform(0.2, 1.2) * rate))
        time = np.arange(last - first) / rate
        for interval in _CHORDS[generator.integers(len(_CHORDS))]:
            sound[first:last] += _note(int(root) + interval, time, rate, rolloff, odd, decay)
    sound += generator.uniform(0, 0.01) * generator.standard_normal(samples)
    peak = generator.uniform(0.2, 0.9)
    return (peak * sound / np.abs(sound).max()).astype(np.float32)


def _note(
    number: int, time: NDArray[np.float64], rate: int, rolloff: float, odd: bool, decay: float
) -> NDArray[np.float64]:
    """A MIDI note: partials that fall by a power, an attack of 10 ms, and a decay."""
    pitch = _A4 * 2 ** ((number - _A4_NUMBER) / 12)
    partials = [n for n in range(1, 16, 2 if odd else 1) if n * pitch < rate / 2]
    wave = sum(np.sin(2 * np.pi * n * pitch * time) / n**rolloff for n in partials)
    ends = np.minimum(1, np.minimum(time, time[-1] - time) / 0.01)
    return np.asarray(wave) * ends * np.exp(-decay * time)
