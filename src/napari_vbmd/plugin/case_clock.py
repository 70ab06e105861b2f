"""The clock of the case in view: it runs while somebody works in the viewer."""

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer, Signal

from ..study.active_time import ActiveTime
from .job import Job

_TICK_MS = 60_000


class CaseClock(QObject):
    """Counts active minutes: mouse over the canvas, steps through the slices, edits of the mask.

    Every minute, what was counted is written down in the background.

    Signals
    -------
    written(), failed(str)
    """

    written = Signal()
    failed = Signal(str)

    def __init__(self, viewer, parent: QObject):
        super().__init__(parent)
        self.time = ActiveTime()
        self._viewer = viewer
        self._write: Callable[[float], object] | None = None
        self._job: Job | None = None
        self._mouse = viewer.mouse_move_callbacks, viewer.mouse_wheel_callbacks
        for callbacks in self._mouse:
            callbacks.append(self._touch_by_mouse)
        viewer.dims.events.current_step.connect(self.touch)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.write)

    def start(self, write: Callable[[float], object]) -> None:
        """A case came into view; ``write`` adds minutes to its record."""
        self._write = write
        self.time.start()
        self._timer.start()

    def stop(self) -> None:
        """No case is in view."""
        self.time.stop()
        self._timer.stop()

    def touch(self, event=None) -> None:
        """Somebody did something."""
        self.time.touch()

    def write(self) -> None:
        """Write down what was counted, in the background."""
        if self._job is not None or self._write is None or not self.time.minutes:
            return
        write, minutes = self._write, self.time.take()
        job = self._job = Job(lambda progress: write(minutes), "Minutes", self, quiet=True)
        job.succeeded.connect(lambda _: self.written.emit())
        job.failed.connect(lambda text: self._complain(minutes, text))
        job.ended.connect(self._end)
        job.start()

    def write_now(self) -> None:
        """Write down what was counted before this returns; raises WriteError."""
        if self._write is not None and self.time.minutes:
            self._write(self.time.take())

    def leave(self) -> None:
        """Watch the viewer no longer."""
        self.stop()
        self._write = None
        for callbacks in self._mouse:
            callbacks.remove(self._touch_by_mouse)
        self._viewer.dims.events.current_step.disconnect(self.touch)

    def _touch_by_mouse(self, viewer, event) -> None:
        self.touch()

    def _complain(self, minutes: float, text: str) -> None:
        self.time.give_back(minutes)
        self.failed.emit(text)

    def _end(self) -> None:
        self._job.deleteLater()
        self._job = None
