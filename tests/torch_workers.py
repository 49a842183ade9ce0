"""One of two processes that train together: `python torch_workers.py TABLE RANK FOLDER`.

It goes through a table of cells and writes what came of each into FOLDER/RANK.json;
test_torch_distributed.py starts both and compares.
"""

import datetime
import gc
import hashlib
import json
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.distributed.checkpoint
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    set_model_state_dict,
)
from torch.distributed.fsdp import (
    FullyShardedDataParallel,
    MixedPrecisionPolicy,
    fully_shard,
)
from torch.nn.parallel import DistributedDataParallel

import qcodec
from qcodec.torch import (
    Admm,
    GradualPruning,
    densities,
    export,
    fix_activations,
    fix_points,
    l1,
    l2,
    load,
    plain_tensors,
    prune,
    prune_dead_neurons,
    round_centroids,
    share,
    share_at_price,
    share_latent,
    ternarize,
)

STEPS = 10
WEIGHTS = "weight$"
CODEBOOK = {WEIGHTS: qcodec.Codebook(3)}
LAYERS = [("0.weight", "0.bias"), ("2.weight", "2.bias"), ("4.weight", "4.bias")]
PATTERNS = ("^0.weight", "^2.weight")


def network(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(16, 32),
        torch.nn.ReLU(),
        torch.nn.Linear(32, 15),  # an odd number of rows: shards of 8 and 7
        torch.nn.ReLU(),
        torch.nn.Linear(15, 4),
    )


def batch(rank, step):
    generator = torch.Generator().manual_seed(1000 * rank + step)
    return torch.randn(8, 16, generator=generator), torch.randint(0, 4, (8,), generator=generator)


# Methods. Each changes a model and may give what is called after a step, and a penalty.


def nothing():
    return None


def use(model, folder, after_step=None, penalty=None):
    return SimpleNamespace(after_step=after_step or nothing, penalty=penalty)


def every(steps, call):
    """Call something after every few steps."""
    done = []

    def after_step():
        done.append(1)
        if len(done) % steps == 0:
            call()

    return after_step


def use_prune(model, folder):
    prune(model, {WEIGHTS: qcodec.Density(0.5)})
    return use(model, folder, every(4, lambda: prune(model, {"^[02].weight": qcodec.Density(0.3)})))


def use_gradual(model, folder):
    return use(model, folder, GradualPruning(model, {WEIGHTS: qcodec.Density(0.3)}, 0, 8, 2).step)


def use_share(model, folder):
    share(model, CODEBOOK)


def use_share_at_price(model, folder):
    share_at_price(model, {WEIGHTS: qcodec.Sparse(qcodec.Codebook(3))}, 1e-4)


def use_latent(model, folder):
    codec = {WEIGHTS: qcodec.Sparse(qcodec.Codebook(3, rate=0.01))}
    share_latent(model, codec)
    return use(model, folder, every(3, lambda: share_latent(model, codec)))


def use_fix_points(model, folder):
    fix_points(model, qcodec.FixedPoint(4))
    return use(model, folder, every(3, lambda: fix_points(model, qcodec.FixedPoint(4))))


def use_fix_activations(model, folder):
    fix_activations(model, qcodec.FixedPoint(6), [batch(0, step)[0] for step in range(3)])


def use_ternarize(model, folder):
    ternarize(model, {WEIGHTS: qcodec.Density(0.5)})


def use_admm(model, folder):
    admm = Admm(model, {WEIGHTS: qcodec.Density(0.4)}, rho=0.1)
    return use(model, folder, every(2, admm.update), admm.penalty)


def use_admm_then_prune(model, folder):
    Admm(model, {WEIGHTS: qcodec.Density(0.4)}, rho=0.1).prune()


def use_penalties(model, folder):
    one, other = l1(model, {WEIGHTS: 0.01}), l2(model, {"bias$": 0.1})
    return use(model, folder, penalty=lambda: one() + other())


def use_export(model, folder):
    export(model, folder / "exported.qc")
    again = network(0)
    load(again, folder / "exported.qc")
    found, stored = plain_tensors(model), plain_tensors(again)
    assert all(torch.equal(found[name], stored[name]) for name in found)


def use_load(model, folder):
    load(model, folder / "stored.qc")


def use_assignment(model, folder):
    """`layer.weight = tensor`, of weights that are compressed."""
    with torch.no_grad():
        model[2].weight = torch.linspace(-1, 1, 480).reshape(15, 32)


METHODS = {
    "prune": use_prune,
    "GradualPruning": use_gradual,
    "share": use_share,
    "share_at_price": use_share_at_price,
    "share_latent": use_latent,
    "fix_points": use_fix_points,
    "fix_activations": use_fix_activations,
    "ternarize": use_ternarize,
    "Admm": use_admm,
    "Admm, prune": use_admm_then_prune,
    "l1 and l2": use_penalties,
    "export": use_export,
    "load": use_load,
}
#: Methods for a model that was compressed before it was wrapped.
SECOND_METHODS = {
    "prune, prune": (use_prune, use_prune),
    "prune, GradualPruning": (use_prune, use_gradual),
    "prune, share": (use_prune, use_share),
    "prune, share_latent": (use_prune, use_latent),
    "prune, fix_points": (use_prune, use_fix_points),
    "prune, prune_dead_neurons": (
        use_prune,
        lambda model, folder: prune_dead_neurons(model, LAYERS),
    ),
    "prune, Admm": (use_prune, use_admm),
    "prune, penalties": (use_prune, use_penalties),
    "prune, export": (use_prune, use_export),
    "prune, load": (use_prune, use_load),
    "prune, assignment": (use_prune, use_assignment),
    "share, prune": (use_share, use_prune),
    "share, share": (use_share, use_share),
    "share, share_latent": (use_share, use_latent),
    "share, round_centroids": (use_share, lambda model, folder: round_centroids(model)),
    "share, Admm": (use_share, use_admm),
    "share, penalties": (use_share, use_penalties),
    "share, export": (use_share, use_export),
    "share, load": (use_share, use_load),
    "share, assignment": (use_share, use_assignment),
    "share_latent, share_latent": (use_latent, use_latent),
    "share_latent, share": (use_latent, use_share),
    "share_latent, export": (use_latent, use_export),
    "share_latent, load": (use_latent, use_load),
    "fix_points, fix_points": (use_fix_points, use_fix_points),
    "fix_points, export": (use_fix_points, use_export),
    "fix_points, load": (use_fix_points, use_load),
    "fix_points, assignment": (use_fix_points, use_assignment),
    "ternarize, prune": (use_ternarize, use_prune),
    "ternarize, Admm": (use_ternarize, use_admm),
    "ternarize, penalties": (use_ternarize, use_penalties),
    "ternarize, export": (use_ternarize, use_export),
    "ternarize, load": (use_ternarize, use_load),
}
#: How DistributedDataParallel is made; it broadcasts buffers unless it is told not to.
WRAPPINGS = {
    "plain": {},
    "find_unused_parameters": {"find_unused_parameters": True},
    "static_graph": {"static_graph": True},
    "no broadcast_buffers": {"broadcast_buffers": False, "gradient_as_bucket_view": True},
}


def digest(tensors):
    """A number for all bits of tensors and their names."""
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        found.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def state_of(model):
    """All tensors of a model, whole, under the names of its own state dict."""
    return {
        name: tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor.clone()
        for name, tensor in model.state_dict().items()
    }


def gradients_of(model):
    return {
        name: one.grad.full_tensor() if hasattr(one.grad, "full_tensor") else one.grad
        for name, one in model.named_parameters()
        if one.grad is not None
    }


def attempt(method, model, folder):
    """What a method gives, or its error as text."""
    try:
        return method(model, folder) or use(model, folder), None
    except (TypeError, ValueError) as error:
        return use(model, folder), str(error)


def train(wrapped, parameters, using, ranks, steps=STEPS):
    """Some steps; with two ranks, those of both processes in one."""
    optimizer = torch.optim.SGD(parameters, 0.1, momentum=0.5)
    for step in range(steps):
        optimizer.zero_grad()
        for rank in ranks:
            inputs, targets = batch(rank, step)
            loss = torch.nn.functional.cross_entropy(wrapped(inputs), targets)
            if using.penalty is not None:
                loss = loss + using.penalty()
            (loss / len(ranks)).backward()
        optimizer.step()
        using.after_step()


def wrapping(model, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of broadcast_buffers, in new versions
        return DistributedDataParallel(model, **options)


def ddp_cell(rank, folder, methods, before, options):
    """Methods, of which some are called before DistributedDataParallel is made.

    Each process begins with weights of its own.
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
    export(network(7), folder / "stored.qc")
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
    """What does not fit into cells: texts that both processes should give."""
    dropped = network(0)
    wrapped = wrapping(dropped, {})
    train(wrapped, dropped.parameters(), use(None, None), [rank])
    wrapped.__dict__["trainer"] = {"model": wrapped}  # a cycle, as trainers are
    del wrapped
    share(dropped, CODEBOOK)

    unequal = network(0)
    (use_prune if rank == 0 else use_fix_points)(unequal, folder)
    flat = FullyShardedDataParallel(network(0), device_id=torch.device("cpu"), use_orig_params=True)
    file = folder / "flat.qc"
    told = {
        "different methods": failure(wrapping, unequal, {}),
        "FSDP1, prune": failure(use_prune, flat, folder),
        "FSDP1, export": failure(export, flat, file),
        "FSDP1, load": failure(load, flat, folder / "stored.qc"),
    }

    # Each process fixes activations by inputs of its own: the steps are those of the first.
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
    """The text of the ValueError that a call raises, or an empty one."""
    try:
        call(*arguments)
    except ValueError as error:
        return str(error)
    return ""


def sharded(model, **options):
    """A model whose first layers are sharded by themselves, and the last with the whole."""
    mesh = torch.distributed.init_device_mesh("cpu", (2,))
    for layer in (model[0], model[2]):
        fully_shard(layer, mesh=mesh, **options)
    return fully_shard(model, mesh=mesh, **options)


def compressed(seed, methods, before, folder):
    """A model to which methods were applied, and which was sharded before one of them.

    Returns it, what the last method gives, its error, and whether it has changed nothing.
    """
    model, using, error, unchanged = network(seed), use(None, None), None, True
    for number, method in enumerate([*methods, None]):
        if number == before:
            sharded(model)
        if method is not None:
            held = digest(state_of(model))
            with torch.no_grad():  # which leaves the last layer gathered
                model(batch(0, 0)[0])
            using, error = attempt(method, model, folder)
            unchanged = digest(state_of(model)) == held
    return model, using, error, unchanged


def fsdp_cell(rank, folder, methods, before):
    """Methods, of which some are called before FSDP2 shards the model; a whole model beside it."""
    model, using, error, unchanged = compressed(0, methods, before, folder)
    applied = methods if error is None else methods[:-1]
    whole, beside = network(0), use(None, None)
    for method in applied:
        beside, _ = attempt(method, whole, folder)
    start = digest(plain_tensors(model))
    train(model, model.parameters(), using, [rank], 5)
    train(whole, whole.parameters(), beside if error is None else using, [0, 1], 5)
    found, expected = plain_tensors(model), plain_tensors(whole)
    facts = {
        "error": error,
        "unchanged": unchanged,
        "digest": digest(state_of(model)),
        "moved": digest(found) != start,
        "apart": max(float((found[name] - expected[name]).abs().max()) for name in expected),
        "states agree": digest(state_of(model)) == digest(state_of(whole)),
        "densities agree": densities(model) == densities(whole),
    }
    if error is None:  # what was refused left the model of another cell
        facts["penalties agree"] = penalties_agree(model, whole)
        facts["files agree"] = files_agree(model, whole, folder)
        facts["a full state fits"] = full_state_fits(model, methods, before, folder, rank)
    return facts


def penalties_agree(model, whole):
    """Whether penalties have the gradients on a sharded model that they have on a whole one."""
    whole.load_state_dict(state_of(model))
    for one in (model, whole):
        one.zero_grad()
        norms = l1(one, {WEIGHTS: 0.01}), l2(one, {WEIGHTS: 0.1})
        admm = Admm(one, {WEIGHTS: qcodec.Density(0.2)}, rho=0.1)
        sum(penalty() for penalty in (*norms, admm.penalty)).backward()
    return digest(gradients_of(model)) == digest(gradients_of(whole))


def files_agree(model, whole, folder):
    """Whether a sharded model gives the file of a whole one, also if both processes write it."""
    one_path = folder.parent / "from_both.qc"
    export(model, one_path)
    torch.distributed.barrier()
    export(whole, folder / "whole.qc")
    agree = one_path.read_bytes() == (folder / "whole.qc").read_bytes()
    torch.distributed.barrier()
    return agree


def full_state_fits(model, methods, before, folder, rank):
    """Whether a state that torch gathers from shards is that of other models, whole or sharded."""
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    state = get_model_state_dict(model, options=options)
    weights = digest(plain_tensors(model))
    agree = True
    if rank == 0:
        other = compressed(5, methods, None, folder)[0]
        other.load_state_dict(state)
        agree = digest(plain_tensors(other)) == weights
    other = compressed(5, methods, before, folder)[0]
    options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
    set_model_state_dict(other, state, options=options)
    return agree and digest(plain_tensors(other)) == weights


def run_fsdp(rank, folder):
    export(network(7), folder / "stored.qc")
    found = {}
    for name, method in METHODS.items():
        found[f"{name}, fully_shard"] = fsdp_cell(rank, folder, [method], 1)
        found[f"fully_shard, {name}"] = fsdp_cell(rank, folder, [method], 0)
    for name, methods in SECOND_METHODS.items():
        key = ", fully_shard, ".join(name.split(", "))
        found[key] = fsdp_cell(rank, folder, methods, 1)
    return found


def run_fsdp_rest(rank, folder):
    """Steps in half precision, and a checkpoint of shards, for each kind of values."""
    found = {}
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16)
    for name in ("prune", "share", "share_latent", "fix_points", "ternarize"):
        model, other = network(0), network(5)
        for one in (model, other):
            METHODS[name](one, folder)
            sharded(one, mp_policy=policy)
        exact = digest(plain_tensors(model))
        with torch.no_grad():
            model(batch(0, 0)[0])
        facts = {"before a pass": exact, "after a pass": digest(plain_tensors(model))}
        train(model, model.parameters(), use(None, None), [rank])
        facts["digest"] = digest(state_of(model))
        state = get_model_state_dict(model)
        path = folder.parent / f"checkpoint {name}"
        torch.distributed.checkpoint.save(state, checkpoint_id=path)
        state = get_model_state_dict(other)
        torch.distributed.checkpoint.load(state, checkpoint_id=path)
        set_model_state_dict(other, state)
        facts["loaded"] = digest(state_of(other))
        found[name] = facts
    return found


TABLES = {
    "ddp": lambda *its: {"cells": run_ddp(*its), "rest": run_ddp_rest(*its)},
    "fsdp": lambda *its: {"cells": run_fsdp(*its), "rest": run_fsdp_rest(*its)},
}


def main():
    table, rank, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder}/meeting",
        rank=rank,
        world_size=2,
        timeout=datetime.timedelta(seconds=20),
    )
    own = folder / str(rank)
    own.mkdir()
    DistributedDataParallel(network(0))  # which imports half of torch
    gc.collect()
    gc.freeze()  # so that what looks through all objects does not look at that
    found = TABLES[table](rank, own)
    (folder / f"{rank}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
