"""Run a table of cells, and write the results into FOLDER/RANK.json."""

import datetime
import gc
import json
import os
import sys
from pathlib import Path

import torch
from torch.nn.parallel import DistributedDataParallel

from tests.torch.workers.ddp import run_ddp, run_ddp_rest
from tests.torch.workers.fsdp import run_fsdp, run_fsdp_rest
from tests.torch.workers.methods import network

TABLES = {
    "ddp": lambda *its: {"cells": run_ddp(*its), "rest": run_ddp_rest(*its)},
    "fsdp": lambda *its: {"cells": run_fsdp(*its), "rest": run_fsdp_rest(*its)},
}


def main():
    table, rank, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder}/meeting",
        rank=rank,
        world_size=2,
        timeout=datetime.timedelta(seconds=20),
    )
    own = folder / str(rank)
    own.mkdir()
    DistributedDataParallel(network(0))  # imports half of torch
    gc.collect()
    gc.freeze()  # searches through all objects then skip the objects made so far
    found = TABLES[table](rank, own)
    (folder / f"{rank}.json").write_text(json.dumps(found))
    torch.distributed.barrier()  # the other process may still be asking for something
    torch.distributed.destroy_process_group()
    # Gloo's threads may still run while Python ends: std::terminate now and then, in torch.
    os._exit(0)


if __name__ == "__main__":
    main()
