"""What the whole suite needs to know about this machine."""

import importlib.util
import os

# Tests run on all cores, one process each: threads of torch beside them only wait.
os.environ.setdefault("OMP_NUM_THREADS", "1")

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["qcodec/torch/*", "recipes/*"]
