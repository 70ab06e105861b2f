"""A batch in a process of its own: started, looked at by its table, asked to stop.

It belongs to nobody's window: it goes on when napari is closed, and another window can look on.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from ..errors import VbmdError, WriteError
from ..study.batch import LOCK, LOG
from ..study.batch_table import TABLE
from ..study.csv_rows import read_rows
from ..study.stopper import ask_to_stop
from ..study.train_state import is_under_way
from .train_process import apart, last_line

COMMAND = [sys.executable, "-m", "napari_vbmd", "batch"]
_LOOK_MS = 1000
_OURS = "napari-vbmd: "  # how an error's line begins
_PROGRESS = re.compile(r"(\d+) %  (.*)")
_INTERRUPTED = 130


class BatchProcess(QObject):
    """The batch in one folder, as far as this window knows it.

    Signals
    -------
    changed(list), said(float, str), ended(str, bool)
        The table's rows, as dicts of text; how far it is, 0 to 1, and in words; how it ended, and
        whether that is an error.
    """

    changed = Signal(list)
    said = Signal(float, str)
    ended = Signal(str, bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.folder: Path | None = None
        self._own: subprocess.Popen | None = None
        self._stamp: object = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def running(self) -> bool:
        """Whether the batch is under way, as far as was seen."""
        return self._timer.isActive()

    def show(self, folder: Path) -> None:
        """Show the table that a folder holds, and follow the batch when one is under way there."""
        self.leave()
        self.folder, self._own, self._stamp = folder, None, None
        self._read()
        if is_under_way(folder, LOCK):
            self._timer.start()

    def start(self, words: Sequence[str], folder: Path) -> None:
        """Start ``napari-vbmd batch`` with these words, and follow it.

        Raises
        ------
        WriteError
            When the folder cannot be made or written to.
        """
        self.leave()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with open(folder / LOG, "wb") as log:
                self._own = subprocess.Popen(
                    [*COMMAND, *words],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    **apart(),
                )
        except OSError as error:
            reason = error.strerror or error
            raise WriteError(f"{folder}: the batch cannot be started there: {reason}") from error
        self.folder, self._stamp = folder, None
        self._timer.start()

    def stop(self) -> None:
        """Ask it to stop; `ended` follows."""
        if self.running:
            try:
                ask_to_stop(self.folder)
            except OSError as error:
                self.said.emit(0.0, f"{self.folder}: {error.strerror or error}")

    def leave(self) -> None:
        """Look no further; the batch goes on."""
        self._timer.stop()

    def _look(self) -> None:
        goes_on = self._own.poll() is None if self._own else is_under_way(self.folder, LOCK)
        self._read()
        words = last_line(self.folder / LOG)
        if goes_on:
            if progress := _PROGRESS.fullmatch(words):
                self.said.emit(int(progress[1]) / 100, progress[2])
            return
        self._timer.stop()
        code = self._own.returncode if self._own else None
        self.ended.emit(*_how_it_ended(code, words))

    def _read(self) -> None:
        """Read the table when it changed; one that is not there yet has no rows."""
        path, rows = self.folder / TABLE, []
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            stamp = ()
        if stamp == self._stamp:
            return
        if stamp:
            try:
                rows = [row.cells for row in read_rows(path)[1]]
            except VbmdError:
                return
        self._stamp = stamp
        self.changed.emit(rows)


def _how_it_ended(code: int | None, words: str) -> tuple[str, bool]:
    """In words, and whether it is an error; a code of None: another window's batch."""
    if code == _INTERRUPTED:
        return "Stopped; the same choices go on.", False
    if code in (0, 1, None):
        return "Finished: the table is batch.csv, in the folder.", False
    if words.startswith(_OURS):
        return words.removeprefix(_OURS), True
    return f"The batch ended and did not say why ({words or 'no word'}); see {LOG}", True
