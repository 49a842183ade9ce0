"""The floating-point mode in which the library computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from . import core


@contextmanager
def standard_float_mode() -> Iterator[None]:
    """Keep subnormals and round to nearest in this thread, whatever its current mode.

    A thread may flush subnormals to zero (`torch.set_flush_denormal`, libraries built
    with ``-ffast-math``), which changes NumPy's results. The mode is restored at the end,
    after an error too. This is also a decorator, for functions that compute with floats.

    Examples
    --------
    >>> import numpy as np
    >>> with standard_float_mode():
    ...     float(np.float32(1e-40) * np.float32(0.5)) > 0
    True
    """
    with core.StandardFloatMode():
        yield
