"""The format's ids of profiles, positions forms and kinds, by name."""

PROFILES = {"fast": 0, "balanced": 1, "small": 2, "fixed": 3}
POSITIONS = {"dense": 0, "gaps": 1, "mask": 2, "csr": 3, "bit_mask": 4, "copies": 5}
KINDS = {"bytes": 0, "planes": 1, "affine": 2, "codebook": 3, "delta": 4}

POSITIONS_NAMES = {number: name for name, number in POSITIONS.items()}
#: Forms in which every element has a code of its own; in the others absent elements are zero.
FULL_POSITIONS = ("dense", "copies")
KIND_NAMES = {number: name for name, number in KINDS.items()}
#: Kinds that store elements, not codes.
ELEMENT_KINDS = ("bytes", "planes", "delta")
