"""Count the arrows between folders: includes in csrc/, imports in qcodec/.

    python tools/arrows.py              # the working tree
    python tools/arrows.py REV          # a git revision
    python tools/arrows.py REV --as NEW # REV, its files in the folders that they have in NEW

An arrow leads from a folder to another one that a file of it includes or imports. For each pair of
folders the number of such lines is printed, then whether the arrows make a circle, and how many
files each folder holds. With --as, a file is counted in the folder to which later commits moved it,
so that a layout can be compared with the one before it.
"""

from __future__ import annotations

import argparse
import ast
import io
import posixpath
import re
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
FOLDERS = ("csrc", "qcodec")
SUFFIXES = {".c", ".h", ".py", ".pyx", ".pxd"}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)

Sources = Mapping[str, str]  # the text of every file, by its path
Arrows = Counter[tuple[str, str]]


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S607


def is_source(path: str) -> bool:
    return PurePosixPath(path).suffix in SUFFIXES


def sources_of_tree(root: Path) -> Sources:
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*"))]
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in paths
        if path.is_file() and is_source(path.name)
    }


def sources_of_revision(revision: str) -> Sources:
    sources = {}
    with tarfile.open(fileobj=io.BytesIO(git("archive", revision, *FOLDERS))) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None and is_source(member.name):
                sources[member.name] = file.read().decode()
    return sources


def included(path: str, text: str, sources: Sources) -> Iterator[str]:
    """The files that a C file includes: by their path in csrc/, or beside it."""
    for name in INCLUDE.findall(text):
        for folder in (PurePosixPath("csrc"), PurePosixPath(path).parent):
            file = posixpath.normpath(folder / name)
            if file in sources:
                yield file
                break


def module_file(module: str, sources: Sources) -> str | None:
    path = module.replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py", f"{path}.pyx"):
        if candidate in sources:
            return candidate
    return None


def imported(path: str, text: str, sources: Sources) -> Iterator[str]:
    """The files that a Python file imports, wherever in it."""
    package = PurePosixPath(path).parent.parts
    for node in ast.walk(ast.parse(text)):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            start = ".".join(filter(None, (base, node.module)))
            names = [f"{start}.{alias.name}" for alias in node.names]
            modules = [name if module_file(name, sources) else start for name in names]
        for module in dict.fromkeys(modules):
            file = module_file(module, sources)
            if file is not None:
                yield file


def edges(sources: Sources) -> Iterator[tuple[str, str]]:
    """Every include and import, as a file and the one that it needs."""
    for path, text in sources.items():
        if path.endswith((".c", ".h")):
            yield from ((path, target) for target in included(path, text, sources))
        elif path.endswith(".py"):
            yield from ((path, target) for target in imported(path, text, sources))


def moves(old: str, new: str) -> dict[str, str]:
    """Where the files of one revision are in a later one, by git's detection of renames."""
    now: dict[str, str] = {}
    log = git("log", "--reverse", "--diff-filter=R", "-M40", "--format=", "--name-status",
              f"{old}..{new}", "--", *FOLDERS)  # fmt: skip
    for line in log.decode().splitlines():
        if line:
            _, source, target = line.split("\t")
            first = next((path for path, last in now.items() if last == source), source)
            now[first] = target
    return now


def folder(path: str, moved: Mapping[str, str]) -> str:
    return str(PurePosixPath(moved.get(path, path)).parent)


def count_arrows(sources: Sources, moved: Mapping[str, str]) -> Arrows:
    pairs = ((folder(source, moved), folder(target, moved)) for source, target in edges(sources))
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def circle(arrows: Arrows) -> list[str]:
    """Folders that lead to each other in a circle, the first one again at the end; or none."""
    graph: dict[str, set[str]] = {}
    for source, target in arrows:
        graph.setdefault(source, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []


def report(sources: Sources, moved: Mapping[str, str]) -> Iterator[str]:
    arrows = count_arrows(sources, moved)
    files = Counter(folder(path, moved) for path in sources)
    for root in FOLDERS:
        inside = Counter({pair: n for pair, n in arrows.items() if pair[0].startswith(root)})
        yield f"{root}/: {len(inside)} arrows between folders, by {inside.total()} lines"
        yield from (
            f"  {n:4}  {source} -> {target}" for (source, target), n in sorted(inside.items())
        )
        found = circle(inside)
        yield f"  in a circle: {' -> '.join(found)}" if found else "  all in one direction"
        yield from (
            f"  {n:4} files  {name}" for name, n in sorted(files.items()) if name.startswith(root)
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision", nargs="?", help="a git revision; else the working tree")
    parser.add_argument("--as", dest="later", help="a later revision, whose folders are used")
    arguments = parser.parse_args()
    if arguments.revision is None:
        sources, moved = sources_of_tree(ROOT), {}
    else:
        sources = sources_of_revision(arguments.revision)
        moved = moves(arguments.revision, arguments.later) if arguments.later else {}
    print("\n".join(report(sources, moved)))


if __name__ == "__main__":
    main()
