"""The C core for Python: the compiled module `core`, and the Python code that it calls."""

from importlib import import_module
from pathlib import Path

import numpy as np  # noqa: F401 (where it is missing, Python's own error says so)

_MODULE = f"{__name__}.core"


def _why_missing() -> str:
    folder = Path(__file__).parent
    found = f"qcodec's compiled module is not in {folder}"
    archive = next((path for path in folder.parents if path.is_file()), None)
    if archive is not None:
        return f"{found}: Python cannot load it from an archive; pip install {archive}"
    return (
        f"{found} for this Python: in a clone, run `python setup.py build_ext --inplace` there; "
        "or start Python in another folder to import the installed qcodec"
    )


try:
    import_module(_MODULE)
except ModuleNotFoundError as error:
    if error.name != _MODULE:
        raise
    raise ImportError(_why_missing(), name=_MODULE) from None
