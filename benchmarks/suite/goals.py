"""What we want to reach: each goal is a ratio of two measurements, or a size, with a floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .result import Key, Results


@dataclass(frozen=True)
class Goal:
    """One row of the table of goals.

    Attributes
    ----------
    what : str
        In words.
    ours : Key
        What is measured.
    peer : Key or None
        What it is divided by; None: it is the size in % of the entropy that counts, and `floor`
        and `moonshot` are the most that is wanted.
    floor, moonshot : float
        What is to be reached, and what would be splendid.
    """

    what: str
    ours: Key
    peer: Key | None
    floor: float
    moonshot: float


@dataclass(frozen=True)
class Verdict:
    """What became of a goal.

    Attributes
    ----------
    goal : Goal
    found : float or None
        None: not measured, and `word` says why.
    word : str
        ``"moonshot"``, ``"reached"``, ``"missed"``, or what is lacking.
    """

    goal: Goal
    found: float | None
    word: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        goal = self.goal
        return {
            "goal": goal.what,
            "found": self.found,
            "floor": goal.floor,
            "moonshot": goal.moonshot,
            "verdict": self.word,
        }


def judge(goal: Goal, results: Results, paths: list[str]) -> Verdict:
    """Compare a goal with what was measured on a machine that has these paths."""
    ours = results.get(goal.ours)
    if ours is None:
        path = goal.ours.path
        owed = path and path not in paths
        return Verdict(goal, None, f"owed to a machine with {path}" if owed else "not measured")
    if goal.peer is None:
        if ours.share is None:
            return Verdict(goal, None, "not measured")
        return _small_enough(goal, ours.share)
    peer = results.get(goal.peer)
    if peer is None:
        return Verdict(goal, None, f"{goal.peer.method} is missing")
    if "busy" in (ours.spread.clock, peer.spread.clock):
        return Verdict(goal, None, "not judged: the machine was busy")
    return _fast_enough(goal, ours.rate / peer.rate)


def _fast_enough(goal: Goal, found: float) -> Verdict:
    word = "moonshot" if found >= goal.moonshot else "reached" if found >= goal.floor else "missed"
    return Verdict(goal, found, word)


def _small_enough(goal: Goal, found: float) -> Verdict:
    word = "moonshot" if found <= goal.moonshot else "reached" if found <= goal.floor else "missed"
    return Verdict(goal, found, word)


def _faster(
    coding: str, data: str, path: str, peer: str, floor: float, moonshot: float, action: str
) -> Goal:
    """A coding of ours against a peer on the same symbols."""
    what = f"{action} {data} with {path}, {coding.replace('_', ' ')} against {peer}"
    ours = Key("streams", data, coding, action, path)
    return Goal(what, ours, Key("streams", data, peer, action), floor, moonshot)


_DECODING = [
    # path, data, coding, floor and moonshot against huff0
    ("AVX-512", "km16", "lanes_huffman", 3.5, 4.5),
    ("AVX-512", "tern70", "lanes_huffman", 3.5, 4.5),
    ("AVX-512", "tern90", "lanes_tans", 3.5, 4.5),
    ("AVX-512", "km64", "lanes_huffman", 2.8, 3.5),
    ("AVX-512", "km256", "lanes_huffman", 4, 5.5),
    ("AVX-512", "exponents", "lanes_huffman", 2.8, 4),
    ("AVX2", "km16", "lanes_huffman", 3, 4.2),
    ("AVX2", "tern70", "lanes_huffman", 3.5, 4.8),
    ("AVX2", "km64", "lanes_huffman", 2.2, 3),
    ("AVX2", "km256", "lanes_huffman", 3, 4.5),
    ("AVX2", "exponents", "lanes_huffman", 2.5, 3.7),
    ("portable", "km16", "lanes_huffman", 0.5, 0.7),
    ("NEON", "km16", "lanes_huffman", 1.5, 2),
]
_ENCODING = [
    ("AVX-512", "km16", "lanes_huffman"),
    ("AVX-512", "tern70", "lanes_tans"),
    ("AVX2", "km16", "lanes_huffman"),
]
_SIZES = [
    # data, coding, most in % of the entropy, and what would be splendid
    ("km16", "lanes_huffman", 101.3, 101),
    ("km64", "lanes_huffman", 101.3, 100.9),
    ("km256", "lanes_huffman", 101.3, 100.95),
    ("km16", "lanes_tans", 100.4, 100.25),
    ("tern70", "lanes_tans", 100.4, 100.25),
    ("tern90", "lanes_tans", 101, 100.5),
]


def goals(fastest: str) -> list[Goal]:
    """All goals; sizes are the same on each path, so they are taken on the fastest."""
    found = [
        _faster(coding, data, path, "huff0", floor, moonshot, "decode")
        for path, data, coding, floor, moonshot in _DECODING
    ]
    found += [
        _faster(coding, data, path, "huff0", 2, 4, "encode") for path, data, coding in _ENCODING
    ]
    for data, coding, most, splendid in _SIZES:
        what = f"size of {data}, {coding.replace('_', ' ')}, % of the entropy"
        found.append(
            Goal(what, Key("streams", data, coding, "decode", fastest), None, most, splendid)
        )
    return found
