"""Write models to files and load them, with exactly the weights that were trained."""

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

    Pruned, shared, ternary and fixed-point weights are stored as they were trained. They decode
    bit for bit to the weights that the model computes with.

    Under DistributedDataParallel it is enough if one process calls this function. If a model is
    sharded (FSDP2), all processes must call it, because parameters are gathered. All write the
    same bytes. They may share one path, since files are replaced as a whole, or use one path each.

    Parameters
    ----------
    model : torch.nn.Module
    filename : path-like
        As for `qcodec.save_file`: a bare pack if it ends in ``.qcodec``, else safetensors.
    metadata : mapping of str to str, optional
        As in `qcodec.save_file`.
    recipe : Recipe, Codec, mapping, str or None
        For parameters that no method of `qcodec.torch` has quantized or pruned. The default is
        lossless. Buffers are always lossless.
    profile : str
        As in `qcodec.encode`.

    Returns
    -------
    int
        The file's length in bytes.

    Raises
    ------
    TypeError, ValueError, OSError
        As `qcodec.save_file` does; TypeError if a module has an extra state that is not a tensor.

    Examples
    --------
    >>> import tempfile, torch, qcodec
    >>> from qcodec.torch import prune, share
    >>> model = torch.nn.Linear(100, 100)
    >>> prune(model, {"weight": qcodec.Density(0.1)})
    >>> share(model, {"weight": qcodec.Codebook(4)})
    >>> again = torch.nn.Linear(100, 100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = export(model, f"{folder}/net.qcodec")
    ...     load(again, f"{folder}/net.qcodec")
    >>> size < 2000, torch.equal(model.weight, again.weight)
    (True, True)
    """
    contents = extra_tensors(model)
    for place in places(model):
        contents.update(dict.fromkeys(place.names, _content(place, recipe)))
    return save_file(contents, filename, metadata, recipe=recipe, profile=profile)


def load(model: torch.nn.Module, filename: PathLike, *, limits: Limits | None = None) -> None:
    """Load the tensors of a file into a model, bit for bit.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, on its devices. Parametrizations of `qcodec.torch` are removed. Shared
        and ternary weights become new parameters, so make the optimizer after this call.
    filename : path-like
        A file of `export` or `qcodec.save_file`. If it does not fit the model, nothing is changed.
    limits : Limits, optional
        Limits for decoding; the default is `qcodec.Limits()`.

    Raises
    ------
    ValueError
        If names, shapes or dtypes differ from the model's, tied tensors have two values, or
        `docs/training.md` lists a tensor as refused.
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
    # DistributedDataParallel would miss removed scales, and fails if no buffer remains.
    compressed = [place for place in found if place.compressed is not None]
    check_wrappers(compressed, compressed)
    _set_states({states[name]: tensors[name] for name in sorted(states.keys() & tensors.keys())})
    for place in found:
        make_plain(place, tensors[place.name], "load")
    if compressed:
        forget_compiled_code()


def _content(place: Place, recipe: RecipeLike) -> torch.Tensor | Quantized:
    """A tensor for a file: quantized already, or a value that a recipe may still quantize."""
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
    """The stored form of a tensor that a method of `qcodec.torch` quantized or pruned, or None."""
    compressed = place.compressed
    if compressed is None:
        return None
    with naming(place.name), gathered(compressed):
        return compressed.quantized(whole(place.original.detach()))


def extra_states(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """The modules that have an extra state, by its name in a state dict."""
    found = {}
    for path, module in unwrapped(model).named_modules():
        if type(module).get_extra_state is not torch.nn.Module.get_extra_state:
            found[f"{path}._extra_state" if path else "_extra_state"] = module
    return found


def extra_tensors(model: torch.nn.Module) -> dict[str, Any]:
    """The extra states of a model, by name. A file can store them only if they are tensors.

    Raises
    ------
    TypeError
        If a state is neither a tensor nor None.
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
            f"tensors of the file that the model lacks: {names_text(unexpected)}"
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
    """Set the extra states of modules. If one of them raises, restore all."""
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
