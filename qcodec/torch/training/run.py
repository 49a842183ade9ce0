"""A run's folder: settings, curves and checkpoints, so that a stopped run can continue."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..._io.atomic import replace_file
from ..._io.source import PathLike
from .progress import Progress

Row = dict[str, Any]


class Run:
    """The folder of a training run: its settings, curves and checkpoints.

    ``settings.json`` holds the settings, ``curves.csv`` one row per epoch, and ``checkpoints/``
    the states given to `save`. `plot` draws the curves into ``curves.png``. Every file is
    replaced as a whole.

    Parameters
    ----------
    folder : path-like
        Created if it does not exist. If it holds a run, that run continues.
    settings : mapping of str
        Values that JSON can represent.
    progress : callable, optional
        Called by `fit` after each epoch; see `qcodec.torch.show_progress`.

    Raises
    ------
    ValueError
        If the folder holds a run with other settings.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Run(folder, {"seed": 1}).save("pruned", {"epoch": 3})
    ...     Run(folder, {"seed": 1}).restore("pruned")
    ...     Run(folder, {"seed": 2})
    Traceback (most recent call last):
    ...
    ValueError: ... holds a run with other settings: seed was 1, is 2
    """

    def __init__(
        self, folder: PathLike, settings: Mapping[str, Any], progress: Progress | None = None
    ) -> None:
        self.progress = progress
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = json.loads(json.dumps(dict(settings)))
        path = self.folder / "settings.json"
        if path.exists():
            _check_settings(self.folder, json.loads(path.read_text("utf-8")), self.settings)
        else:
            self.write_json("settings.json", self.settings)
        self.rows = self._read_rows()

    def log(self, stage: str, epoch: int, **values: float) -> None:
        """Add a row to the curves; it replaces an older row of this stage and epoch.

        Parameters
        ----------
        stage : str
        epoch : int
            Epochs count from 1.
        values : float
            Numbers by column name.
        """
        rows = [row for row in self.rows if (row["stage"], int(row["epoch"])) != (stage, epoch)]
        rows.append({"stage": stage, "epoch": epoch, **values})
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        replace_file(self.folder / "curves.csv", [text.getvalue().encode()])
        self.rows = rows

    def save(self, name: str, state: Mapping[str, Any]) -> None:
        """Save a checkpoint: tensors, numbers, strings, and lists and dicts of them."""
        folder = self.folder / "checkpoints"
        folder.mkdir(exist_ok=True)
        data = io.BytesIO()
        torch.save(dict(state), data)
        replace_file(folder / f"{name}.pt", [data.getbuffer()])

    def restore(self, name: str) -> dict[str, Any] | None:
        """Returns a saved checkpoint, on the CPU, or None if there is none of this name."""
        path = self.folder / "checkpoints" / f"{name}.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return state

    def write_json(self, name: str, content: Any) -> None:
        """Write plain values into a file of the folder."""
        text = json.dumps(content, indent=2) + "\n"
        replace_file(self.folder / name, [text.encode()])

    def plot(self) -> None:
        """Plot the curves into ``curves.png``, one panel per column. Needs matplotlib."""
        from .plots import plot_curves

        plot_curves(self.rows, self.folder / "curves.png")

    def _read_rows(self) -> list[Row]:
        path = self.folder / "curves.csv"
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [{name: text for name, text in row.items() if text} for row in rows]


def _check_settings(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if names:
        changes = ", ".join(f"{name} was {before.get(name)}, is {now.get(name)}" for name in names)
        raise ValueError(f"{folder} holds a run with other settings: {changes}")
