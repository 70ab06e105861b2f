"""Pairs of a rating read ahead, away from the window."""

from qtpy.QtCore import QObject, Signal

from ..study.pair_view import PairView, open_pair
from ..study.rating import Showing
from .job import Job


class PairLoader(QObject):
    """Reads pairs in the background, each in a job of its own.

    Signals
    -------
    arrived(int)
        The pair of this order can be taken.
    """

    arrived = Signal(int)

    def __init__(self, parent: QObject):
        super().__init__(parent)
        self._jobs: dict[int, Job] = {}
        self._ready: dict[int, PairView | str] = {}

    def fetch(self, showing: Showing | None) -> None:
        """Begin to read a pair, unless it is here or under way."""
        if showing is None or showing.order in {*self._jobs, *self._ready}:
            return
        order = showing.order
        # no name of a file: napari shows the title when it is closed meanwhile
        job = self._jobs[order] = Job(lambda tell: open_pair(showing, tell), "Loading a pair", self)
        job.succeeded.connect(lambda view: self._keep(order, job, view))
        job.failed.connect(lambda text: self._keep(order, job, text))
        job.ended.connect(lambda: self._end(order, job))
        job.start()

    def take(self, order: int) -> PairView | str | None:
        """A pair, or why it cannot be shown; None while it is not here."""
        return self._ready.pop(order, None)

    def stop(self) -> None:
        """Read no more, and forget what was read."""
        for job in self._jobs.values():
            job.cancel()
        self._jobs, self._ready = {}, {}

    def _keep(self, order: int, job: Job, result: PairView | str) -> None:
        if self._jobs.get(order) is job:  # else it was stopped meanwhile
            self._ready[order] = result

    def _end(self, order: int, job: Job) -> None:
        job.deleteLater()  # it holds the result
        if self._jobs.get(order) is job:
            del self._jobs[order]
            self.arrived.emit(order)
