"""From a model to a file, and back: what was trained is what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..files import RecipeLike, safe_open, save_file
from ..limits import Limits
from ..messages import names_text, quoted, shape_text
from ..quantized import Quantized
from ..source import PathLike
from .tensors import Place, places, plain_tensors


def export(
    model: torch.nn.Module,
    path: PathLike,
    recipe: RecipeLike = None,
    *,
    profile: str = "small",
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write a model's tensors into a file, under their plain names.

    Pruned, shared, ternary and fixed-point weights are stored as they were trained, and
    decode bit for bit to what the model computes with.

    Parameters
    ----------
    model : torch.nn.Module
    path : path-like
        As for `qcodec.save_file`: a bare pack if it ends in ``.qc``, else safetensors.
    recipe : Recipe, Codec, mapping, str or None
        For the tensors that no method of `qcodec.torch` has quantized; the default loses
        nothing.
    profile : str
        As in `qcodec.encode`.
    metadata : mapping of str to str, optional

    Returns
    -------
    int
        The file's length in bytes.

    Raises
    ------
    TypeError, ValueError, OSError
        As `qcodec.save_file` does.

    Examples
    --------
    >>> import tempfile, torch, qcodec
    >>> from qcodec.torch import prune, share
    >>> model = torch.nn.Linear(100, 100)
    >>> prune(model, {"weight": qcodec.Density(0.1)})
    >>> share(model, {"weight": qcodec.Codebook(4)})
    >>> again = torch.nn.Linear(100, 100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = export(model, f"{folder}/net.qc")
    ...     load(again, f"{folder}/net.qc")
    >>> size < 2000, torch.equal(model.weight, again.weight)
    (True, True)
    """
    contents: dict[str, Any] = {}
    for place in places(model):
        quantized = quantized_of(place)
        contents[place.name] = place.value if quantized is None else quantized
    return save_file(contents, path, recipe, profile=profile, metadata=metadata)


def load(model: torch.nn.Module, path: PathLike, *, limits: Limits | None = None) -> None:
    """Put the tensors of a file into a model, bit for bit.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place; parametrized tensors become plain ones. It keeps its devices.
    path : path-like
        What `export` or `qcodec.save_file` wrote. Nothing is changed if it does not fit.
    limits : Limits, optional
        What may be decoded; the default is `qcodec.Limits()`.

    Raises
    ------
    ValueError
        If names, shapes or dtypes differ from the model's.
    QCodecError, OSError
        If the file cannot be read.
    """
    wanted = plain_tensors(model)
    with safe_open(path, "pt", limits=limits) as file:
        tensors = file.get_tensors()
    _check_names(tensors.keys(), wanted.keys())
    for name, tensor in tensors.items():
        _check_tensor(name, tensor, wanted[name])
    for place in list(places(model)):
        place.make_plain()
        with torch.no_grad():
            getattr(place.module, place.attribute).copy_(tensors[place.name])


def quantized_of(place: Place) -> Quantized | None:
    """A tensor as it is stored, if the last that parametrizes it says so."""
    if not place.parametrizations or not hasattr(place.parametrizations[-1], "quantized"):
        return None
    quantized: Quantized = place.parametrizations[-1].quantized(place.last_input)
    return quantized


def _check_names(found: Any, wanted: Any) -> None:
    missing, unexpected = sorted(wanted - found), sorted(found - wanted)
    if missing or unexpected:
        raise ValueError(
            f"tensors of the model that the file lacks: {names_text(missing)}; "
            f"of the file that the model lacks: {names_text(unexpected)}"
        )


def _check_tensor(name: str, found: torch.Tensor, wanted: torch.Tensor) -> None:
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        raise ValueError(
            f"{quoted(name)}: found {shape_text(found.shape)} of {found.dtype}, "
            f"allowed {shape_text(wanted.shape)} of {wanted.dtype}"
        )
