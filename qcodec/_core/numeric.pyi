from typing import Any

import numpy as np

INITS: dict[str, int]

def convert(
    source: np.ndarray[Any, np.dtype[np.uint8]],
    source_dtype: int,
    out: np.ndarray[Any, np.dtype[np.uint8]],
    out_dtype: int,
) -> None: ...
def kmeans_lloyd(
    ordered: np.ndarray[Any, np.dtype[np.float32]], k: int, init: str, seed: int, max_steps: int
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]: ...
def kmeans_exact(
    ordered: np.ndarray[Any, np.dtype[np.float32]], k: int
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]: ...
def kmeans_fast(
    values: np.ndarray[Any, np.dtype[np.float32]], k: int
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]: ...
def assign(
    values: np.ndarray[Any, np.dtype[np.float32]], centroids: np.ndarray[Any, np.dtype[np.float32]]
) -> np.ndarray[Any, np.dtype[np.uint8]]: ...
def assign_by_thresholds(
    values: np.ndarray[Any, np.dtype[np.float32]], thresholds: np.ndarray[Any, np.dtype[np.float32]]
) -> np.ndarray[Any, np.dtype[np.uint8]]: ...
def ternary_best(
    values: np.ndarray[Any, np.dtype[np.float32]], sides: int
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.float32]], bool]: ...
