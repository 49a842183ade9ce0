"""Passes over weights: masks, the straight-through estimator, memory formats.

Torch can compile, export and differentiate each of these functions. Large tensors on the CPU use
the variant with the fewest passes over memory; small tensors use the one with the fewest calls.
"""

from __future__ import annotations

from typing import Any

import torch

# From this number of elements on, passes over memory cost more than calls.
_MANY = 1 << 14
_FACTORS = "_qcodec_factors"  # attribute of masks that caches `_factors`
_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def laid_out(flat: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A flat tensor in the shape and memory format of `like`.

    Convolutions round differently in another format (channels last). A model would then compute
    other bits than the plain model that loads its file.
    """
    shaped = flat.view(like.shape)
    if shaped.stride() == like.stride():
        return shaped
    return shaped.new_empty_strided(like.shape, like.stride()).copy_(shaped)


def passed(
    values: torch.Tensor, weight: torch.Tensor, where: torch.Tensor | None = None
) -> torch.Tensor:
    """Returns values whose gradient passes to a weight: the straight-through estimator.

    It is a sum, not a function of autograd, so torch can compile, export and differentiate it in
    all of its ways. The sum adds +0.0, so -0.0 becomes 0.0.

    Parameters
    ----------
    values : torch.Tensor
        Without gradient.
    weight : torch.Tensor
        Gets the gradient.
    where : torch.Tensor of bool, optional
        Where the gradient passes; elsewhere it is 0. The default is everywhere.

    Examples
    --------
    >>> import torch
    >>> weight = torch.tensor([0.4, 1.7], requires_grad=True)
    >>> passed(weight.detach().round(), weight).sum().backward()
    >>> weight.grad
    tensor([1., 1.])
    """
    if _is_large(weight):
        found: torch.Tensor = _Passed.apply(values, weight, where)
        return found
    nothing = weight - weight.detach()
    return values + (nothing if where is None else nothing * where)


def is_traced() -> bool:
    """Whether torch records the computation, to compile, export or trace it."""
    return bool(torch.compiler.is_compiling() or torch.jit.is_tracing())


def as_integers(flags: torch.Tensor) -> torch.Tensor:
    """Bools as int8, by their bits. Torch converts int8 to other types faster than bools.

    Examples
    --------
    >>> import torch
    >>> as_integers(torch.tensor([True, False]))
    tensor([1, 0], dtype=torch.int8)
    """
    # torch.jit and ONNX have no views of another type.
    return flags.to(torch.int8) if is_traced() else flags.view(torch.int8)


def masked(tensor: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Returns a tensor with +0.0 where a mask is False, and gradients with 0 there.

    Small tensors that are trained are multiplied by the mask, which is three times as fast. Their
    masked values must be finite. `prune` refuses other values, and their gradients are 0.

    Examples
    --------
    >>> import torch
    >>> masked(torch.tensor([-1.0, float("nan")]), torch.tensor([True, False]))
    tensor([-1.,  0.])
    """
    if mask is None:
        return tensor
    if _is_large(tensor):
        kept: torch.Tensor = _Masked.apply(tensor, mask)
        return kept
    trained = tensor.requires_grad and torch.is_grad_enabled()
    if trained and not is_traced() and tensor.numel() < _MANY:
        zero, factors = _factors(mask, tensor.dtype)
        return torch.addcmul(zero, tensor, factors)  # masked values become +0.0
    return torch.where(mask, tensor, 0)


def _factors(mask: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """A zero, and the mask as numbers 0 and 1, computed once per change of the mask."""
    if mask.is_inference():  # these tensors have no version
        return torch.zeros((), dtype=dtype, device=mask.device), mask.to(dtype)
    of = (id(mask), mask._version, dtype)
    known: Any = getattr(mask, _FACTORS, None)
    if known is None or known[0] != of:
        found = torch.zeros((), dtype=dtype, device=mask.device), mask.to(dtype)
        known = of, found
        setattr(mask, _FACTORS, known)
    pair: tuple[torch.Tensor, torch.Tensor] = known[1]
    return pair


def _is_large(tensor: torch.Tensor) -> bool:
    """Whether passes over memory cost more than calls: for large CPU tensors, not traced."""
    return not is_traced() and tensor.numel() >= _MANY and tensor.device.type == "cpu"


def finite(weight: torch.Tensor) -> torch.Tensor:
    """Returns the tensor itself. Raises ValueError if a value is NaN or infinite.

    Examples
    --------
    >>> import torch
    >>> finite(torch.tensor([1.0, float("nan")]))
    Traceback (most recent call last):
        ...
    ValueError: 1 of 2 values are NaN or infinite
    """
    count = int((~weight.isfinite()).sum())
    if count:
        raise ValueError(f"{count:,} of {weight.numel():,} values are NaN or infinite")
    return weight


class _Masked(torch.autograd.Function):
    """``where(mask, tensor, 0)`` as integers times 0 or 1, ten times faster on the CPU.

    The product is written over the factors: new memory costs as much as the pass itself.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(tensor: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:  # type: ignore[override, unused-ignore]
        integers = tensor.view(_INTEGERS[tensor.element_size()])
        factors = mask.view(torch.int8).to(integers.dtype, copy=True)
        try:
            factors.mul_(integers)
        except RuntimeError:  # torch.func.vmap over the tensor, but not over the mask
            factors = factors * integers
        return factors.view(tensor.dtype)

    @staticmethod
    def setup_context(context: Any, inputs: Any, output: Any) -> None:  # noqa: ARG004
        context.save_for_backward(inputs[1])
        context.save_for_forward(inputs[1])

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[Any, ...]:  # type: ignore[override, unused-ignore]
        (mask,) = context.saved_tensors
        return masked(gradient, mask), None

    @staticmethod
    def jvp(context: Any, tangent: torch.Tensor, _: Any) -> torch.Tensor:  # type: ignore[override, unused-ignore]
        (mask,) = context.saved_tensors
        return torch.where(mask, tangent, 0)


class _Passed(torch.autograd.Function):
    """The straight-through estimator in one pass instead of three."""

    generate_vmap_rule = True

    @staticmethod
    def forward(  # type: ignore[override, unused-ignore]
        values: torch.Tensor,
        weight: torch.Tensor,
        where: torch.Tensor | None,  # noqa: ARG004 (only the gradient needs it)
    ) -> torch.Tensor:
        return values.view_as(weight) + 0.0

    @staticmethod
    def setup_context(context: Any, inputs: Any, output: Any) -> None:  # noqa: ARG004
        context.save_for_backward(inputs[2])
        context.save_for_forward(inputs[2])

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[Any, ...]:  # type: ignore[override, unused-ignore]
        return None, masked(gradient, context.saved_tensors[0]), None

    @staticmethod
    def jvp(context: Any, _: Any, tangent: torch.Tensor, __: Any) -> torch.Tensor:  # type: ignore[override, unused-ignore]
        return masked(tangent, context.saved_tensors[0])
