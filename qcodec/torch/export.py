"""From a model to a file, and back: what was trained is what is stored."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch

from .._base.messages import names_text, quoted, shape_text
from .._io.source import PathLike
from ..codecs import Lossless
from ..errors import naming
from ..files import RecipeLike, safe_open, save_file
from ..limits import Limits
from ..quantized import Quantized
from ..recipes import as_recipe
from .changes import make_plain
from .foreign import check_loadable, check_wrappers
from .modes import forget_compiled_code
from .sharded import whole
from .tensors import Place, gathered, places, unwrapped


def export(
    model: torch.nn.Module,
    filename: PathLike,
    metadata: Mapping[str, str] | None = None,
    *,
    recipe: RecipeLike = None,
    profile: str = "small",
) -> int:
    """Write a model's tensors into a file, under their plain names.

    Pruned, shared, ternary and fixed-point weights are stored as they were trained, and
    decode bit for bit to what the model computes with.

    Under DistributedDataParallel it is enough that one process calls it. Of a sharded model
    (FSDP2) all must, as its parameters are gathered. All write the same bytes: to one path, where
    the last replaces the file as a whole, or each to its own, of which one is kept.

    Parameters
    ----------
    model : torch.nn.Module
    filename : path-like
        As for `qcodec.save_file`: a bare pack if it ends in ``.qc``, else safetensors.
    metadata : mapping of str to str, optional
        Not in a pack.
    recipe : Recipe, Codec, mapping, str or None
        For the parameters that no method of `qcodec.torch` has quantized; the default loses
        nothing. Buffers lose nothing in any case.
    profile : str
        As in `qcodec.encode`.

    Returns
    -------
    int
        The file's length in bytes.

    Raises
    ------
    TypeError, ValueError, OSError
        As `qcodec.save_file` does; TypeError if a module has an extra state that is no tensor.

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
    contents = extra_tensors(model)
    for place in places(model):
        contents.update(dict.fromkeys(place.names, _content(place, recipe)))
    return save_file(contents, filename, metadata, recipe=recipe, profile=profile)


def load(model: torch.nn.Module, filename: PathLike, *, limits: Limits | None = None) -> None:
    """Put the tensors of a file into a model, bit for bit.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place; what methods of `qcodec.torch` parametrized becomes plain. It keeps its
        devices. Shared and ternary weights become new parameters: make the optimizer after this.
    filename : path-like
        What `export` or `qcodec.save_file` wrote. Nothing is changed if it does not fit.
    limits : Limits, optional
        What may be decoded; the default is `qcodec.Limits()`.

    Raises
    ------
    ValueError
        If names, shapes or dtypes differ from the model's, tied tensors have two values, or a
        tensor is one that `docs/training.md` lists as refused.
    QCodecError, OSError
        If the file cannot be read.
    """
    found = places(model)
    states = extra_states(model)
    for place in found:
        check_loadable(place)
    with safe_open(filename, "pt", limits=limits) as file:
        tensors = file.get_tensors()
    names = {name for place in found for name in place.names}
    _check_names(tensors.keys() - states.keys(), names)
    for place in found:
        _check_tensor(place, tensors)
    # DistributedDataParallel would miss scales that go, and fails where no buffer is left.
    compressed = [place for place in found if place.compressed is not None]
    check_wrappers(compressed, compressed)
    _set_states({states[name]: tensors[name] for name in sorted(states.keys() & tensors.keys())})
    for place in found:
        make_plain(place, tensors[place.name], "load")
    if compressed:
        forget_compiled_code()


def _content(place: Place, recipe: RecipeLike) -> torch.Tensor | Quantized:
    """What a file is to hold of a tensor: bits, or what a recipe may quantize."""
    quantized = quantized_of(place)
    if quantized is not None:
        return quantized
    value = place.value
    if place.is_parameter:
        return value
    codec = as_recipe(recipe).codec_for(place.name, tuple(value.shape), place.dtype)
    if codec is None or codec.is_lossless:
        return value
    with naming(place.name):
        return Lossless().quantize(value.cpu())


def quantized_of(place: Place) -> Quantized | None:
    """A tensor as it is stored, if a method of `qcodec.torch` has quantized or pruned it."""
    compressed = place.compressed
    if compressed is None:
        return None
    with naming(place.name), gathered(compressed):
        return compressed.quantized(whole(place.original.detach()))


def extra_states(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """The modules that have a state beside their tensors, by its name in a state dict."""
    found = {}
    for path, module in unwrapped(model).named_modules():
        if type(module).get_extra_state is not torch.nn.Module.get_extra_state:
            found[f"{path}._extra_state" if path else "_extra_state"] = module
    return found


def extra_tensors(model: torch.nn.Module) -> dict[str, Any]:
    """The states of a model beside its tensors, which a file can hold if they are tensors.

    Raises
    ------
    TypeError
        If one is anything else.
    """
    found: dict[str, Any] = {}
    for name, module in extra_states(model).items():
        state = module.get_extra_state()
        if isinstance(state, torch.Tensor):
            found[name] = state.detach()
        elif state is not None:
            raise TypeError(
                f"{quoted(name)}: found {type(state).__name__}, allowed is a tensor or None: a "
                "file holds tensors only; store this state beside it"
            )
    return found


def _check_names(found: Any, wanted: Any) -> None:
    missing, unexpected = sorted(wanted - found), sorted(found - wanted)
    if missing or unexpected:
        raise ValueError(
            f"tensors of the model that the file lacks: {names_text(missing)}; "
            f"of the file that the model lacks: {names_text(unexpected)}"
        )


def _check_tensor(place: Place, tensors: Mapping[str, torch.Tensor]) -> None:
    wanted = place.value
    for name in place.names:
        found = tensors[name]
        if found.shape != wanted.shape or found.dtype != wanted.dtype:
            raise ValueError(
                f"{quoted(name)}: found {shape_text(found.shape)} of {found.dtype}, "
                f"allowed {shape_text(wanted.shape)} of {wanted.dtype}"
            )
        if not _same_bits(found, tensors[place.name]):
            raise ValueError(
                f"{quoted(place.name)} and {quoted(name)} are one tensor in the model: found two "
                "values in the file, allowed is one"
            )


def _set_states(states: Mapping[torch.nn.Module, torch.Tensor]) -> None:
    """Give modules their extra states; if one of them raises, all get back what they had."""
    before = {module: copy.deepcopy(module.get_extra_state()) for module in states}
    try:
        for module, state in states.items():
            module.set_extra_state(state)
    except BaseException:
        for module, state in before.items():
            module.set_extra_state(state)
        raise


def _same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one is other or one.numel() == 0:
        return True
    bits, others = (it.contiguous().flatten().view(torch.uint8) for it in (one, other))
    return bool(torch.equal(bits, others))
