"""A batch in a process of its own, looked at by its table."""

from ..errors import VbmdError
from ..study.batch import LOCK, LOG
from ..study.batch_table import TABLE
from ..study.csv_rows import read_rows
from .outside_process import INTERRUPTED, OutsideProcess


class BatchProcess(OutsideProcess):
    """The batch in one folder; `changed` carries the table's rows, as dicts of text."""

    noun, command, log, lock = "batch", "batch", LOG, LOCK
    _stamp: object = None

    def _forget(self) -> None:
        self._stamp = None

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

    def _how_it_ended(self, code: int | None) -> str:
        if code == INTERRUPTED:
            return "Stopped; the same choices go on."
        if code in (0, 1, None):
            return "Finished: the table is batch.csv, in the folder."
        return ""
