"""Passes over weights: masks, the straight-through estimator, memory formats.

Each is written so that torch can compile, export and differentiate it in all of its ways; large
tensors on the CPU take the way that needs the fewest passes over memory, small ones that with
the fewest calls.
"""

from __future__ import annotations

from typing import Any

import torch

# From here on the passes over memory cost more than the calls.
_MANY = 1 << 14
_FACTORS = "_qcodec_factors"  # an attribute of masks
_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def laid_out(flat: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A flat tensor in the shape and the memory format of another.

    Convolutions round differently for weights in another format (channels last), so a model
    would compute other bits than the plain one that its file is loaded into.
    """
    shaped = flat.view(like.shape)
    if shaped.stride() == like.stride():
        return shaped
    return shaped.new_empty_strided(like.shape, like.stride()).copy_(shaped)


def passed(
    values: torch.Tensor, weight: torch.Tensor, where: torch.Tensor | None = None
) -> torch.Tensor:
    """Some values whose gradient goes to a weight instead: the straight-through estimator.

    As a sum, and not as a function of autograd, it can be compiled, exported and differentiated
    in all of torch's ways. What is added is +0.0, so that -0.0 becomes 0.0.

    Parameters
    ----------
    values : torch.Tensor
        Without a gradient of their own.
    weight : torch.Tensor
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
    """Whether what is computed is only recorded: compiled, exported or traced."""
    return bool(torch.compiler.is_compiling() or torch.jit.is_tracing())


def as_integers(flags: torch.Tensor) -> torch.Tensor:
    """Bools as int8, by their bits: torch makes other types of these faster.

    Examples
    --------
    >>> import torch
    >>> as_integers(torch.tensor([True, False]))
    tensor([1, 0], dtype=torch.int8)
    """
    # torch.jit and ONNX have no views of another type.
    return flags.to(torch.int8) if is_traced() else flags.view(torch.int8)


def masked(tensor: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """A tensor with +0.0 where a mask is False, whatever stands there; gradients likewise.

    Small tensors that are trained are multiplied by the mask, which is three times as fast:
    there, what is masked must be finite. `prune` sees to it, and gradients of it are 0.

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
        return torch.addcmul(zero, tensor, factors)  # what is masked is +0.0
    return torch.where(mask, tensor, 0)


def _factors(mask: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """0, and a small mask as 0 and 1, made once for each change of it."""
    if mask.is_inference():  # such tensors do not count their changes
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
    """Whether passes over memory cost more than calls, where this machine computes at once."""
    return not is_traced() and tensor.numel() >= _MANY and tensor.device.type == "cpu"


def finite(weight: torch.Tensor) -> torch.Tensor:
    """A tensor itself; ValueError if a value is NaN or infinite, which cannot be rounded.

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
    """``where(mask, tensor, 0)`` by the bits, which the CPU does six times faster."""

    generate_vmap_rule = True

    @staticmethod
    def forward(tensor: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:  # type: ignore[override, unused-ignore]
        integer = _INTEGERS[tensor.element_size()]
        all_or_none = mask.view(torch.int8).neg().to(integer)  # -1 has all bits
        return (tensor.view(integer) & all_or_none).view(tensor.dtype)

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
    """Values in place of a weight that gets their gradient, in one pass instead of three."""

    generate_vmap_rule = True

    @staticmethod
    def forward(  # type: ignore[override, unused-ignore]
        values: torch.Tensor,
        weight: torch.Tensor,
        where: torch.Tensor | None,  # noqa: ARG004 (only its gradient asks for it)
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
