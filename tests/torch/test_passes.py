"""Masks of large tensors: the bits of a plain choice, by whatever way is fast."""

import pytest
import torch

from qcodec.torch.passes import masked

SIDE = 200  # large: passes over memory cost more than calls
INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def odd_values(dtype):
    """Of each kind of value some that are kept and some that are not."""
    torch.manual_seed(0)
    values, mask = torch.randn(SIDE, SIDE).to(dtype), torch.rand(SIDE, SIDE) < 0.5
    for row, odd in enumerate([float("nan"), float("inf"), -float("inf"), -0.0, 1e-45]):
        values[row] = odd
    return values, mask


def bits(tensor):
    return tensor.detach().view(INTEGERS[tensor.element_size()])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_masked_values_are_zeros_and_the_others_keep_every_bit(dtype):
    values, mask = odd_values(dtype)
    before = values.clone(), mask.clone()
    found = masked(values, mask)
    assert torch.equal(bits(found), bits(torch.where(mask, values, 0)))
    assert torch.equal(bits(values), bits(before[0]))
    assert torch.equal(mask, before[1])


def test_gradients_of_masked_values_are_zero_and_the_others_keep_every_bit():
    values, mask = odd_values(torch.float32)
    gradient, _ = odd_values(torch.float32)
    weight = values.clone().requires_grad_()
    masked(weight, mask).backward(gradient)
    assert torch.equal(bits(weight.grad), bits(torch.where(mask, gradient, 0)))


@pytest.mark.parametrize("batched", ["tensor", "mask", "both"])
def test_a_batch_of_tensors_or_of_masks_is_masked_like_each_of_them(batched):
    torch.manual_seed(0)
    values, masks = torch.randn(3, SIDE, SIDE), torch.rand(3, SIDE, SIDE) < 0.5
    values = values if batched != "mask" else values[0]
    masks = masks if batched != "tensor" else masks[0]
    axes = (0 if values.ndim == 3 else None, 0 if masks.ndim == 3 else None)
    assert torch.equal(torch.vmap(masked, axes)(values, masks), torch.where(masks, values, 0))
    gradients = torch.vmap(torch.func.grad(lambda x, m: masked(x, m).square().sum()), axes)
    assert torch.equal(gradients(values, masks), torch.where(masks, 2 * values, 0))
