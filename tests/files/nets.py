"""A net for the tests of files, and a check that it was restored."""

import numpy as np

BACKENDS = ("mmap", "pread")


def model(seed=0):
    random = np.random.default_rng(seed)
    return {
        "conv.weight": random.normal(size=(16, 8, 3, 3)).astype("f4"),
        "fc.weight": random.normal(size=(300, 400)).astype("f4"),
        "fc.bias": random.normal(size=300).astype("f4"),
        "steps": np.int64(12345),
        "empty": np.zeros((0, 5), "f2"),
    }


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def all_same(loaded, tensors):
    return set(loaded) == set(tensors) and all(
        same(loaded[name], np.asarray(tensors[name])) for name in tensors
    )
