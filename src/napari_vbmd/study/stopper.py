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
    asks, too, so that another program (or another computer) can; one that is there from before is
    taken away.

    Parameters
    ----------
    folder : Path
        Of the training.
    """

    def __init__(self, folder: Path):
        self._file = folder / STOP
        self._signalled = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Stopper":
        self._forget()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *error) -> None:
        self._listen_as_before()
        self._forget()

    @property
    def asked(self) -> bool:
        """Whether to stop after this step."""
        return self._signalled or self._file.exists()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True
        self._listen_as_before()

    def _listen_as_before(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _forget(self) -> None:
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)
