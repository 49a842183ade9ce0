"""Training-side methods of the papers, for any `torch.nn.Module` and any optimizer.

They chain: `prune`, train, `share`, train the centroids, `export`. Each is a parametrization
in the sense of `torch.nn.utils.parametrize`, so that optimizers see the parameters that are
to be trained and state dicts hold all that a checkpoint needs. Needs torch: the extra [torch].
"""

from .export import export, load
from .progress import show_progress
from .pruning import Mask, densities, prune
from .run import Run
from .sharing import SharedWeights, share
from .tensors import plain_tensors
from .training import accuracy, fit

__all__ = [
    "Mask",
    "Run",
    "SharedWeights",
    "accuracy",
    "densities",
    "export",
    "fit",
    "load",
    "plain_tensors",
    "prune",
    "share",
    "show_progress",
]
