"""Methods that both processes call, before or after a model is wrapped, and its training."""

import hashlib
from types import SimpleNamespace

import torch

import qcodec
from qcodec.torch import (
    Admm,
    GradualPruning,
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


# Methods. Each changes a model and may return a function to call after a step, and a penalty.


def nothing():
    return None


def use(model, folder, after_step=None, penalty=None):
    return SimpleNamespace(after_step=after_step or nothing, penalty=penalty)


def every(steps, call):
    """Call a function after every few steps."""
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
    export(model, folder / "exported.qcodec")
    again = network(0)
    load(again, folder / "exported.qcodec")
    found, stored = plain_tensors(model), plain_tensors(again)
    assert all(torch.equal(found[name], stored[name]) for name in found)


def use_load(model, folder):
    load(model, folder / "stored.qcodec")


def use_assignment(model, folder):
    """`layer.weight = tensor` for compressed weights."""
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


def digest(tensors):
    """A number for all bits of tensors and their names."""
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        found.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def state_of(model):
    """All tensors of a model, gathered, under the names of its state dict."""
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
    """The result of a method, or its error as text."""
    try:
        return method(model, folder) or use(model, folder), None
    except (TypeError, ValueError) as error:
        return use(model, folder), str(error)


def train(wrapped, parameters, using, ranks, steps=STEPS):
    """Train some steps; with two ranks, on the batches of both processes at once."""
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
