"""Paths: the project's files, and real nets beside the project."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Files that every later release must read the same way: one folder for each release.
GOLDEN = ROOT / "tests" / "golden"
#: Real nets, which are no part of the project; tests that need them are skipped without.
SHARED_DATA = ROOT.parent / "shared" / "data"
