"""Long work away from the window: progress, a Cancel that works, and errors as one line."""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from napari.qt import threading as of_napari
from qtpy.QtCore import QObject, Signal
from superqt import utils as of_superqt

from ..errors import VbmdError

_SECONDS_BETWEEN_REPORTS = 0.05


class Cancelled(Exception):
    """Raised within the work, at its next report of progress, when Cancel was pressed."""


class Job(QObject):
    """One piece of work in a thread.

    The work gets a callback ``progress(fraction, message)``; it is there that a cancel takes
    effect. napari knows the worker, so closing the window asks once, cancels and waits.

    Parameters
    ----------
    work : callable
        Gets ``progress``.
    title : str
        What napari shows when it asks.
    parent : QObject, optional
    quiet : bool
        Closing the window cancels and waits, but does not ask: nobody would miss the work.

    Signals
    -------
    progressed(float, str), succeeded(object), failed(str), cancelled(), ended()
    """

    progressed = Signal(float, str)
    succeeded = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    ended = Signal()

    def __init__(
        self,
        work: Callable[[Callable[[float, str], None]], Any],
        title: str,
        parent=None,
        quiet: bool = False,
    ):
        super().__init__(parent)
        self._reported = 0.0
        create_worker = (of_superqt if quiet else of_napari).create_worker
        self._worker = create_worker(
            _Titled(lambda: work(self._report), title), _ignore_errors=True
        )
        self._tell: Callable[[], None] = self.cancelled.emit
        self._worker.returned.connect(self._on_returned)
        self._worker.errored.connect(self._on_errored)
        self._worker.finished.connect(self._on_finished)

    def start(self) -> None:
        """Begin."""
        self._worker.start()

    def cancel(self) -> None:
        """Ask the work to stop; `cancelled` follows."""
        self._worker.quit()

    def _report(self, fraction: float, message: str) -> None:
        if self._worker.abort_requested:
            raise Cancelled
        now = monotonic()
        if now - self._reported > _SECONDS_BETWEEN_REPORTS:
            self._reported = now
            self.progressed.emit(float(fraction), message)

    def _on_returned(self, result: Any) -> None:
        self._tell = partial(self.succeeded.emit, result)

    def _on_errored(self, error: Exception) -> None:
        self._tell = partial(self.failed.emit, sentence(error))

    def _on_finished(self) -> None:
        """Tell how it ended; a worker asked to stop after its last report tells nothing itself."""
        if self._worker.abort_requested:
            self.cancelled.emit()
        else:
            self._tell()
        self._tell = _nothing  # the result, often a whole volume, is let go
        self.ended.emit()


def sentence(error: BaseException) -> str:
    """An error as one line for a person."""
    if isinstance(error, VbmdError):
        return str(error)
    if isinstance(error, MemoryError):
        return "not enough memory; close other programs, or choose fewer slices"
    text = " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {text}; please report this"


def _nothing() -> None:
    """What an ended job still has to tell."""


class _Titled:
    """A callable that napari shows by its title when the window is closed while it runs."""

    def __init__(self, work: Callable[[], Any], title: str):
        self._work: Callable[[], Any] | None = work
        self._title = title

    def __call__(self) -> Any:
        work, self._work = self._work, None  # napari keeps the worker for good, but not the work
        return work()

    def __str__(self) -> str:
        return self._title
