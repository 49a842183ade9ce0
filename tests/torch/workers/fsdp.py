"""Cells of FSDP2: a method is called before or after sharding, and compared with a whole model."""

import torch
import torch.distributed.checkpoint
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    set_model_state_dict,
)
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

import qcodec
from qcodec.torch import Admm, densities, export, l1, l2, plain_tensors
from tests.torch.workers.methods import (
    METHODS,
    SECOND_METHODS,
    WEIGHTS,
    attempt,
    batch,
    digest,
    gradients_of,
    network,
    state_of,
    train,
    use,
)


def sharded(model, **options):
    """A model whose first layers are sharded individually, and the last with the whole."""
    mesh = torch.distributed.init_device_mesh("cpu", (2,))
    for layer in (model[0], model[2]):
        fully_shard(layer, mesh=mesh, **options)
    return fully_shard(model, mesh=mesh, **options)


def compressed(seed, methods, before, folder):
    """Apply methods to a model, and shard it before one of them.

    Returns the model, the result of the last method, its error, and whether it changed nothing.
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
    """Methods, some called before FSDP2 shards the model, compared with a whole model."""
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
    if error is None:  # a refusal leaves the model of another cell
        facts["penalties agree"] = penalties_agree(model, whole)
        facts["files agree"] = files_agree(model, whole, folder)
        facts["a full state fits"] = full_state_fits(model, methods, before, folder, rank)
    return facts


def penalties_agree(model, whole):
    """Whether penalties have the same gradients on a sharded and on a whole model."""
    whole.load_state_dict(state_of(model))
    for one in (model, whole):
        one.zero_grad()
        norms = l1(one, {WEIGHTS: 0.01}), l2(one, {WEIGHTS: 0.1})
        admm = Admm(one, {WEIGHTS: qcodec.Density(0.2)}, rho=0.1)
        sum(penalty() for penalty in (*norms, admm.penalty)).backward()
    return digest(gradients_of(model)) == digest(gradients_of(whole))


def files_agree(model, whole, folder):
    """Whether a sharded model and a whole one have equal files, also if both processes write."""
    one_path = folder.parent / "from_both.qcodec"
    export(model, one_path)
    torch.distributed.barrier()
    export(whole, folder / "whole.qcodec")
    agree = one_path.read_bytes() == (folder / "whole.qcodec").read_bytes()
    torch.distributed.barrier()
    return agree


def full_state_fits(model, methods, before, folder, rank):
    """Whether a state gathered from shards fits other models, whole or sharded."""
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
    export(network(7), folder / "stored.qcodec")
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
