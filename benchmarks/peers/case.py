"""One set of weights that every method must return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qcodec.quantized import Quantized

from ..evidence.report import Row

if TYPE_CHECKING:
    from .compare import Comparison
    from .forms import Form

Array = np.ndarray
#: Names with codes and what they mean, or with an array whose bits are kept.
Tensors = Mapping[str, Quantized | Array]


def no_goals(_: Comparison) -> list[Row]:
    """For cases whose goals are in `benchmarks.evidence`."""
    return []


@dataclass(frozen=True)
class Case:
    """Weights, however they are stored.

    Attributes
    ----------
    title : str
    tensors : mapping of str to Quantized or ndarray
        Arrays of uint16 are the bits of bfloat16.
    forms : callable, optional
        What byte compressors are given, if not what `forms.forms` makes of the tensors.
    goals : callable
        Rows from what was found.
    note : str
        What the weights are good for.
    net : str
        Whose weights, where several cases of different nets have one title.
    whole : bool
        Whether names, shapes and dtypes count in the files of others, too (`whole.py`).
    """

    title: str
    tensors: Tensors
    forms: Callable[[], list[Form]] | None = None
    goals: Callable[[Comparison], list[Row]] = no_goals
    note: str = ""
    net: str = ""
    whole: bool = False

    def decoded(self) -> dict[str, Array]:
        """What must come out."""
        return {
            name: tensor.dequantize() if isinstance(tensor, Quantized) else tensor
            for name, tensor in self.tensors.items()
        }

    @property
    def lossless(self) -> bool:
        """Whether nothing is quantized."""
        return not any(isinstance(tensor, Quantized) for tensor in self.tensors.values())


def same(found: Mapping[str, Any], wanted: Mapping[str, Array]) -> bool:
    """Whether every bit of every tensor is there."""
    return found.keys() == wanted.keys() and all(
        np.asarray(found[name]).tobytes() == array.tobytes() for name, array in wanted.items()
    )
