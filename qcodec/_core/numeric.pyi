from typing import Any

import numpy as np

CPU_FEATURES: int
MAX_N_OF_M: int
INITS: dict[str, int]

class StandardFloatMode:
    def __enter__(self) -> None: ...
    def __exit__(self, *details: object) -> None: ...

def convert(
    source: np.ndarray[Any, np.dtype[np.uint8]],
    source_dtype: int,
    out: np.ndarray[Any, np.dtype[np.uint8]],
    out_dtype: int,
) -> None: ...
def sort(values: np.ndarray[Any, np.dtype[np.float32]]) -> None: ...
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
def all_finite(values: np.ndarray[Any, np.dtype[np.float32]]) -> bool: ...
def magnitudes_between(
    values: np.ndarray[Any, np.dtype[np.float32]], least: float, greatest: float
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], int]: ...
def mask_above(
    values: np.ndarray[Any, np.dtype[np.float32]], threshold: float, ties: int
) -> np.ndarray[Any, np.dtype[np.bool_]]: ...
def mask_n_of_m(
    values: np.ndarray[Any, np.dtype[np.float32]], row: int, n: int, m: int
) -> np.ndarray[Any, np.dtype[np.bool_]]: ...
def cost_thresholds(
    centroids: np.ndarray[Any, np.dtype[np.float32]], costs: np.ndarray[Any, np.dtype[np.float64]]
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.uint8]]]: ...
def assign_by_cost(
    values: np.ndarray[Any, np.dtype[np.float32]],
    centroids: np.ndarray[Any, np.dtype[np.float32]],
    costs: np.ndarray[Any, np.dtype[np.float64]],
) -> np.ndarray[Any, np.dtype[np.uint8]]: ...
