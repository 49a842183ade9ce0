"""What an encode did to each tensor: which codec it got, and how large the error is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._base.arrays import Typed, as_float32
from ._base.messages import quoted
from ._core.float_mode import standard_float_mode
from .codecs import Codec
from .dtypes import ElementType
from .quantized import Quantized

Array = np.ndarray[Any, Any]

# Elements whose errors are computed in one step, in float64.
_AT_ONCE = 1 << 18
#: Below this signal-to-quantization-noise ratio of a tensor's weights, in dB, nets that were not
#: trained with the quantization often answer otherwise (docs/decisions/choosing.md).
LOW_SQNR = 20.0
_SHOWN = 3


@dataclass(frozen=True)
class TensorSummary:
    """One tensor of a `Summary`.

    Attributes
    ----------
    name : str
    kind : str
        ``"embeddings"``, ``"convolutions"``, ``"matrices"``, ``"vectors"`` or ``"integers"``.
    elements : int
    codec : Codec or None
        None: it was quantized before, or is stored without encoding.
    signal, noise : float
        The sums of the squares of the elements and of their errors; 0 and 0 if every bit is kept.
    """

    name: str
    kind: str
    elements: int
    codec: Codec | None
    signal: float = 0.0
    noise: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether the codec keeps every bit."""
        return self.codec is None or self.codec.is_lossless

    @property
    def sqnr(self) -> float:
        """The signal-to-quantization-noise ratio in dB; infinite without an error."""
        return _decibels(self.signal, self.noise)


class Summary:
    """Collects what is done to each tensor while a file is saved.

    Attributes
    ----------
    tensors : list of TensorSummary
        In the order in which they were encoded.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> summary = Summary()
    >>> tensors = {"fc.weight": np.random.default_rng(0).normal(size=(64, 64)), "b": np.ones(4)}
    >>> data = qcodec.save(tensors, recipe=qcodec.Codebook(bits=4), summary=summary)
    >>> [(one.name, one.is_exact, round(one.sqnr, 1)) for one in summary.tensors]
    [('fc.weight', False, 20.5), ('b', True, inf)]
    """

    def __init__(self) -> None:
        self.tensors: list[TensorSummary] = []

    @property
    def quantized(self) -> list[TensorSummary]:
        """The tensors that do not keep every bit."""
        return [one for one in self.tensors if not one.is_exact]

    @property
    def sqnr(self) -> float:
        """The signal-to-quantization-noise ratio of all quantized tensors, in dB."""
        return sqnr_of(self.quantized)

    def by_kind(self) -> dict[str, list[TensorSummary]]:
        """Return the quantized tensors by kind; the kind with the most elements first."""
        kinds: dict[str, list[TensorSummary]] = {}
        for one in self.quantized:
            kinds.setdefault(one.kind, []).append(one)
        size = {kind: sum(one.elements for one in some) for kind, some in kinds.items()}
        return dict(sorted(kinds.items(), key=lambda item: -size[item[0]]))

    def warning(self) -> str:
        """Return a line that names the tensors with the largest relative errors; empty if none.

        Examples
        --------
        >>> Summary().warning()
        ''
        """
        low = sorted((one for one in self.quantized if one.sqnr < LOW_SQNR), key=lambda o: o.sqnr)
        if not low:
            return ""
        worst = ", ".join(f"{quoted(one.name)} {one.sqnr:.1f} dB" for one in low[:_SHOWN])
        more = f" and {len(low) - _SHOWN:,} more" if len(low) > _SHOWN else ""
        return (
            f"{len(low):,} of {len(self.quantized):,} quantized tensors have an SQNR below "
            f"{LOW_SQNR:g} dB: {worst}{more}; unless the net was trained so, compare its answers"
        )

    def add(self, name: str, tensor: Typed, quantized: Quantized, codec: Codec) -> None:
        """Add a tensor, and measure its error unless the codec keeps every bit."""
        array, element = tensor.array, tensor.element
        if codec.is_lossless:
            self.add_exact(name, array.shape, element, codec)
            return
        powers = _powers(as_float32(array, element), quantized.dequantize("float32"))
        kind = kind_of(name, array.shape, element)
        # Appending is one step, so that several threads may add.
        self.tensors.append(TensorSummary(name, kind, array.size, codec, *powers))

    def add_exact(
        self, name: str, shape: tuple[int, ...], element: ElementType, codec: Codec | None = None
    ) -> None:
        """Add a tensor of which every bit is kept."""
        kind = kind_of(name, shape, element)
        self.tensors.append(TensorSummary(name, kind, math.prod(shape), codec))


def sqnr_of(tensors: Iterable[TensorSummary]) -> float:
    """Return the signal-to-quantization-noise ratio of several tensors together, in dB."""
    every = list(tensors)
    return _decibels(sum(one.signal for one in every), sum(one.noise for one in every))


def kind_of(name: str, shape: tuple[int, ...], element: ElementType) -> str:
    """Return the kind of a tensor, by its element type, shape and name.

    Examples
    --------
    >>> from qcodec.dtypes import BY_NAME
    >>> kind_of("wte.weight", (50257, 768), BY_NAME["float32"])
    'embeddings'
    >>> kind_of("conv1.weight", (64, 3, 7, 7), BY_NAME["float32"])
    'convolutions'
    """
    if not element.is_float:
        return "integers"
    if len(shape) < 2:
        return "vectors"
    if len(shape) > 2:
        return "convolutions"
    lower = name.lower()
    return "embeddings" if any(part in lower for part in _EMBEDDINGS) else "matrices"


_EMBEDDINGS = ("embed", "wte", "wpe")


@standard_float_mode()
def _powers(array: Array, decoded: Array) -> tuple[float, float]:
    """Return the sums of the squares of the elements and of the errors."""
    given, found = array.reshape(-1), decoded.reshape(-1)
    signal = noise = 0.0
    for start in range(0, len(given), _AT_ONCE):
        values = given[start : start + _AT_ONCE].astype(np.float64)
        signal += float(np.dot(values, values))
        values -= found[start : start + _AT_ONCE]
        noise += float(np.dot(values, values))
    return signal, noise


def _decibels(signal: float, noise: float) -> float:
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf
