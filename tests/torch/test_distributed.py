"""Training in two processes: both end with the same weights, or a method refuses at once.

One pair of processes (workers/) runs a whole table of cells, because starting processes takes most
of the time.
"""

import json
import os
import subprocess
import sys

import pytest
import torch

from tests.repository import ROOT

if not torch.distributed.is_available():
    pytest.skip("torch.distributed is not available", allow_module_level=True)

pytestmark = pytest.mark.training
#: Seconds after which processes are taken to wait for each other.
PATIENCE = 240


def both(table, folder):
    """The result of each cell, by name, in both processes."""
    program = [sys.executable, "-W", "error", "-m", "tests.torch.workers", table]
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


def faults(cells, others, checks):
    """The faults of each cell."""
    found = {}
    for name, cell in cells.items():
        told = cell["error"]
        common = {
            "the processes differ": without(cell) == without(others[name]),
            f"an error without a name: {told}": told is None or "tensor '0.weight'" in told,
            "changed by what was refused": told is None or cell["unchanged"],
            "not trained": cell["moved"],
        }
        texts = [
            text for text, is_right in {**common, **checks(name, cell)}.items() if not is_right
        ]
        if texts:
            found[name] = texts
    return found


def without(cell):
    """The result of a cell, without the first weights, which differ between processes."""
    return {name: fact for name, fact in cell.items() if name != "before DDP"}


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
    one, other = both("ddp", tmp_path)

    def checks(name, cell):
        refused = name.split(" | ")[0] in REFUSED_UNDER_DDP
        return {
            f"refused is not {refused}: {cell['error']}": refused == (cell["error"] is not None),
            "equal from the beginning": name.startswith("load, DDP")
            or cell["before DDP"] != other["cells"][name]["before DDP"],
        }

    assert len(one["cells"]) > 130
    assert not faults(one["cells"], other["cells"], checks)
    # Every backend can send these types; int16 is not among them.
    sent = {"torch.bool", "torch.uint8", "torch.int32", "torch.int64"}
    assert {dtype for cell in one["cells"].values() for dtype in cell["dtypes"]} <= sent
    rest = one["rest"]
    assert rest == other["rest"]
    assert "compressed by different methods" in rest["different methods"]
    for method in ("prune", "export", "load"):
        assert "found FullyShardedDataParallel" in rest[f"FSDP1, {method}"]
    assert rest["file"] == "False"


#: Methods that change only what there is in parameters, masks and codes.
WORKING_ON_SHARDS = {
    "fully_shard, fix_activations",
    "fully_shard, Admm",
    "fully_shard, l1 and l2",
    "fully_shard, export",
    "fully_shard, load",
    "prune, fully_shard, prune",
    "prune, fully_shard, GradualPruning",
    "prune, fully_shard, prune_dead_neurons",
    "share, fully_shard, share",
    "share, fully_shard, round_centroids",
    "share_latent, fully_shard, share_latent",
    "fix_points, fully_shard, fix_points",
    *(
        f"{method}, fully_shard, {then}"
        for method in ("prune", "share", "share_latent", "fix_points", "ternarize")
        for then in ("Admm", "penalties", "export", "assignment")
    ),
}
#: Sums whose order is not that of one process: equal but for their last bits.
NEARLY_EQUAL = ("Admm", "l1 and l2", "penalties")


def test_sharded_models_train_and_are_stored_like_whole_ones_or_a_method_refuses(tmp_path):
    one, other = both("fsdp", tmp_path)

    def checks(name, cell):
        last = name.split("fully_shard")[1].removeprefix(", ")
        refused = bool(last) and name not in WORKING_ON_SHARDS
        nearly = any(method in name for method in NEARLY_EQUAL) and cell["apart"] < 1e-6
        return {
            f"refused is not {refused}: {cell['error']}": refused == (cell["error"] is not None),
            "other weights than in one process": cell["states agree"] or nearly,
            "other densities": cell["densities agree"],
            "other gradients of penalties": cell.get("penalties agree", refused),
            "other bytes": cell.get("files agree", refused),
            "a full state does not fit": cell.get("a full state fits", refused),
        }

    assert len(one["cells"]) > 50
    assert not faults(one["cells"], other["cells"], checks)
    assert one["rest"] == other["rest"]
    for facts in one["rest"].values():
        assert facts["before a pass"] == facts["after a pass"]
        assert facts["digest"] == facts["loaded"] != facts["before a pass"]
