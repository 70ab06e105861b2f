"""A training in a process of its own: started, looked at by its files, asked to stop.

It belongs to nobody's window: it goes on when napari is closed, and another window can look on.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from ..errors import VbmdError, WriteError
from ..study.stopper import ask_to_stop
from ..study.train_state import TrainState, is_under_way, state_of
from .job import sentence

COMMAND = [sys.executable, "-m", "napari_vbmd", "train"]
LOG = "train.log"
_LOOK_MS = 1000
_TAIL = 2000  # bytes of the log
_OURS = "napari-vbmd: "  # how an error's line begins
_PROGRESS = re.compile(r"(\d+) %  (.*)")


class TrainProcess(QObject):
    """The training in one folder, as far as this window knows it.

    Signals
    -------
    changed(object), said(float, str), ended(str, bool)
        A new `TrainState`; how far it is with what it does, 0 to 1, and in words; how it ended, and
        whether that is an error.
    """

    changed = Signal(object)
    said = Signal(float, str)
    ended = Signal(str, bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.folder: Path | None = None
        self._own: subprocess.Popen | None = None
        self._state: TrainState | None = None
        self._last_words = ""
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def running(self) -> bool:
        """Whether the training is under way, as far as was seen."""
        return self._timer.isActive()

    def show(self, folder: Path) -> None:
        """Show what a folder holds, and follow it when a training is under way there.

        Raises
        ------
        FileFormatError
            When its files are of something else.
        """
        self.leave()
        self.folder, self._own, self._state = folder, None, None
        self._tell(state_of(folder))
        if is_under_way(folder):
            self._timer.start()

    def start(self, words: Sequence[str], folder: Path) -> None:
        """Start ``napari-vbmd train`` with these words, and follow it.

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
            raise WriteError(f"{folder}: the training cannot be started there: {reason}") from error
        self.folder, self._state, self._last_words = folder, None, ""
        self._timer.start()

    def stop(self) -> None:
        """Ask it to stop after this step; `ended` follows."""
        if self.running:
            try:
                ask_to_stop(self.folder)
            except OSError as error:
                self.said.emit(0.0, f"{self.folder}: {error.strerror or error}")

    def leave(self) -> None:
        """Look no further; the training goes on."""
        self._timer.stop()

    def _look(self) -> None:
        goes_on = self._own.poll() is None if self._own else is_under_way(self.folder)
        try:
            self._tell(state_of(self.folder))
        except VbmdError as error:
            self.said.emit(0.0, sentence(error))
        words = last_line(self.folder / LOG)
        if goes_on:
            if words != self._last_words and (progress := _PROGRESS.fullmatch(words)):
                self.said.emit(int(progress[1]) / 100, progress[2])
            self._last_words = words
            return
        self._timer.stop()
        failed = self._own is not None and self._own.returncode not in (0, 130)
        self.ended.emit(_how_it_ended(self._state, words, failed), failed)

    def _tell(self, state: TrainState) -> None:
        if state != self._state:
            self._state = state
            self.changed.emit(state)


def apart() -> dict[str, object]:
    """What keeps a process alive when the one that started it ends."""
    if os.name == "nt":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        return {"creationflags": flags}
    return {"start_new_session": True}


def last_line(path: Path) -> str:
    """What the log says last; "" where there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _how_it_ended(state: TrainState | None, words: str, failed: bool) -> str:
    ending = state.ending if state else ""
    if not failed and ending == "finished":
        return "Finished: the weights are best.pt, in the training's folder."
    if not failed and ending in ("time is up", "interrupted"):
        return f"Stopped after step {state.step:,}; it can go on."
    if words.startswith(_OURS):
        return words.removeprefix(_OURS)
    return f"The training ended and did not say why ({words or 'no word'}); see {LOG} in its folder"
