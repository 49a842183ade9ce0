"""Training-side methods of the papers, for any `torch.nn.Module` and any optimizer.

They chain: `prune`, train, `share`, train the centroids, `export`. Each is a parametrization
in the sense of `torch.nn.utils.parametrize`, so that optimizers see the parameters that are
to be trained and state dicts hold all that a checkpoint needs. Needs torch: the extra [torch].
"""

from .admm import Admm
from .dropout import AdjustedDropout, dropout_after_pruning
from .export import export, load
from .freezing import frozen
from .idle import prune_idle
from .penalties import l1, l2
from .progress import show_progress
from .pruning import Mask, densities, prune
from .run import Run
from .schedules import GradualPruning, cubic, stepwise
from .sensitivity import Sensitivity, plot_sensitivity, sensitivity, write_sensitivity
from .sharing import SharedWeights, round_centroids, share
from .tensors import plain_tensors
from .training import accuracy, fit

__all__ = [
    "AdjustedDropout",
    "Admm",
    "GradualPruning",
    "Mask",
    "Run",
    "Sensitivity",
    "SharedWeights",
    "accuracy",
    "cubic",
    "densities",
    "dropout_after_pruning",
    "export",
    "fit",
    "frozen",
    "l1",
    "l2",
    "load",
    "plain_tensors",
    "plot_sensitivity",
    "prune",
    "prune_idle",
    "round_centroids",
    "sensitivity",
    "share",
    "show_progress",
    "stepwise",
    "write_sensitivity",
]
