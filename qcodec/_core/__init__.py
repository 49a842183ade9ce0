"""The C core as Python sees it: thin, typed, without the GIL."""

from importlib import import_module
from pathlib import Path

_MODULES = ("decode", "encode", "numeric", "pack", "stream")


def _why_missing(name: str) -> str:
    folder = Path(__file__).parent
    found = f"{name!r} of qcodec's compiled modules is not in {folder}"
    archive = next((path for path in folder.parents if path.is_file()), None)
    if archive is not None:
        return f"{found}: Python cannot load it from an archive; pip install {archive}"
    return (
        f"{found} for this Python: in a clone, run `python setup.py build_ext --inplace` there; "
        "or start Python in another folder to import the installed qcodec"
    )


for _name in _MODULES:
    try:
        import_module(f"{__name__}.{_name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{_name}":
            raise
        raise ImportError(_why_missing(_name), name=error.name) from None
