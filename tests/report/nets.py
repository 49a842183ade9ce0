"""Small files of every kind, and what they were made of."""

import numpy as np
import safetensors.numpy

import qcodec

SHAPE = (48, 64)


def weights():
    """Weights as nets have them: most are small."""
    return np.random.default_rng(7).laplace(0, 0.05, SHAPE).astype(np.float32)


def pruned():
    """A tenth of them."""
    array = weights()
    return np.where(np.abs(array) > np.quantile(np.abs(array), 0.9), array, 0).astype(np.float32)


#: By name: the codec, the tensor, and what the facts say of how it is stored.
KINDS = {
    "codebook": (qcodec.Codebook(bits=4), weights, "codebook, 4 bits"),
    "codebooks by row": (qcodec.Codebook(bits=2, per=0), weights, "codebook, 2 bits, 48 codebooks"),
    "affine": (qcodec.Affine(bits=8), weights, "affine, 8 bits"),
    "affine by row": (qcodec.Affine(bits=8, per=0), weights, "affine, 8 bits, 48 scales"),
    "fixed point": (qcodec.FixedPoint(bits=6), weights, "fixed point, 6 bits"),
    "ternary": (qcodec.Ternary(), weights, "ternary"),
    "sparse": (qcodec.Sparse(qcodec.Lossless()), pruned, "sparse lossless"),
    "deep compression": (
        qcodec.DeepCompression(bits=4, positions="gaps"),
        pruned,
        "sparse codebook, 4 bits",
    ),
    "lossless": (qcodec.Lossless(), weights, "lossless"),
}


def save(folder, tensors, recipe=None, **options):
    """Paths of the encoded file and of the original."""
    path, original = folder / "net.qcodec", folder / "original.safetensors"
    qcodec.save_file(tensors, path, recipe=recipe, **options)
    safetensors.numpy.save_file(tensors, original)
    return path, original
