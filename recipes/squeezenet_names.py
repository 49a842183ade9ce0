"""The layers of SqueezeNet 1.0 and 1.1 (arXiv 1602.07360) under the names of any checkpoint.

Layer names are those of the Deep Compression authors' file: ``conv1``; in each fire module
``fire2/conv1x1_1`` (squeeze), ``fire2/conv1x1_2`` and ``fire2/conv3x3_2`` (expand); ``conv_final``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ROLES = {
    "squeeze": "conv1x1_1", "squeeze1x1": "conv1x1_1", "conv1x1_1": "conv1x1_1",
    "expand1x1": "conv1x1_2", "conv1x1_2": "conv1x1_2",
    "expand3x3": "conv3x3_2", "conv3x3_2": "conv3x3_2",
}  # fmt: skip
_FIRST = ("conv1", "features.0")
_LAST = ("conv_final", "conv10", "classifier.1")
_FIRE = re.compile(r"(fire|features\.)(\d+)[/._](\w+)")

#: All layers in the order of the net.
LAYERS = (
    "conv1",
    *(f"fire{n}/{role}" for n in range(2, 10) for role in dict.fromkeys(_ROLES.values())),
    "conv_final",
)


def layers_of(names: Iterable[str]) -> dict[str, str]:
    """Find the weight of each layer among the tensors of a checkpoint.

    Parameters
    ----------
    names : iterable of str
        Names of all tensors, in any order: torchvision's (``features.3.squeeze.weight``), Caffe's
        (``fire2/squeeze1x1.weight``) or those of the authors' file. Names of weights end in
        ``weight``.

    Returns
    -------
    dict of str to str
        The 26 layers in the order of the net, each with the name of its tensor.

    Raises
    ------
    ValueError
        If a layer is missing, so the checkpoint is not a SqueezeNet.

    Examples
    --------
    >>> layers_of(layer + ".weight" for layer in reversed(LAYERS))["fire9/conv3x3_2"]
    'fire9/conv3x3_2.weight'
    """
    weights = {re.sub(r"[/._]weight$", "", name): name for name in names if _is_weight(name)}
    found: dict[str, str] = {}
    fires: dict[int, dict[str, str]] = {}
    for stem, name in weights.items():
        fire = _FIRE.fullmatch(stem)
        if fire and fire[3] in _ROLES:
            fires.setdefault(int(fire[2]), {})[_ROLES[fire[3]]] = name
        elif stem in _FIRST:
            found["conv1"] = name
        elif stem in _LAST:
            found["conv_final"] = name
    # torchvision numbers all modules, pooling too, so the order identifies a fire module.
    for rank, (_, roles) in enumerate(sorted(fires.items()), 2):
        found |= {f"fire{rank}/{role}": name for role, name in roles.items()}
    missing = [layer for layer in LAYERS if layer not in found]
    if missing or len(found) != len(LAYERS):
        raise ValueError(
            f"no SqueezeNet: of its {len(LAYERS)} layers {len(missing)} are missing "
            f"({', '.join(missing[:3])}), among the weights are {', '.join(list(weights)[:3])}"
        )
    return {layer: found[layer] for layer in LAYERS}


def _is_weight(name: str) -> bool:
    return re.search(r"[/._]weight$", name) is not None
