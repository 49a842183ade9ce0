"""Show the progress of a training in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

#: Called after each epoch with the stage, finished epochs, all epochs, and measured numbers.
Progress = Callable[[str, int, int, Mapping[str, float]], None]


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Show a progress bar for each stage of a training within this context.

    Yields
    ------
    callable
        For ``progress`` of `fit` and `Run`. The bars need rich (the extra [cli]). Without rich,
        or if standard error is not a terminal, one line per epoch is printed instead.

    Examples
    --------
    >>> import contextlib, sys
    >>> with contextlib.redirect_stderr(sys.stdout), show_progress() as progress:
    ...     progress("prune", 1, 2, {"loss": 0.25})
    prune 1/2: loss 0.25
    """
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars
    except ImportError:
        yield _print_line
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _print_line
        return
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeRemainingColumn(), TextColumn("{task.fields[found]}"),
              console=console) as bars:  # fmt: skip
        yield _on_bars(bars)


def _on_bars(bars: Any) -> Progress:
    tasks: dict[str, Any] = {}

    def advance(stage: str, done: int, total: int, found: Mapping[str, float]) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total, found="")
        bars.update(tasks[stage], completed=done, found=_text(found))

    return advance


def _print_line(stage: str, done: int, total: int, found: Mapping[str, float]) -> None:
    print(f"{stage} {done}/{total}: {_text(found)}", file=sys.stderr)


def _text(found: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in found.items())
