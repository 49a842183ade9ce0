"""What the collection of doctests must leave out on this machine."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["qcodec/torch/*"]
