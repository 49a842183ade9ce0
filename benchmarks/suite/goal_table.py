"""The goals for memory speed, with moonshots where there is one, and those for training."""

from __future__ import annotations

from . import growth_goals
from .goals import COST, FASTER, MEMORY, RATE, SMALLER, TIME, Goal
from .result import Key

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
]
_ENCODING = [
    # path, data, coding: each 2x huff0, splendid 4x
    ("AVX-512", "km16", "lanes_huffman"),
    ("AVX-512", "tern70", "lanes_tans"),
    ("AVX2", "km16", "lanes_huffman"),
]
_SIZES = [
    # data, coding, at most this % of the entropy, and what would be splendid
    ("km16", "lanes_huffman", 101.3, None),
    ("km64", "lanes_huffman", 101.3, None),
    ("km256", "lanes_huffman", 101.3, None),
    ("km16", "lanes_tans, smallest", 100.4, 100.25),
    ("tern70", "lanes_tans, smallest", 100.4, 100.25),
    ("tern90", "lanes_tans, smallest", 101, 100.5),
]
_FRAMES = [
    # data, profile, path, what to divide by, floor, moonshot
    ("ternary", "fixed", "AVX-512", "store bound", 0.95, None),
    ("ternary", "fixed", "AVX2", "store bound", 0.95, None),
    ("ternary to float16", "fixed", "AVX-512", "store bound", 0.9, None),
    ("codebook, 4 bits", "fixed", "AVX-512", "store bound", 0.95, None),
    ("codebook, 4 bits", "fixed", "AVX2", "store bound", 0.95, None),
    ("codebook, 8 bits", "fixed", "AVX-512", "store bound", 0.95, None),
    ("codebook, 8 bits", "fixed", "AVX2", "store bound", 0.95, None),
    ("4 bits, 10 % dense, gaps", "fixed", "AVX-512", "store bound", 1, None),
    ("4 bits, 10 % dense, gaps", "fixed", "AVX-512", "scipy csr toarray", 4, None),
    ("4 bits, 10 % dense, gaps", "fixed", "AVX-512", "scipy csr toarray, out=", 2.7, None),
    ("codebook, 4 bits", "balanced", "AVX-512", "store bound", 0.9, 0.97),
    ("codebook, 4 bits", "balanced", "AVX-512", "memcpy", 2, 2.5),
    ("codebook, 4 bits", "balanced", "AVX2", "store bound", 0.65, 0.85),
    ("codebook, 4 bits", "balanced", "AVX2", "memcpy", 1.6, 2),
    ("codebook, 4 bits to float16", "balanced", "AVX-512", "store bound", 0.75, 0.9),
    ("lossless bfloat16", "balanced", "AVX-512", "memcpy", 1.2, 1.5),
]
_PACKAGES = [
    # data, ours, peer, floor, moonshot; a row that says so is a moonshot as a whole
    ("km16", "qcodec, out=", "zstandard -1", 3, 5),
    ("km16", "qcodec, out=", "zxc ultra", 1.7, None),
    ("MiniLM bfloat16", "qcodec, out=", "zipnn", 6, None),
]
_STEPS = [
    # method of training, at most so many plain steps
    ("masks", 1.5),
    ("shared", 2),
    ("masks, then shared", 2),
    ("latent", 2),
    ("fixed point", 2),
    ("ternary", 3),
]
_NETS = ("4 layers of 1,024 x 1,024", "100 layers of 64 x 64")
# Applying a method is linear: at most so many times the time a layer, for ten times the layers.
# Quadratic is 10. Fewer than 1,000 layers are quicker, as Python does not collect garbage.
_GROWTH = 2
_FEWER, _MORE = "1,000 layers", "10,000 layers"
_APPLIED = ("GradualPruning, made and one step", "prune_at_price", "share_at_price")
# Peak memory of a call: what it does, the recipe, what it is divided by, the most.
_MEMORY = [
    ("encode", "lossless", "the tensor", 1.5),
    ("encode", "codebook4", "the tensor", 1.6),
    ("encode", "int8", "the tensor", 2),
    ("encode", "deep-compression", "the tensor", 3),
    *(
        ("decode", recipe, "the output", 1.1)
        for recipe in ("lossless", "codebook4", "int8", "deep-compression")
    ),
    # One tensor's output; of the command line also the tensor. Files that are mapped count.
    ("save_file", "lossless", "one tensor of 4", 1.5),
    ("save_file", "codebook4", "one tensor of 4", 1.6),
    *(
        (call, recipe, "all 4 outputs", 1.1)
        for call in ("load_file", "load_file by pread")
        for recipe in ("lossless", "codebook4")
    ),
    ("qcodec encode", "lossless", "one tensor of 4", 2.5),
    ("qcodec encode", "codebook4", "one tensor of 4", 2.6),
    ("qcodec decode", "lossless", "one tensor of 4", 2.1),
    ("qcodec decode", "codebook4", "one tensor of 4", 2.1),
]
# "Two threads are never slower": two figures of the same job differ by up to this (the control).
_NEVER_SLOWER = 0.95
_THREADS = [
    # data, action, floor
    *((f"{codec}, worst case", "decode", _NEVER_SLOWER) for codec in ("ternary", "4 bits")),
    *((f"{codec}, worst case", "decode", _NEVER_SLOWER) for codec in ("8 bits", "raw", "lossless")),
    ("lossless, balanced, bytes, out=", "decode", 1.4),
    *(
        (f"{codec}, balanced", "encode", 1.6)
        for codec in ("ternary", "4 bits", "8 bits", "lossless")
    ),
    *((f"{codec}, small", "encode", 1.6) for codec in ("4 bits", "lossless")),
    *(
        (f"{call}, {recipe}", "file", _NEVER_SLOWER)
        for call in ("load_file", "save_file")
        for recipe in ("lossless", "codebook4")
    ),
]
_PLACES = [("ternary, fixed", 0.93), ("4 bits, fixed", 0.93), ("4 bits, balanced", 0.88)]
_WHOLLY_MOONSHOTS = ("zxc ultra", "zipnn")
_CLUSTERS = "Gaussian, k = 16"


def goals(fastest: str) -> list[Goal]:
    """All goals; sizes are the same on each path, so they are taken on the fastest."""
    found = [*_of_streams(), *_of_sizes(fastest), *_of_frames(), *_of_packages(), *_of_numbers()]
    found += of_training() + of_memory() + beside_others(fastest) + growth_goals.goals()
    return found


def of_memory() -> list[Goal]:
    """Those for the peak of memory."""
    return [
        Goal(
            f"memory of {action}, {recipe}, beside {divisor}",
            MEMORY,
            Key("memory", action, recipe, divisor),
            None,
            maximum,
        )
        for action, recipe, divisor, maximum in _MEMORY
    ]


def beside(key: Key) -> Key:
    """What a rate of threads or of placement is divided by."""
    method = "1 thread" if key.group == "threads" else "store bound"
    return Key(key.group, key.data, method, key.action, key.path)


def rounds_of(data: str, action: str) -> str:
    """The jobs of a row of threads that took turns with it."""
    if action == "file":
        return "files"
    return f"{action}, {data.split(', ')[action == 'encode']}"


def yardstick(name: str, rounds: str, method: str, path: str) -> Key:
    """What the machine did beside jobs of threads, in the same rounds."""
    return Key("threads", f"{name}, in the rounds of {rounds}", method, "yardstick", path)


def _of_threads(data: str, action: str, floor: float, path: str) -> Goal:
    """A floor above 1 is for a machine on which computing gains 2, another where copying gains."""
    computes = floor > 1
    key = Key("threads", data, "2 threads", action, path)
    name = "computing" if computes else "copies of memory"
    where = f"where {name} gain{'s' if computes else ''} {2 if computes else 1}x"
    ours = yardstick(name, rounds_of(data, action), "2 threads", path)
    what = f"{action}, {data}, with 2 threads against 1, {where}"
    whole = 2.0 if computes else 1.0
    return Goal(what, FASTER, key, beside(key), floor, None, (ours, beside(ours), whole))


def beside_others(path: str) -> list[Goal]:
    """Those for threads, and for the placement of output and workspace, on a path."""
    found = [_of_threads(*row, path) for row in _THREADS]
    for data, floor in _PLACES:
        key = Key("placement", data, "slowest offset", "decode", "AVX-512")
        what = f"{data}, slowest placement with AVX-512 against store bound"
        found.append(Goal(what, FASTER, key, beside(key), floor))
    return found


def reference(key: Key) -> Key:
    """What times of training are divided by.

    Of a step that is a plain step of the same net; of applying a method to many layers, the same
    method and 1,000 layers.
    """
    if key.group == "training":
        return Key(key.group, key.data, "plain", key.action)
    return Key(key.group, _FEWER, key.method, key.action)


def of_training() -> list[Goal]:
    """Those for `qcodec.torch`."""
    found = []
    for data in _NETS:
        for method, maximum in _STEPS:
            key = Key("training", data, method, "step")
            what = f"a step of training, {data}, {method}, against a plain one"
            found.append(Goal(what, COST, key, reference(key), maximum))
    for method in (*(method for method, _ in _STEPS), *_APPLIED):
        key = Key("applying", _MORE, method, "apply")
        what = f"applying to {_MORE}, {method}, time a layer against {_FEWER}"
        found.append(Goal(what, COST, key, reference(key), _GROWTH))
    return found


def _words(coding: str) -> str:
    return coding.replace("_", " ")


def _of_streams() -> list[Goal]:
    def goal(action: str, path: str, data: str, coding: str, floor: float, moonshot: float) -> Goal:
        what = f"{action} {data} with {path}, {_words(coding)} against huff0"
        ours, peer = (
            Key("streams", data, coding, action, path),
            Key("streams", data, "huff0", action),
        )
        return Goal(what, FASTER, ours, peer, floor, moonshot)

    found = [goal("decode", *row) for row in _DECODING]
    found += [goal("encode", *row, 2, 4) for row in _ENCODING]
    return found


def _of_sizes(path: str) -> list[Goal]:
    found = []
    for data, coding, floor, moonshot in _SIZES:
        key = Key("streams", data, coding, "decode", path)
        what = f"size of {data}, {_words(coding)}, in % of the entropy"
        found.append(Goal(what, SMALLER, key, None, floor, moonshot))
        if coding == "lanes_huffman":
            what = f"moonshot: size of {data}, {_words(coding)}, in % of huff0's"
            peer = Key("streams", data, "huff0", "decode")
            found.append(Goal(what, SMALLER, key, peer, 100))
    # Four decisions a symbol: 90 and 220 million decisions.
    contexts = Key("streams", "km16", "contexts", "decode", path)
    what = "decode km16 adaptively, symbols of 4 decisions"
    return [*found, Goal(what, RATE, contexts, None, 0.0225, 0.055)]


def _of_frames() -> list[Goal]:
    found = []
    for data, profile, path, peer, floor, moonshot in _FRAMES:
        dtype = next((name for name in ("bfloat16", "float16") if name in data), "float32")
        memory = peer in ("store bound", "memcpy")
        divisor = (f"memory of {dtype}", "store") if memory else (data, "decode")
        found.append(
            Goal(
                f"frame to floats, {data}, {profile}, with {path} against {peer}",
                FASTER,
                Key("frames", data, f"qcodec {profile}", "decode", path),
                Key("frames", divisor[0], peer, divisor[1], path),
                floor,
                moonshot,
            )
        )
    return found


def _of_packages() -> list[Goal]:
    found = []
    for data, ours, peer, floor, moonshot in _PACKAGES:
        prefix = "moonshot: " if peer in _WHOLLY_MOONSHOTS else ""
        what = f"{prefix}decode {data} in Python, {ours} against {peer}"
        keys = (Key("codecs", data, method, "decode") for method in (ours, peer))
        found.append(Goal(what, FASTER, *keys, floor, moonshot))
    return found


def _of_numbers() -> list[Goal]:
    found = []
    for init in ("exact", "fast"):
        ours = Key("k-means", _CLUSTERS, f"qcodec Codebook, init={init}", "quantize")
        peer = Key("k-means", _CLUSTERS, "scikit-learn KMeans", "quantize")
        what = f"k-means of 1 M weights, {_CLUSTERS}, init={init}"
        found.append(Goal(f"{what} against scikit-learn", FASTER, ours, peer, 500))
        found.append(Goal(f"{what}: error in % of the least", SMALLER, ours, None, 100.05))
    ternary = Key("k-means", "Gaussian, ternary", "qcodec Ternary, exact, scales=1", "quantize")
    # 12 ms for 10 million.
    found.append(Goal("exact ternary weights, one scale", RATE, ternary, None, 0.83))
    for method, maximum in (("qcodec.decode, out=", 5), ("get_tensor of a mapped file", 20)):
        key = Key("small calls", "16 elements", method, "call")
        found.append(Goal(f"{method}, 16 elements", TIME, key, None, maximum))
    return found
