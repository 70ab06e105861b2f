"""The next case is read while somebody works on this one."""

from collections.abc import Callable

from qtpy.QtCore import QObject

from .case_files import CaseFiles, touch_pages
from .job import Job


class LoadAhead(QObject):
    """Holds one case that is likely to be wanted next."""

    def __init__(self, parent: QObject):
        super().__init__(parent)
        self._job: Job | None = None
        self._read: list[CaseFiles] = []  # by the worker, at most one

    @property
    def busy(self) -> bool:
        """Whether something is being loaded."""
        return self._job is not None

    def begin(self, read: Callable[[Callable], CaseFiles], name: str) -> None:
        """Load a case, in the place of the one that is held.

        Parameters
        ----------
        read : callable
            Reads the case; gets ``progress``.
        name : str
        """
        self.stop()
        found = self._read = []

        def work(progress) -> None:
            found.append(read(progress))
            touch_pages(found[0], progress)  # the case can be had meanwhile

        job = self._job = Job(work, f"Loading {name} ahead", self, quiet=True)
        job.ended.connect(lambda: self._end(job))
        job.start()

    def take(self, key: str) -> CaseFiles | None:
        """The case that was loaded, if it is this one; it is not held any longer."""
        found = self._read
        self.stop()
        return found[0] if found and found[0].case.key == key else None

    def stop(self) -> None:
        """Load nothing, hold nothing."""
        if self._job is not None:
            self._job.cancel()
        self._job, self._read = None, []

    def _end(self, job: Job) -> None:
        if job is self._job:
            self._job = None
        job.deleteLater()
