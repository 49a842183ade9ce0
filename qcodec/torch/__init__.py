"""Training-side methods of the papers, for any `torch.nn.Module` and any optimizer.

Methods can be combined in any order: `prune`, train, `share`, train the centroids, `export`. Each
compressed tensor has one parametrization (`torch.nn.utils.parametrize`), `Compressed`, which holds
a mask and a kind of values. Optimizers therefore see the parameters to be trained, and state dicts
hold everything a checkpoint needs. docs/training.md has the table of methods and situations.

This package needs torch (the extra [torch]).
"""

from .activations import FixedPointActivations, fix_activations
from .admm import Admm
from .bit_allocation import Line, Measured, allocate_bits, whole_bits
from .compressed import Compressed, Free, Values
from .dead_neurons import prune_dead_neurons
from .export import export, load
from .fixed_point import FixedPointValues, fix_points
from .foreign import watch_wrappers
from .latent import LatentValues, share_latent, share_latent_at_price
from .layers import layers
from .price import prune_at_price, share_at_price
from .pruning import densities, prune
from .sensitivity import Sensitivity, plot_sensitivity, sensitivity, write_sensitivity
from .sharing import SharedValues, round_centroids, share
from .sqnr import measure_sqnr, output_sqnr
from .tensors import plain_tensors
from .ternary import TernaryValues, ternarize
from .training.dropout import AdjustedDropout, dropout_after_pruning
from .training.freezing import frozen
from .training.loop import accuracy, fit
from .training.penalties import l1, l2
from .training.progress import show_progress
from .training.run import Run
from .training.schedules import GradualPruning, cubic, stepwise

__all__ = [
    "AdjustedDropout",
    "Admm",
    "Compressed",
    "FixedPointActivations",
    "FixedPointValues",
    "Free",
    "GradualPruning",
    "LatentValues",
    "Line",
    "Measured",
    "Run",
    "Sensitivity",
    "SharedValues",
    "TernaryValues",
    "Values",
    "accuracy",
    "allocate_bits",
    "cubic",
    "densities",
    "dropout_after_pruning",
    "export",
    "fit",
    "fix_activations",
    "fix_points",
    "frozen",
    "l1",
    "l2",
    "layers",
    "load",
    "measure_sqnr",
    "output_sqnr",
    "plain_tensors",
    "plot_sensitivity",
    "prune",
    "prune_at_price",
    "prune_dead_neurons",
    "round_centroids",
    "sensitivity",
    "share",
    "share_at_price",
    "share_latent",
    "share_latent_at_price",
    "show_progress",
    "stepwise",
    "ternarize",
    "whole_bits",
    "write_sensitivity",
]

watch_wrappers()
