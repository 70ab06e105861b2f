"""What a person sees: progress and notes on stderr, tables on stdout."""

import contextlib
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import TextIO

_SECONDS_ON_TERMINAL = 0.1
_SECONDS_IN_LOG = 10.0


class Console:
    """Progress and notes.

    On a terminal progress is one line that renews itself; in a log it is a line for each stage,
    and another where one takes long. What cannot be written is no reason to stop the work.

    Parameters
    ----------
    quiet : bool
        Say nothing.
    stream : text stream, optional
        stderr when None.
    """

    def __init__(self, quiet: bool = False, stream: TextIO | None = None):
        self._stream = sys.stderr if stream is None else stream
        self._quiet = quiet or self._stream is None
        self._terminal = not self._quiet and self._stream.isatty()
        self._stage, self._shown = "", -_SECONDS_IN_LOG

    def __enter__(self) -> "Console":
        return self

    def __exit__(self, *error) -> None:
        self.clear()

    def progress(self, fraction: float, message: str) -> None:
        """Show how far the work is; the stage is the message up to a colon or comma."""
        if self._quiet:
            return
        stage, now = re.split("[:,]", message)[0], monotonic()
        waited = now - self._shown
        if self._terminal and waited >= _SECONDS_ON_TERMINAL:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r{f'{100 * fraction:3.0f} %  {message}'[:width]}\x1b[K")
        elif not self._terminal and (stage != self._stage or waited >= _SECONDS_IN_LOG):
            self._write(f"{100 * fraction:3.0f} %  {message}\n")
        else:
            return
        self._stage, self._shown = stage, now

    def note(self, text: str) -> None:
        """Say one thing, on a line of its own."""
        if not self._quiet:
            self.clear()
            self._write(f"{text}\n")

    def clear(self) -> None:
        """Take the line of progress away."""
        if self._terminal:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def aligned(rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows of text as columns; the columns numbered in ``right`` are flush right."""
    rows = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            if width
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
