"""Shows what is in a file: facts as plain values, a page, a picture.

Examples
--------
>>> import tempfile, numpy as np, qcodec
>>> with tempfile.TemporaryDirectory() as folder:
...     weights = {"fc.weight": np.sin(np.arange(4096, dtype="f4")).reshape(64, 64)}
...     _ = qcodec.save_file(weights, f"{folder}/net.qcodec", recipe=qcodec.Codebook(4))
...     facts = gather(f"{folder}/net.qcodec")
...     write_html(f"{folder}/report.html", facts) < 100_000
True
>>> facts.tensors[0].codec, facts.stages["float"]
('codebook, 4 bits', 16384)
"""

from .codes import Codes
from .facts import FileFacts, TensorFacts
from .gather import gather, gather_open
from .histogram import Histogram
from .html import Curve, write_html
from .plot import write_plot
from .purposes import PURPOSES
from .stages import STAGES, stage_bytes

__all__ = [
    "PURPOSES",
    "STAGES",
    "Codes",
    "Curve",
    "FileFacts",
    "Histogram",
    "TensorFacts",
    "gather",
    "gather_open",
    "stage_bytes",
    "write_html",
    "write_plot",
]
