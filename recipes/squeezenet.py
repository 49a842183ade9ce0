"""SqueezeNet with Deep Compression (arXiv 1602.07360): 0.66 MB at 8 bits, 0.47 at 6.

The recipe first codes the authors' own 8-bit file without loss, and decodes it byte for byte. It
then compresses any checkpoint at their densities by k-means from linear starts, as in the paper,
by optimal k-means, and by entropy-constrained codebooks at the squared error of each. Nothing is
retrained, and no accuracy is measured, because that needs ImageNet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import qcodec
from qcodec import rate_distortion
from qcodec.interop import dcnet
from qcodec.quantize.codebook import Init
from qcodec.recipes import Rule, exactly

from .report import report, table
from .squeezenet_data import STAND_IN, Networks, load_data
from .squeezenet_names import layers_of
from .squeezenet_net import net_of, tensors

if TYPE_CHECKING:
    from qcodec.torch import Run

__all__ = ["SETTINGS", "SHORT", "load_data", "run"]

SETTINGS: dict[str, Any] = {"bits": [8, 6], "search_steps": 14}
SHORT: dict[str, Any] = {"search_steps": 3}

PAPER = {"float32, MB": 4.8, "8 bits, MB": 0.66, "6 bits, MB": 0.47}

# Densities of the authors' file by layer, 33 % overall. The first match applies.
_DENSITIES = {
    r"fire[2-7]/conv3x3_2": 0.33,
    r"fire[89]/conv3x3_2": 0.30,
    r"fire[79]/conv1x1_1": 0.50,
    r"fire[68]/conv1x1_2": 0.50,
    r"conv_final": 0.20,
}
_MAX_BITS = 8
_PAPER_METHOD = "k-means, linear starts (paper)"
_METHODS: dict[str, Init] = {"k-means, optimum": "auto", _PAPER_METHOD: "linear"}
_CONSTRAINED = f"entropy-constrained, up to {_MAX_BITS} bits, at the error above"
_NOTES = (
    "MB are 2^20 bytes; with these, float32 is the paper's 4.8 MB.",
    "Densities by layer are those of the authors' file (33 % over all); biases keep every bit.",
    "Nothing is retrained and no accuracy is measured: that needs ImageNet.",
)
_COLUMNS = ("weights", "bits", "by", "bytes", "MB", "smaller by", "SQNR, dB", "paper, MB")

Arrays = Mapping[str, np.ndarray]


def run(data: Networks, run: Run, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Code the authors' file and compress every checkpoint.

    Parameters
    ----------
    data : Networks
    run : Run
        Its folder gets ``net.qcodec``, the authors' file, and one file per row of the table.
    settings : mapping
        ``bits``, one number per compression; ``search_steps``, the number of files made in search
        of an error.
    """
    ours: dict[str, Any] = {}
    files: dict[str, Any] = {}
    tables, rows, notes = [], [], list(_NOTES)
    if data.original is not None:
        recoded = recode(data.original, data.layers, run.folder / "net.qcodec")
        ours["the authors' file, bytes"] = recoded["bytes"]
        ours["given back byte for byte"] = recoded["byte_for_byte"]
        rows.append(_authors_row(recoded))
        tables.append(_titled("The authors' file", report(run.folder / "net.qcodec").markdown()))
    for name, checkpoint in data.checkpoints.items():
        found = [
            row
            for bits in settings["bits"]
            for row in compress(checkpoint, bits, run.folder, name, settings["search_steps"])
        ]
        files[name] = found
        ours |= _megabytes(found, "" if len(data.checkpoints) == 1 else f", {name}")
        rows += [_row(name, row) for row in found]
        last = report(run.folder / found[-1]["file"]).markdown()
        tables.append(_titled(f"{name}, {found[-1]['bits']} bits, {found[-1]['by']}", last))
    if STAND_IN in data.checkpoints:
        notes.append(
            f"Without a checkpoint, {STAND_IN} are used: a real SqueezeNet at the paper's density, "
            "with 256 values per layer. 8 bits lose nothing of it."
        )
    return {
        "paper": PAPER,
        "ours": {**ours, "files": files},
        "tables": [table(_COLUMNS, rows), *tables],
        "notes": notes,
    }


def recode(original: bytes, layers: list[dcnet.Layer], path: Path) -> dict[str, Any]:
    """Code a `.net` file without loss, decode it, and compare.

    Returns
    -------
    dict
        ``original_bytes``, ``bytes``, ``byte_for_byte``, ``elements``.
    """
    network = dcnet.read(original, layers)
    size = qcodec.save_file(tensors(network), path)
    return {
        "original_bytes": len(original),
        "bytes": size,
        "byte_for_byte": net_of(path, list(network)) == original,
        "elements": report(path).elements,
    }


def compress(
    checkpoint: Arrays, bits: int, folder: Path, name: str, search_steps: int
) -> list[dict[str, Any]]:
    """Compress a checkpoint at the paper's densities: by k-means, and at one price per bit.

    Files of the second kind have no larger error, and are smaller for nets of this size. Of tiny
    nets they need not be: tensors join a frame only if their codebooks have equal lengths.

    Parameters
    ----------
    checkpoint : mapping of str to numpy.ndarray
        A SqueezeNet 1.0 or 1.1.
    bits : int
        Bits per code.
    folder : pathlib.Path
        The folder for the files.
    name : str
        Name of the checkpoint, and prefix of its files.
    search_steps : int

    Returns
    -------
    list of dict
        ``by``, ``bits``, ``file``, ``bytes``, ``elements``, ``squared_error``, ``sqnr``.

    Raises
    ------
    ValueError
        If it is not a SqueezeNet.
    """
    pruned = at_paper_densities(checkpoint)
    weights = set(layers_of(checkpoint).values())

    def saved(by: str, file: str, recipe: Any) -> dict[str, Any]:
        path = folder / f"{re.sub(r'[^A-Za-z0-9]+', '_', name)}_{bits}_{file}.qcodec"
        size = qcodec.save_file(pruned, path, recipe=recipe, profile="small")
        return {
            "by": by,
            "bits": bits,
            "file": path.name,
            "bytes": size,
            "elements": sum(array.size for array in pruned.values()),
            **_errors(pruned, qcodec.load_file(path), weights),
        }

    rows = []
    for method, init in _METHODS.items():
        row = saved(method, init, _recipe(weights, qcodec.DeepCompression(bits, init=init)))
        rows.append(row)
        # Optimal k-means with all possible entries leaves nothing to gain at its error.
        if row["squared_error"] > 0 and (init == "linear" or bits < _MAX_BITS):
            offer = _recipe(weights, qcodec.Sparse(qcodec.Codebook(_MAX_BITS)))
            point = rate_distortion.at_error(
                pruned, offer, row["squared_error"], steps=search_steps
            )
            rows.append(saved(_CONSTRAINED, f"{init}_constrained", point.recipe))
    return rows


def at_paper_densities(checkpoint: Arrays) -> dict[str, np.ndarray]:
    """Prune the layers of a checkpoint by magnitude to the densities of the authors' file.

    Layers that are at most as dense do not change.
    """
    pruned = dict(checkpoint)
    for layer, name in layers_of(checkpoint).items():
        array = checkpoint[name]
        if np.count_nonzero(array) > round(density_of(layer) * array.size):
            mask = qcodec.Density(density_of(layer)).mask(array)
            pruned[name] = np.where(mask, array, array.dtype.type(0))
    return pruned


def density_of(layer: str) -> float:
    """The fraction of a layer's weights that the authors' file keeps.

    Examples
    --------
    >>> density_of("conv_final"), density_of("conv1")
    (0.2, 1.0)
    """
    matches = (density for pattern, density in _DENSITIES.items() if re.search(pattern, layer))
    return next(matches, 1.0)


def _recipe(weights: set[str], codec: qcodec.Codec) -> qcodec.Recipe:
    """A recipe: the codec for all weights, even small ones, and lossless for all else."""
    return qcodec.Recipe().with_rules(Rule(exactly(name), codec) for name in sorted(weights))


def _errors(before: Arrays, after: Arrays, names: set[str]) -> dict[str, Any]:
    """The squared error of the weights, and their SQNR; ``sqnr`` is None without error."""
    error = sum(float(np.sum(np.square(before[n].astype("f8") - after[n]))) for n in names)
    signal = sum(float(np.sum(np.square(before[n].astype("f8")))) for n in names)
    return {
        "squared_error": error,
        "sqnr": 10 * float(np.log10(signal / error)) if error > 0 else None,
    }


def _megabytes(found: list[dict[str, Any]], suffix: str) -> dict[str, float]:
    """The sizes to compare with the paper's, by its method."""
    sizes = {
        f"{row['bits']} bits, MB{suffix}": round(row["bytes"] / 2**20, 3)
        for row in found
        if row["by"] == _PAPER_METHOD
    }
    return {f"float32, MB{suffix}": round(found[0]["elements"] / 2**18, 2), **sizes}


def _titled(title: str, text: str) -> str:
    return f"{title}:\n\n{text}"


def _authors_row(found: Mapping[str, Any]) -> tuple[str, ...]:
    by = "every bit kept" if found["byte_for_byte"] else "**NOT byte for byte**"
    what = f"the authors' file of {found['original_bytes']:,} bytes"
    return (what, "8", by, *_sizes(found), "exact", _paper_megabytes(8))


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    noise = "exact" if found["sqnr"] is None else f"{found['sqnr']:.1f}"
    bits = found["bits"]
    return (name, str(bits), found["by"], *_sizes(found), noise, _paper_megabytes(bits))


def _sizes(found: Mapping[str, Any]) -> tuple[str, str, str]:
    size = found["bytes"]
    return f"{size:,}", f"{size / 2**20:.3f}", f"{4 * found['elements'] / size:.1f}x"


def _paper_megabytes(bits: int) -> str:
    return str(PAPER.get(f"{bits} bits, MB", ""))
