"""Two nets for sounds: windows of waves as weights, and long filters that training makes smooth.

The sounds are made here: voices of a few harmonics with a slow swell, in noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .training import repeatable, train, weights_of

if TYPE_CHECKING:
    import torch

_RATE, _BATCH = 16_000, 16
_FRAME, _HOP, _STATES = 256, 128, 96
_TAPS, _PITCHES = 512, 120


def basis(frame: int = _FRAME) -> np.ndarray:
    """The discrete Fourier transform under a Hann window, as weights of a convolution.

    Returns
    -------
    ndarray of float32, shape (frame + 2, 1, frame)
        Rows of cosines, then rows of sines.
    """
    window = np.hanning(frame + 1)[:frame]
    turns = np.outer(np.arange(frame // 2 + 1), np.arange(frame)) * (2 * np.pi / frame)
    rows = np.concatenate([np.cos(turns), -np.sin(turns)]) * window
    return rows.astype(np.float32)[:, None]


def voices(random: np.random.Generator, count: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Sounds (count, length) of float32, and the pitch of each in Hz."""
    pitch = 60 * 16 ** random.random(count)
    time = np.arange(length) / _RATE
    sounds = random.normal(size=(count, length)) * 0.1
    for harmonic in range(1, 6):
        phase = 2 * np.pi * (harmonic * pitch[:, None] * time + random.random((count, 1)))
        sounds += random.random((count, 1)) / harmonic * np.sin(phase)
    swell = 1 + 0.5 * np.sin(2 * np.pi * (3 * time + random.random((count, 1))))
    return (sounds * swell).astype(np.float32), pitch


def detector() -> torch.nn.Module:
    """Is there a voice: spectra, convolutions over time, an LSTM."""
    import torch
    from torch import nn

    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stft = nn.Module()
            self.stft.register_buffer("forward_basis_buffer", torch.from_numpy(basis()))
            bins = _FRAME // 2 + 1
            self.encoder = nn.Sequential(
                nn.Conv1d(bins, 96, 3, padding=1),
                nn.ReLU(),
                nn.Conv1d(96, 64, 3, 2, padding=1),
                nn.ReLU(),
                nn.Conv1d(64, _STATES, 3, padding=1),
                nn.ReLU(),
            )
            self.decoder = nn.Module()
            self.decoder.rnn = nn.LSTM(_STATES, _STATES, batch_first=True)
            self.decoder.output = nn.Linear(_STATES, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = nn.functional.conv1d(x[:, None], self.stft.forward_basis_buffer, stride=_HOP)
            cosines, sines = x.chunk(2, 1)
            x = self.encoder((cosines**2 + sines**2 + 1e-9).sqrt())
            states, _ = self.decoder.rnn(x.transpose(1, 2))
            return self.decoder.output(states[:, -1])

    return Detector()


def trained_detector(steps: int) -> dict[str, Any]:
    """Its weights and the basis."""
    import torch

    def batch(random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        sounds, _ = voices(random, _BATCH, 4096)
        voiced = random.integers(2, size=_BATCH)
        noise = random.normal(size=sounds.shape).astype(np.float32) * 0.5
        sounds = np.where(voiced[:, None] > 0, 0.2 * sounds + noise, noise)
        return torch.from_numpy(sounds.astype(np.float32)), torch.from_numpy(voiced)

    with repeatable():
        net = detector()
        train(net, batch, steps)
    return weights_of(net)


def pitch_net() -> torch.nn.Module:
    """Which pitch: a first convolution of 512 taps, then of 64 taps, as CREPE has them."""
    from torch import nn

    net = nn.Sequential(
        nn.Conv1d(1, 96, _TAPS, 4, padding=_TAPS // 2),
        nn.ReLU(),
        nn.BatchNorm1d(96),
        nn.MaxPool1d(2),
        nn.Conv1d(96, 16, 64, padding=32),
        nn.ReLU(),
        nn.BatchNorm1d(16),
        nn.MaxPool1d(4),
        nn.Conv1d(16, 32, 64, padding=32),
        nn.ReLU(),
        nn.BatchNorm1d(32),
        nn.MaxPool1d(4),
        nn.Flatten(),
        nn.Linear(32 * 8, _PITCHES),
    )
    for layer in net:
        if isinstance(layer, nn.Conv1d):  # what remains of the first noise would hide the waves
            nn.init.normal_(layer.weight, std=0.002)
    return net


def trained_pitch_net(steps: int) -> dict[str, Any]:
    """Its weights and running statistics."""
    import torch

    def batch(random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        sounds, pitch = voices(random, _BATCH, 1024)
        classes = (np.log(pitch / 60) / np.log(16) * _PITCHES).astype(np.int64)
        sounds /= sounds.std(1, keepdims=True)
        return torch.from_numpy(sounds)[:, None], torch.from_numpy(classes)

    with repeatable():
        net = pitch_net()
        train(net, batch, steps)
    return weights_of(net)
