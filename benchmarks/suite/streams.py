"""Integer codings beside huff0 and FSE, on symbols in the cache."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np

from . import machine, ours
from .data import SymbolSet
from .measure import Effort, Job, interleave
from .native import MissingPeerError
from .peers_c import CODERS, PeerCoder
from .result import Key, Result, Results

GROUP = "streams"
CHUNK = 1 << 18
# tANS is chosen for few bits: its goal is for chunks of four times as much.
CHUNKS = {"lanes_tans": 1 << 20}
# Codings of which some codes decode faster than smaller ones.
WITH_SPEEDS = ("lanes_tans",)
# Codings of which a machine's paths are all the same code.
ONE_PATH = ("constant", "bitpacked", "huffman", "contexts")


def peers(symbols: SymbolSet) -> dict[str, PeerCoder]:
    """Those that can be had and that shrink the symbols."""
    found = {}
    for name in CODERS:
        try:
            found[name] = PeerCoder(name, symbols.symbols)
        except (MissingPeerError, ValueError) as problem:
            warnings.warn(f"{name} on {symbols.name}: skipped: {problem}", stacklevel=2)
    return found


def coders(symbols: SymbolSet) -> dict[str, ours.Coder]:
    """Every coding that can hold the symbols."""
    found = {}
    for number, name in enumerate(ours.coding_names()):
        try:
            chunk = CHUNKS.get(name, CHUNK)
            found[name] = ours.Coder(symbols.symbols, symbols.width, number, chunk)
            if name in WITH_SPEEDS:
                method = f"{name}, smallest"
                found[method] = ours.Coder(symbols.symbols, symbols.width, number, chunk, True)
        except ValueError:
            continue
    return found


def measure(results: Results, sets: Iterable[SymbolSet], effort: Effort) -> None:
    """Encode and decode every set by every coding, on every path, and by the peers."""
    for symbols in sets:
        everybody: dict[Key, PeerCoder | ours.Coder] = {}
        for name, peer in peers(symbols).items():
            everybody[Key(GROUP, symbols.name, name, "")] = peer
        for name, coder in coders(symbols).items():
            for path in machine.available():
                if path == machine.available()[-1] or name not in ONE_PATH:
                    everybody[Key(GROUP, symbols.name, name, "", path)] = coder
        for coder in everybody.values():
            coder.decode()
            assert np.array_equal(coder.decoded, symbols.symbols)
        for action in ("decode", "encode"):
            _measure_action(results, symbols, everybody, action, effort)


def _measure_action(
    results: Results,
    symbols: SymbolSet,
    everybody: dict[Key, PeerCoder | ours.Coder],
    action: str,
    effort: Effort,
) -> None:
    jobs: dict[str, Job] = {}
    keys: dict[str, Key] = {}
    for key, coder in everybody.items():
        name = f"{key.method} {key.path}"
        keys[name] = Key(key.group, key.data, key.method, action, key.path)
        jobs[name] = getattr(coder, action)
    target, other = symbols.symbols, np.ones_like(symbols.symbols)
    if action == "decode":
        keys["memcpy"] = Key(GROUP, symbols.name, "memcpy", action)
        jobs["memcpy"] = lambda: np.copyto(other, target)

    def choose_path(name: str) -> None:
        if keys[name].path:
            ours.select(keys[name].path)

    for name, spread in interleave(jobs, effort, before=choose_path).items():
        coder = everybody.get(Key(GROUP, symbols.name, keys[name].method, "", keys[name].path))
        share = None
        if coder is not None and symbols.entropy > 0:
            share = 100 * 8 * coder.size / len(target) / symbols.entropy
        results.record(Result(keys[name], spread, len(target), "symbols", share))
