"""The first table of training: each method in each situation works or is refused.

`SITUATIONS` is data: the state of the model when a method is called, and the methods that refuse
it, with their errors. models.py makes the models. uses.py has the second table: uses of the model
after a method. test_situations.py tests both, and docs/training.md shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch.nn.utils import parametrizations
from torch.nn.utils import prune as torch_prune
from torch.nn.utils import spectral_norm as old_spectral_norm
from torch.nn.utils import weight_norm as old_weight_norm

from tests.torch import models
from tests.torch.methods import METHODS, Case, inputs_of, net


@dataclass(frozen=True)
class Situation:
    """The state of a model when a method is called.

    Attributes
    ----------
    title : str
        The title in docs/training.md.
    make : callable
        Returns a `Case`.
    refused : mapping of str to (type, str)
        The type of the error by method, and a regular expression for its text. Other methods
        work.
    instead : str
        The remedy for users.
    check : callable, optional
        Called with the case after the method, for further checks.
    needs : sequence of str
        Required packages; without them the situation is skipped.
    """

    title: str
    make: Callable[[], Case]
    refused: Mapping[str, tuple[type, str]] = field(default_factory=dict)
    instead: str = ""
    check: Callable[[Case], None] | None = None
    needs: tuple[str, ...] = ()


def refused(error: type, text: str, *methods: str) -> dict[str, tuple[type, str]]:
    return dict.fromkeys(methods, (error, text))


CHANGING = [name for name in METHODS if name not in ("fix_activations", "export", "load")]
QUANTIZING = ["share", "share_at_price", "share_latent", "ternarize"]


def _of(make, shape=(5, 8), *, plain=None, dtype=torch.float32, **options) -> Callable[[], Case]:
    return lambda: Case(make(), inputs_of(*shape, dtype=dtype), plain or make, **options)


_BOTH = ["export", "fix_activations"]


def _parametrized(change, found):
    """`found` is its name in the error."""
    return (
        _of(models.changed(change), plain=net, sharable="^0.weight"),
        refused(
            ValueError,
            f"tensor '2.weight': found .*{found}.*; .*(remove|permanent)",
            *(one for one in METHODS if one not in ("round_centroids", *_BOTH)),
        ),
    )


def _typed(dtype, **options):
    return _of(lambda: net(dtype=dtype), dtype=dtype, **options)


def _not_finite(value):
    return (
        _of(models.one_weight(value), sharable="^0.weight", source=net),
        refused(
            ValueError,
            "tensor '2.weight': .* NaN or infinite",
            *(one for one in CHANGING if one != "round_centroids"),
        )
        | refused(ValueError, r"4.input.* NaN or infinite", "fix_activations"),
    )


SITUATIONS = [
    Situation("an ordinary model", _of(net)),
    Situation(
        "two names of one parameter (tied)",
        _of(models.tied(2), (5, 16), plain=models.square, source=models.tied(2)),
        refused(ValueError, "tensor '[02].weight': found dead neurons.*tied", "prune_dead_neurons"),
        "untie the parameter, or name only layers that are not tied",
        models.check_tied(2),
    ),
    Situation(
        "three names of one parameter",
        _of(models.tied(3), (5, 16), plain=models.square, source=models.tied(3)),
        refused(ValueError, "tensor '[02].weight': found dead neurons.*tied", "prune_dead_neurons"),
        "untie the parameter, or name only layers that are not tied",
        models.check_tied(3),
    ),
    Situation(
        "`parametrizations.weight_norm`",
        *_parametrized(lambda model: parametrizations.weight_norm(model[2]), "WeightNorm"),
        "remove the norm first (`remove_parametrizations`)",
    ),
    Situation(
        "`parametrizations.spectral_norm`",
        *_parametrized(lambda model: parametrizations.spectral_norm(model[2]), "SpectralNorm"),
        "remove the norm first (`remove_parametrizations`)",
    ),
    Situation(
        "`torch.nn.utils.weight_norm` (hooks)",
        *_parametrized(lambda model: old_weight_norm(model[2]), "weight_norm"),
        "`remove_weight_norm` first",
    ),
    Situation(
        "`torch.nn.utils.spectral_norm` (hooks)",
        *_parametrized(lambda model: old_spectral_norm(model[2]), "spectral_norm"),
        "`remove_spectral_norm` first",
    ),
    Situation(
        "`torch.nn.utils.prune`",
        *_parametrized(
            lambda model: torch_prune.l1_unstructured(model[2], "weight", 0.5), "utils.prune"
        ),
        "`torch.nn.utils.prune.remove` first",
    ),
    Situation(
        "a compiled model (`torch.compile`), called before",
        _of(models.compiled, plain=net),
        check=models.check_compiled,
    ),
    Situation("a model in float16", _typed(torch.float16)),
    Situation("a model in bfloat16", _typed(torch.bfloat16)),
    Situation(
        "a model in float64",
        _typed(torch.float64, sharable=""),
        refused(TypeError, "tensor '0.weight': found float64, allowed float32", *QUANTIZING)
        | refused(ValueError, "found no shared weights", "round_centroids"),
        "`model.float()` first: codebooks hold float32 at most",
    ),
    Situation("a model in `channels_last`", _of(models.channels_last, (2, 3, 4, 4))),
    Situation(
        "a model on the meta device",
        _of(lambda: net().to("meta"), plain=net, sharable=""),
        refused(
            ValueError,
            r"tensor '0\.(weight|bias)': found a tensor on the meta device",
            *(one for one in METHODS if one not in ("round_centroids", *_BOTH)),
        )
        | refused(ValueError, "found no shared weights", "round_centroids")
        | refused((TypeError, ValueError, RuntimeError), "meta", *_BOTH),
        "load the values first",
    ),
    Situation(
        "a frozen layer (`requires_grad_(False)`)",
        _of(models.frozen_layer),
        check=models.check_frozen,
    ),
    Situation(
        "attention (`in_proj_weight`)",
        _of(models.Attention, (5, 3, 8), layers=models.WORD_LAYERS),
    ),
    Situation(
        "an embedding with a padding row", models.words(padding_idx=0), check=models.check_padding
    ),
    Situation(
        "an embedding with sparse gradients",
        models.words(sparse=True),
        refused(
            ValueError,
            "tensor 'words.weight': found an embedding with sparse=True",
            *(one for one in CHANGING if one not in ("prune_dead_neurons", "round_centroids")),
        ),
        "`sparse=False`, or rules that leave it out",
    ),
    Situation(
        "buffers named like weights",
        _of(models.Buffers, layers=models.NET_LAYERS),
        check=models.check_buffers,
    ),
    Situation(
        "extra state that is a tensor",
        _of(lambda: models.State(torch.ones(3)), layers=models.NET_LAYERS),
        check=models.check_state,
    ),
    Situation(
        "extra state that is no tensor",
        _of(
            lambda: models.State({"scale": 2}),
            layers=models.NET_LAYERS,
            storable=False,
            source=models.State,
        ),
        refused(TypeError, "'_extra_state': found dict, allowed is a tensor", "export"),
        "store that state beside the file",
        models.check_state,
    ),
    Situation(
        "an adapter (LoRA of peft) that is not merged",
        models.adapted,
        refused(
            ValueError,
            "found an adapter .*merge it first",
            *(one for one in CHANGING if one != "round_centroids"),
        )
        | refused(ValueError, "found no shared weights", "round_centroids"),
        "`merge_and_unload()` first",
        needs=("peft",),
    ),
    Situation(
        "a lazy layer that was not called yet",
        _of(
            models.changed(lambda model: model.append(torch.nn.LazyLinear(4))),
            plain=net,
            sharable="",
        ),
        refused(ValueError, r"(tensor ')?5\.\w+'?: found no shape yet", *METHODS),
        "call the model once",
    ),
    Situation(
        "a model of `torch.jit.script`",
        _of(lambda: torch.jit.script(net()), plain=net, sharable=""),
        refused(TypeError, "module '.*': found .* of torch.jit, allowed", *METHODS)
        | refused(ValueError, "no layer matches", "fix_activations"),
        "call the method on the module that it was made of",
    ),
    Situation("layers without elements", _of(models.Empty, layers=models.NET_LAYERS)),
    Situation(
        "a weight that is NaN", *_not_finite(float("nan")), "find out why, and mend the weight"
    ),
    Situation(
        "a weight that is infinite", *_not_finite(float("inf")), "find out why, and mend the weight"
    ),
    Situation("weights of equal magnitude", _of(models.ties), check=models.check_ties),
]
