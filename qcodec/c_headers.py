"""Where C programs find the header of the codec."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def get_include() -> str:
    """The folder of ``qcodec.h``, for a C compiler's ``-I``.

    Returns
    -------
    str
        In an installed package a folder of it; in a clone, ``csrc``.

    Examples
    --------
    >>> (Path(get_include()) / "qcodec.h").exists()
    True
    """
    installed = _PACKAGE / "include"
    return str(installed if installed.is_dir() else _PACKAGE.parent / "csrc")
