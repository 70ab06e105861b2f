"""A long command in a process of its own: started, looked at by its files, asked to stop.

It belongs to nobody's window: it goes on when napari is closed, and another window can look on.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from ..errors import WriteError
from ..study.stopper import ask_to_stop
from ..study.train_state import is_under_way

PROGRAM = [sys.executable, "-m", "napari_vbmd"]
LOOK_MS = 1000
INTERRUPTED = 130
_TAIL = 2000  # bytes of the log
_OURS = "napari-vbmd: "  # how an error's line begins
_PROGRESS = re.compile(r"(\d+) %  (.*)")


class OutsideProcess(QObject):
    """What one command does in one folder, as far as this window knows it.

    A kind of it names the command and its files, and says how to read them (`_read`, which emits
    `changed`), what to forget with a folder (`_forget`) and how the command ended
    (`_how_it_ended`).

    Attributes
    ----------
    noun, command, log, lock : str
        What is going on; the word after ``napari-vbmd``; names of files in the folder.

    Signals
    -------
    changed(object), said(float, str), ended(str, bool)
        What the folder's files say now; how far it is with what it does, 0 to 1, and in words; how
        it ended, and whether that is an error.
    """

    changed = Signal(object)
    said = Signal(float, str)
    ended = Signal(str, bool)
    noun = command = log = lock = ""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.folder: Path | None = None
        self._own: subprocess.Popen | None = None
        self._last_words = ""
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def running(self) -> bool:
        """Whether it is under way, as far as was seen."""
        return self._timer.isActive()

    def show(self, folder: Path) -> None:
        """Show what a folder holds, and follow what is under way there.

        Raises
        ------
        FileFormatError
            When its files are of something else.
        """
        self.leave()
        self.folder, self._own = folder, None
        self._forget()
        self._read()
        if is_under_way(folder, self.lock):
            self._timer.start()

    def start(self, words: Sequence[str], folder: Path) -> None:
        """Start the command with these words, and follow it.

        Raises
        ------
        WriteError
            When the folder cannot be made or written to.
        """
        self.leave()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with open(folder / self.log, "wb") as log:
                self._own = subprocess.Popen(
                    [*PROGRAM, self.command, *words],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    **_apart(),
                )
        except OSError as error:
            reason = error.strerror or error
            raise WriteError(
                f"{folder}: the {self.noun} cannot be started there: {reason}"
            ) from error
        self.folder, self._last_words = folder, ""
        self._forget()
        self._timer.start()

    def stop(self) -> None:
        """Ask it to stop; `ended` follows."""
        if self.running:
            try:
                ask_to_stop(self.folder)
            except OSError as error:
                self.said.emit(0.0, f"{self.folder}: {error.strerror or error}")

    def leave(self) -> None:
        """Look no further; it goes on."""
        self._timer.stop()

    def _forget(self) -> None:
        raise NotImplementedError

    def _read(self) -> None:
        raise NotImplementedError

    def _how_it_ended(self, code: int | None) -> str:
        """In words; "" when it failed. A code of None: another window's process."""
        raise NotImplementedError

    def _look(self) -> None:
        goes_on = self._own.poll() is None if self._own else is_under_way(self.folder, self.lock)
        self._read()
        words = _last_line(self.folder / self.log)
        if goes_on:
            if words != self._last_words and (progress := _PROGRESS.fullmatch(words)):
                self.said.emit(int(progress[1]) / 100, progress[2])
            self._last_words = words
            return
        self._timer.stop()
        how = self._how_it_ended(self._own.returncode if self._own else None)
        self.ended.emit(how or self._why_it_failed(words), not how)

    def _why_it_failed(self, words: str) -> str:
        if words.startswith(_OURS):
            return words.removeprefix(_OURS)
        said = words or "no word"
        return f"The {self.noun} ended and did not say why ({said}); see {self.log} in its folder"


def _apart() -> dict[str, object]:
    """What keeps a process alive when the one that started it ends."""
    if os.name == "nt":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        return {"creationflags": flags}
    return {"start_new_session": True}


def _last_line(path: Path) -> str:
    """What the log says last; "" where there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
