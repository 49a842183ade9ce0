"""Training by two processes: both end with the same weights, or a method refuses at once.

Each table of cells is gone through by one pair of processes (torch_workers.py), as starting them
takes most of the time.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

if not torch.distributed.is_available():
    pytest.skip("torch.distributed is not available", allow_module_level=True)

ROOT = Path(__file__).parent.parent
#: Seconds after which processes are taken to wait for each other.
PATIENCE = 240


def both(table, folder):
    """What came of each cell, by name, in either process."""
    program = [sys.executable, "-W", "error", ROOT / "tests" / "torch_workers.py", table]
    environment = {**os.environ, "PYTHONPATH": os.fspath(ROOT), "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [*program, str(rank), folder],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    try:
        errors = [one.communicate(timeout=PATIENCE)[1] for one in started]
    finally:
        for one in started:
            one.kill()
    assert [one.returncode for one in started] == [0, 0], "\n".join(errors)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def wrong(cells, others, refused):
    """What is not as it should be, by cell: `refused` says which methods a name refuses."""
    found = {}
    for name, cell in cells.items():
        told, allowed = cell["error"], not refused(name)
        checks = {
            "the processes differ": cell == others[name],
            f"refused: {told}": told is None or not allowed,
            "not refused": told is not None or allowed,
            f"an error without a name: {told}": told is None or "tensor '0.weight'" in told,
            "changed by what was refused": told is None or cell["unchanged"],
            "not trained": cell["moved"],
        }
        found[name] = [text for text, is_right in checks.items() if not is_right]
    return {name: texts for name, texts in found.items() if texts}


#: Methods that make parameters anew, or take away all masks, of a model that is wrapped already.
REFUSED_UNDER_DDP = {
    "DDP, share",
    "DDP, share_at_price",
    "DDP, ternarize",
    "prune, DDP, share",
    "share, DDP, share_latent",
    "share_latent, DDP, share",
    "prune, DDP, load",
    "share, DDP, load",
    "share_latent, DDP, load",
    "fix_points, DDP, load",
    "ternarize, DDP, load",
}


def test_processes_under_ddp_stay_equal_or_a_method_refuses_before_the_first_step(tmp_path):
    cells, others = both("ddp", tmp_path)
    assert len(cells) > 200
    assert not wrong(cells, others, lambda name: name.split(" | ")[0] in REFUSED_UNDER_DDP)
    # What every backend can send: no int16 among them.
    sent = {"torch.bool", "torch.uint8", "torch.int32", "torch.int64"}
    assert {dtype for cell in cells.values() for dtype in cell["dtypes"]} <= sent
