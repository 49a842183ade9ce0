"""Cells of DistributedDataParallel: a method is called before or after wrapping."""

import warnings

import torch
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.parallel import DistributedDataParallel

import qcodec
from qcodec.torch import densities, export, fix_activations, load, plain_tensors, share
from tests.torch.workers.methods import (
    CODEBOOK,
    METHODS,
    SECOND_METHODS,
    attempt,
    digest,
    network,
    state_of,
    train,
    use,
    use_fix_points,
    use_prune,
)

#: How DistributedDataParallel is made; it broadcasts buffers unless it is told not to.
WRAPPINGS = {
    "plain": {},
    "find_unused_parameters": {"find_unused_parameters": True},
    "static_graph": {"static_graph": True},
    "no broadcast_buffers": {"broadcast_buffers": False, "gradient_as_bucket_view": True},
}


def wrapping(model, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # for broadcast_buffers, in new versions
        return DistributedDataParallel(model, **options)


def ddp_cell(rank, folder, methods, before, options):
    """Methods, some of them called before DistributedDataParallel is made.

    Each process begins with its own weights.
    """
    model, using, error, unchanged = network(rank), use(None, None), None, True
    for number, method in enumerate(methods):
        if number == before:
            unequal, wrapped = digest(state_of(model)), wrapping(model, options)
        held = digest(state_of(model))
        using, error = attempt(method, model, folder)
        unchanged = digest(state_of(model)) == held
    if before == len(methods):
        unequal, wrapped = digest(state_of(model)), wrapping(model, options)
    start = digest(plain_tensors(model))
    train(wrapped, model.parameters(), using, [rank])
    dtypes = {str(one.dtype) for one in model.buffers()}
    return {
        "error": error,
        "unchanged": unchanged,
        "before DDP": unequal,
        "digest": digest(state_of(model)),
        "moved": digest(plain_tensors(model)) != start,
        "dtypes": sorted(dtypes),
        "densities": densities(model),
    }


def run_ddp(rank, folder):
    export(network(7), folder / "stored.qcodec")
    found = {}
    for option, options in WRAPPINGS.items():
        for name, method in METHODS.items():
            found[f"{name}, DDP | {option}"] = ddp_cell(rank, folder, [method], 1, options)
            found[f"DDP, {name} | {option}"] = ddp_cell(rank, folder, [method], 0, options)
    for name, methods in SECOND_METHODS.items():
        key = f"{', DDP, '.join(name.split(', '))} | plain"
        found[key] = ddp_cell(rank, folder, methods, 1, {})
    return found


def run_ddp_rest(rank, folder):
    """The tests that do not fit into cells; both processes should return the same texts."""
    dropped = network(0)
    wrapped = wrapping(dropped, {})
    train(wrapped, dropped.parameters(), use(None, None), [rank])
    wrapped.__dict__["trainer"] = {"model": wrapped}  # a cycle, as in trainers
    del wrapped
    share(dropped, CODEBOOK)

    unequal = network(0)
    (use_prune if rank == 0 else use_fix_points)(unequal, folder)
    flat = FullyShardedDataParallel(network(0), device_id=torch.device("cpu"), use_orig_params=True)
    file = folder / "flat.qcodec"
    told = {
        "different methods": failure(wrapping, unequal, {}),
        "FSDP1, prune": failure(use_prune, flat, folder),
        "FSDP1, export": failure(export, flat, file),
        "FSDP1, load": failure(load, flat, folder / "stored.qcodec"),
    }

    # Each process fixes activations with its own inputs; all get the steps of the first.
    inputs = [torch.randn(8, 16) * (1 + 9 * rank)]
    for name, options in WRAPPINGS.items():
        for order in ("before", "after"):
            fixed = network(0)
            wrapped = wrapping(fixed, options) if order == "before" else None
            fix_activations(fixed, qcodec.FixedPoint(6), inputs)
            wrapped = wrapped or wrapping(fixed, options)
            train(wrapped, fixed.parameters(), use(None, None), [rank])
            told[f"activations fixed {order} {name}"] = digest(state_of(fixed))
    return {**told, "file": str(file.exists())}


def failure(call, *arguments):
    """The text of the ValueError that a call raises, or an empty string."""
    try:
        call(*arguments)
    except ValueError as error:
        return str(error)
    return ""
