"""One parametrization per tensor, with two slots: a mask and a kind of values.

Every method of `qcodec.torch` changes these two slots. Methods can therefore be called in any
order and repeatedly without one rounding on top of another:

- `mask` (bool, in the tensor's shape, or None) says which weights may be nonzero. Weights are
  only ever removed from it.
- `values` turns the parameter into the weights: `Free` (they are the parameter), `LatentValues`,
  `SharedValues`, `TernaryValues` or `FixedPointValues`. It is replaced, never stacked.

Codes and masks are buffers in the tensor's shape, whatever was pruned, so all state dicts of one
model fit it. A checksum (`seal`) detects averages of weights (EMA) that include buffers: averaged
codes and masks are meaningless.
"""

from __future__ import annotations

import zlib
from typing import Any

import torch
from torch.nn.utils import parametrize

from ..codecs import Lossless, Sparse
from ..quantized import Quantized
from .passes import is_traced, masked
from .sharded import put, whole


class Values(torch.nn.Module):
    """Turns a parameter into weights; the base class of all kinds of values.

    Attributes
    ----------
    holds_weights : bool
        Whether the parameter is the unrounded weights. If not, the values themselves are trained.
    """

    holds_weights = True

    def forward(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Returns the weights that the model computes with: zero where the mask is False."""
        raise NotImplementedError

    def quantized(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> Quantized:
        """Returns the weights as a file stores them; they decode to the same bits."""
        raise NotImplementedError

    def kept(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor | None:
        """Returns which weights a file stores, in the tensor's shape. None: all of them."""
        return mask

    def inverse(self, weight: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Returns the parameter whose weights are the given ones, or nearest to them."""
        return weight

    def restrict(self, mask: torch.Tensor) -> None:
        """Drop the weights outside a mask. Called whenever the mask shrinks."""

    def accepts(self, other: Values) -> bool:
        """Whether `take` can copy `other` into the existing buffers."""
        return False

    def take(self, other: Values) -> None:
        """Copy values of the same kind; modules and buffers stay the same objects."""
        raise NotImplementedError


class Free(Values):
    """The weights are the parameter itself."""

    def forward(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Returns the masked parameter."""
        return masked(original, mask)

    def quantized(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> Quantized:
        """Returns the kept weights, bit for bit, zeros included."""
        stored = None if mask is None else mask.cpu().numpy()
        return Sparse(Lossless()).quantize(masked(original, mask), stored)


class Compressed(torch.nn.Module):
    """The parametrization of a tensor: `values`, which turn the parameter into weights, and a mask.

    Parameters
    ----------
    values : Values
    mask : torch.Tensor of bool, optional

    Examples
    --------
    >>> import torch
    >>> Compressed(Free(), torch.tensor([True, False]))(torch.tensor([3.0, 4.0]))
    tensor([3., 0.])
    """

    mask: torch.Tensor | None
    seal: torch.Tensor

    def __init__(self, values: Values, mask: torch.Tensor | None = None) -> None:
        super().__init__()
        self.values = values
        self.register_buffer("mask", mask)
        device = None if mask is None else mask.device
        self.register_buffer("seal", torch.zeros(1, dtype=torch.int64, device=device))
        self._seen: list[tuple[dict[str, Any], str, Any, int]] | None = None
        self.settle()

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """The weights that the model sees."""
        if not is_traced():
            self.check()
        weights: torch.Tensor = self._modules["values"].forward(original, self._buffers["mask"])
        return weights

    def quantized(self, original: torch.Tensor) -> Quantized:
        """The weights as a file stores them."""
        self.check()
        return self.values.quantized(original.detach(), self.mask)

    def kept(self, original: torch.Tensor) -> torch.Tensor | None:
        """Which weights a file stores; None: all of them."""
        self.check()
        return self.values.kept(original.detach(), self.mask)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # The tensors of a copy count versions from 0, so the next check must verify the seal.
        self._seen = [({}, "", self.seal, -1)]

    def settle(self) -> None:
        """Set the seal for the current masks and codes. Call it after every change of them."""
        if not self.seal.is_meta:
            self.seal.fill_(self._checksum())
        self._look()

    def check(self) -> None:
        """Raise ValueError if masks or codes changed without their seal.

        The checksum is computed only after the buffers were written to or replaced.
        """
        if self._seen is not None and all(
            one._version == version and held.get(name) is one
            for held, name, one, version in self._seen
        ):
            return
        try:
            broken = not self.seal.is_meta and int(self.seal) != self._checksum()
        except RuntimeError:  # a tensor of torch.func, which has no values
            return
        if broken:
            raise ValueError(
                "masks or codes of compressed weights were changed, as by an average (EMA, SWA) "
                "that includes buffers: they are integers; average parameters only, and copy "
                "buffers (use_buffers=False)"
            )
        self._look()

    def __getstate__(self) -> dict[str, Any]:
        """Omit the last seen versions: the tensors of a copy count versions from 0."""
        return {**self.__dict__, "_seen": None}

    def _integers(self) -> list[tuple[dict[str, Any], str, Any]]:
        """Every buffer that must not be averaged, the seal included: its dict, name and tensor."""
        owners = (self._buffers, self.values._buffers)
        return [
            (held, name, one) for held in owners for name, one in held.items() if one is not None
        ]

    def _look(self) -> None:
        self._seen = [
            (held, name, one, one._version)
            for held, name, one in self._integers()
            if not one.is_inference()
        ]

    def _checksum(self) -> int:
        found = 0
        for _, _, one in self._integers():
            if one is not self.seal and not one.is_meta:
                found = zlib.crc32(one.cpu().flatten().view(torch.uint8).numpy(), found)
        # Odd and above 2**53: no float holds it, so every average breaks it.
        return (1 << 55) + 2 * found + 1


class Parametrization(parametrize.ParametrizationList):
    """The list of one `Compressed` that torch's parametrization holds for a tensor.

    Torch's own list stores an assigned tensor in the parameter with ``set_``. The parameter then
    shares the tensor's memory, and its gradient hooks (DistributedDataParallel) are lost. This
    list copies instead. Tied tensors share one list.

    Models of small layers spend more time in calls than in passes over weights. So `forward` of
    the modules inside is called directly, without their hooks.

    Parameters
    ----------
    compressed : Compressed
    original : torch.nn.Parameter
    """

    original: torch.nn.Parameter

    def __init__(self, compressed: Compressed, original: torch.nn.Parameter) -> None:
        torch.nn.ModuleList.__init__(self, [compressed])
        self.unsafe, self.is_tensor, self.ntensors = True, True, 1
        self.register_parameter("original", original)

    def forward(self) -> torch.Tensor:
        """The weights that the model sees."""
        modules = self._modules
        if len(modules) == 1:
            weights: torch.Tensor = modules["0"].forward(self._parameters["original"])
            return weights
        return super().forward()  # type: ignore[no-any-return, unused-ignore]

    def right_inverse(self, value: torch.Tensor) -> None:
        """Copy an assigned tensor into the parameter."""
        compressed = self[0]
        with torch.no_grad():
            put(compressed.values.inverse(whole(value), compressed.mask), self.original)
