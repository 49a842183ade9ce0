"""Nets that were trained with few levels and kept as floats.

The weights of a trained net are rounded in each forward pass while training continues. What is
stored are the rounded weights: equal steps (by tensor or by row), shared values, or minus n, zero
and p. `exactly` finds the codes again and proves them bit by bit, so the size that the right
codec gives is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from qcodec.quantized import Groups, Quantized

from ..peers.case import Array
from .training import repeatable, train

if TYPE_CHECKING:
    import torch

Rounding = Callable[["torch.Tensor"], "torch.Tensor"]
_SMALL = 1024  # tensors of fewer elements keep their floats
_MOST = 256


def steps(levels: int, by_row: bool, signed_zeros: bool = False) -> Rounding:
    """Equal steps, as many on both sides of zero, of the largest weight of the tensor or row.

    With `signed_zeros`, small negative weights become -0.0, as in training code that multiplies
    the rounded weight by the step; without, 0.0, as torch's own quantizers give.
    """
    largest = levels // 2 - 1

    def round_to(weight: torch.Tensor) -> torch.Tensor:
        size = weight.abs().flatten(1).amax(1) if by_row else weight.abs().max()
        step = (size / largest).reshape(-1, *(1,) * (weight.ndim - 1))
        zero = -0.0 if signed_zeros else 0.0
        return ((weight / step).round() + zero) * step

    return round_to


def ternary() -> Rounding:
    """Minus n, zero and p: the means of what is beyond a twentieth of the largest weight."""

    def round_to(weight: torch.Tensor) -> torch.Tensor:
        limit = 0.05 * weight.abs().max()
        above, below = weight > limit, weight < -limit
        return above * weight[above].mean() + below * weight[below].mean()

    return round_to


def shared(levels: int) -> Rounding:
    """As many values as levels, at equal shares of the weights."""
    import torch

    def round_to(weight: torch.Tensor) -> torch.Tensor:
        parts = weight.flatten().sort().values.chunk(levels)
        values = torch.stack([part.mean() for part in parts])
        return values[torch.bucketize(weight.contiguous(), (values[1:] + values[:-1]) / 2)]

    return round_to


def trained(
    net: torch.nn.Module,
    weights: dict[str, Any],
    batch: Callable[[np.random.Generator], Any],
    rounding: Rounding,
    count: int,
) -> dict[str, Any]:
    """All weights after more training, the large ones rounded.

    Parameters
    ----------
    net : torch.nn.Module
    weights : dict of str to ndarray
        To start from.
    batch : callable
        As for `train`.
    rounding : callable
    count : int
        Steps.
    """
    import torch
    from torch.nn.utils import parametrize

    class Rounded(torch.nn.Module):
        def forward(self, weight: torch.Tensor) -> torch.Tensor:
            return weight + (rounding(weight) - weight).detach()

    with repeatable():
        tensors = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
        net.load_state_dict(tensors, strict=False)
        large = [n for n, p in net.named_parameters() if p.ndim >= 2 and p.numel() >= _SMALL]
        places = {name: _place(net, name) for name in large}
        for layer, last in places.values():
            parametrize.register_parametrization(layer, last, Rounded())
        train(net, batch, count)
        found = {}
        with torch.no_grad():
            for name in weights:
                layer, last = places.get(name) or _place(net, name)
                if name in places:
                    found[name] = rounding(layer.parametrizations[last].original)
                else:
                    found[name] = getattr(layer, last)
    return {name: tensor.detach().numpy().copy() for name, tensor in found.items()}


def _place(net: torch.nn.Module, name: str) -> tuple[torch.nn.Module, str]:
    """The layer that has the parameter, and how it is called there."""
    layer, _, last = name.rpartition(".")
    return net.get_submodule(layer), last


def exactly(array: Array, dtype: str = "float32") -> Quantized | None:
    """Codes that give each bit of the array: shared values, or steps by tensor or by row.

    Parameters
    ----------
    array : ndarray of float32
    dtype : str
        To which decoding rounds.
    """
    if array.size < _SMALL:
        return None
    tries = (_steps(array, dtype, 1), _steps(array, dtype, len(array)), _values(array, dtype))
    return next((one for one in tries if one is not None), None)


def _values(array: Array, dtype: str) -> Quantized | None:
    bits, codes = np.unique(array.view(np.uint32), return_inverse=True)
    if len(bits) > _MOST:
        return None
    book = np.zeros((1, 1 << max(1, (len(bits) - 1).bit_length())), np.float32)
    book[0, : len(bits)] = bits.view(np.float32)
    width = book.shape[1].bit_length() - 1
    codebook = Groups(book[:, : len(bits)].copy())
    return Quantized(
        array.shape, dtype, "codebook", codes.astype(np.uint8).ravel(), None, width, codebook
    )


def _steps(array: Array, dtype: str, rows: int) -> Quantized | None:
    """At the largest number of steps that the largest weights can be."""
    flat = array.reshape(rows, -1)
    largest = np.abs(flat).max(1)
    for most in (127, 7):
        scale = largest / np.float32(most)
        for _ in range(3):  # a division may round to a neighbour of the step
            scale = scale.astype(np.float32)
            codes = np.rint(flat / np.where(scale > 0, scale, 1)[:, None])
            again = (codes.astype(np.int32) * scale[:, None]).astype(np.float32)
            wrong = (again.view(np.uint32) != flat.view(np.uint32)).any(1)
            if not wrong.any():
                return _affine(array, dtype, codes, scale, most)
            scale = np.where(wrong, np.nextafter(scale, np.float32(np.inf)), scale)
    return None


def _affine(array: Array, dtype: str, codes: Array, scale: Array, most: int) -> Quantized:
    return Quantized(
        array.shape,
        dtype,
        "affine",
        (codes + most + 1).astype(np.uint8).ravel(),
        None,
        (2 * most + 1).bit_length(),
        scale=Groups(scale, array.size // len(scale)),
        zero_point=most + 1,
    )
