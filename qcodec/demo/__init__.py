"""The demo: encodes a small trained network by Deep Compression, measures and decodes it.

The network and the test images are in `data/`; `tools/train_digits.py` made them.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ..files import load_file
from .network import accuracy
from .report import as_text, head_bytes, tensor_rows, totals
from .stages import STAGES

_DATA = Path(__file__).parent / "data"
_NETWORK = _DATA / "digits.safetensors"


def measure(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Encode the network into three files, and measure them.

    Parameters
    ----------
    folder : path-like
        The folder of the files.

    Returns
    -------
    dict
        Plain values: ``tensors`` (one row per tensor), ``head_bytes`` and ``files`` (bytes per
        file), ``accuracy_before``, ``accuracy_after`` (percent), ``test_images``, ``bit_equal``.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = measure(folder)
    ...     report["files"]["coded"] == (Path(folder) / "coded.qcodec").stat().st_size
    True
    """
    folder = Path(folder)
    tensors = load_file(_NETWORK)
    for stage in STAGES:
        stage.save(tensors, folder)
    rows = tensor_rows(_NETWORK, folder)
    heads = head_bytes(_NETWORK, tensors, folder)
    test = load_file(_DATA / "digits_test.safetensors")
    images, labels = test["images"], test["labels"]
    decoded = load_file(STAGES[-1].path(folder))
    return {
        "tensors": rows,
        "head_bytes": heads,
        "files": totals(rows, heads),
        "test_images": len(images),
        "accuracy_before": accuracy(tensors, images, labels),
        "accuracy_after": accuracy(decoded, images, labels),
        "bit_equal": all(stage.is_bit_equal(tensors, folder) for stage in STAGES),
    }


def main(keep: str | os.PathLike[str] | None = None, as_json: bool = False) -> int:
    """Run the demo and print the results.

    Parameters
    ----------
    keep : path-like, optional
        A folder in which the three files are kept; it is created if necessary.
    as_json : bool
        Print JSON instead of a table.

    Returns
    -------
    int
        0, or 1 if a file does not decode to what was encoded.
    """
    if keep is not None:
        Path(keep).mkdir(parents=True, exist_ok=True)
        report = measure(keep)
    else:
        with tempfile.TemporaryDirectory() as folder:
            report = measure(folder)
    print(json.dumps(report, indent=2) if as_json else as_text(report))
    if keep is not None and not as_json:
        print(f"the files are in {keep}: {', '.join(stage.path(Path()).name for stage in STAGES)}")
    return 0 if report["bit_equal"] else 1
