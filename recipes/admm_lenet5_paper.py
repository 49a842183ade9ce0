"""LeNet-5 by ADMM with the settings of the authors' code: about 190,000 steps, hours on two cores.

Sharing and pricing are those of the faster recipe, `recipes.admm_lenet5`, so only the file is ours.
"""

from __future__ import annotations

from typing import Any

from . import admm_lenet5
from .admm_lenet5 import load_data, run

__all__ = ["SETTINGS", "SHORT", "load_data", "run"]

_PHASE = {"epochs": 18, "rate": 1e-3, "constant": True}  # 20,000 steps of 50 images
SETTINGS: dict[str, Any] = {
    **admm_lenet5.SETTINGS,
    "batch": 50,
    "shift": 0,
    "bfloat16": False,
    "dropout": 0.0,
    "taught": False,
    "dense": {**_PHASE, "decay": 5e-5},
    "kept": {"conv1.weight": 100, "conv2.weight": 2000, "fc1.weight": 3600, "fc2.weight": 350},
    "admm": {
        "rho": {"weight": 1e-4},
        "growth": 1,
        "updates": 30,
        "training": {**_PHASE, "epochs": 136, "decay": 5e-5},
    },
    "retrain": {**_PHASE, "decay": 5e-5},
    "drop at": [],
    "share at": 5e-4,
}
SHORT: dict[str, Any] = admm_lenet5.SHORT
