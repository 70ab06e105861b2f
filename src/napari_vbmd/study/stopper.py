"""Stopping a training between two steps: Ctrl+C, SIGTERM, or a file named ``stop``."""

import contextlib
import signal
import threading
from pathlib import Path
from types import FrameType

STOP = "stop"


class Stopper:
    """Whether somebody wants a training to stop; a context.

    The first signal asks; the second ends at once, as signals do. A file ``stop`` in the folder
    asks, too, so that another program (or another computer) can.

    Parameters
    ----------
    folder : Path
        Of the training.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._signalled = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Stopper":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *error) -> None:
        self._listen_as_before()
        forget_stop(self._folder)

    @property
    def asked(self) -> bool:
        """Whether to stop after this step."""
        return self._signalled or stop_is_asked(self._folder)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True
        self._listen_as_before()

    def _listen_as_before(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()


def ask_to_stop(folder: Path) -> None:
    """Ask the training in a folder to stop.

    Raises
    ------
    OSError
        When the folder cannot be written to.
    """
    (folder / STOP).touch()


def stop_is_asked(folder: Path) -> bool:
    """Whether somebody asked by a file."""
    return (folder / STOP).exists()


def forget_stop(folder: Path) -> None:
    """Take away what was asked before."""
    with contextlib.suppress(OSError):
        (folder / STOP).unlink(missing_ok=True)
