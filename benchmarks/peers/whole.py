"""Whole files by other compressors: names, shapes and dtypes count as they do in ours.

A byte compressor gets the header of a safetensors file before the data, in one piece. Of a coder of
arrays, what it does not take is put aside: the header and the remaining data under brotli.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from ..suite import peers_python
from . import arrays, general, plain
from .case import Case
from .forms import Form, forms
from .stored import Stored

#: Packages on PyPI's names, by what they offer here; xz comes with Python.
BYTES = {"xz -9e": "", "zstd -19": "zstandard", "brotli -11": "brotli"}
FLOATS = ("zipnn", "pcodec", "openzl")
CODES = ("pcodec", "openzl")

_FACTORIES: dict[str, arrays.Factory] = {
    **peers_python.FACTORIES,
    "openzl": lambda a: peers_python.FACTORIES["openzl"](a) + peers_python.openzl_generic(a),
}

Make = Callable[[], list[Stored]]


def makers(case: Case) -> dict[tuple[str, str], Make]:
    """What each package makes of a case, by the package's name and a title."""
    head = plain.header(case.decoded())
    given = forms(case.tensors)
    found: dict[tuple[str, str], Make] = {}
    for method in general.methods()[0]:
        for form in given if method.name in BYTES else []:
            title = f"{method.name}, {form.name}"
            found[BYTES[method.name], title] = partial(_bytes, method, form, head)
    aside = partial(_aside, head)
    for package in FLOATS if case.lossless else CODES:
        found[package, package] = partial(_arrays, case, given, package, aside)
    if arrays.has_integers(case):
        found["nncodec", "DeepCABAC"] = lambda: [arrays.deep_cabac_of(case, aside)]
    return found


def everything(case: Case) -> tuple[list[Stored], list[str]]:
    """All of it, and remarks on what is missing."""
    made, remarks = makers(case), [f"{name}: not installed" for name in general.methods()[1]]
    found = []
    for (package, _), make in made.items():
        if is_there(package):
            found += make()
        else:
            remarks.append(f"{package}: not installed")
    return found, remarks


def is_there(package: str) -> bool:
    """Whether a package is installed; Python itself is called ``""``."""
    return not package or find_spec(package) is not None


def version_of(package: str) -> str:
    """Its name and release, or nothing."""
    try:
        return f"{package} {version(package)}" if package else ""
    except PackageNotFoundError:
        return package


def _bytes(method: general.Method, form: Form, head: bytes) -> list[Stored]:
    return [general.stored(method, form, head)]


def _arrays(case: Case, given: list[Form], package: str, aside: arrays.Aside) -> list[Stored]:
    if case.lossless:
        return arrays.of_floats(given[0], aside, {package: _FACTORIES[package]})[0]
    return arrays.of_codes(given, aside, [package])[0]


def _aside(head: bytes, data: bytes) -> int:
    if not find_spec("brotli"):
        return len(zlib.compress(head + data, 9))
    import brotli

    return len(brotli.compress(head + data, lgwin=24))
