"""The annotators' record of a manifest's cases: a CSV beside it, written whole after every change.

``cases.csv`` gets ``cases.worklist.csv``; the manifest itself is never written to. A case is known
by its scan, as the manifest writes it, so rows may move and come. Columns:

| column | what it is |
| --- | --- |
| scan | of the case |
| status | to do, corrected or approved |
| annotator | who decided that, or saved the mask, last |
| minutes | active minutes of all annotators on the case (`active_time`) |
| mask | the mask that was saved, relative to the manifest's folder |
| mask_from | where it came from before it was corrected: a file, a method, or by hand |
| saved_at | when status or mask were saved last, ISO 8601 with time zone |

Other columns are kept. Several people may work with one file: every change reads it again, changes
one row, and is refused where somebody else has decided about that row meanwhile.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import FileFormatError, WriteError
from .csv_rows import Row, read_rows, write_rows
from .manifest import Manifest, key_of

TO_DO, CORRECTED, APPROVED = STATUSES = ("to do", "corrected", "approved")
DONE = (CORRECTED, APPROVED)
_PATIENCE_S = 10.0  # for somebody else's write; one takes a fraction of a second


@dataclass(frozen=True)
class Record:
    """What is known of the work on one case; the columns are those of the module."""

    scan: str
    status: str = TO_DO
    annotator: str = ""
    minutes: float = 0.0
    mask: str = ""
    mask_from: str = ""
    saved_at: str = ""
    other: dict[str, str] = field(default_factory=dict)

    def decides_as(self, other: "Record") -> bool:
        """Whether nothing was decided or saved between the two; minutes only add up."""
        return self._decision() == other._decision()

    def _decision(self) -> tuple[str, ...]:
        return self.status, self.annotator, self.mask, self.mask_from, self.saved_at


COLUMNS = tuple(one.name for one in fields(Record) if one.name != "other")


class ConflictError(WriteError):
    """Somebody else saved the case meanwhile; ``theirs`` is their record."""

    def __init__(self, theirs: Record):
        self.theirs = theirs
        who = theirs.annotator or "somebody"
        super().__init__(
            f"{theirs.scan}: {who} saved this case meanwhile ({theirs.status}, "
            f"{theirs.saved_at.replace('T', ' ')}); nothing of theirs was changed, and yours is "
            "not saved yet"
        )


class Worklist:
    """The records of a manifest's cases, as this session last knew them.

    Parameters
    ----------
    manifest : Manifest

    Attributes
    ----------
    path : Path
        Of the record's file; it comes to be with the first change.
    records : dict of str to Record
        By scan: one for each case, in the order of the manifest, then those of scans that the
        manifest no longer names.

    Raises
    ------
    FileFormatError
        When the file is there and cannot be read, or rows of it cannot be used.
    """

    def __init__(self, manifest: Manifest):
        self.manifest = manifest
        self.path = manifest.path.with_suffix(".worklist.csv")
        self._more: tuple[str, ...] = ()  # columns that are not ours
        self.records: dict[str, Record] = {}
        self.reload()

    def reload(self) -> None:
        """Take up what others wrote."""
        self.records = self._in_order(self._on_disk())

    def save(
        self,
        scan: str,
        write: Callable[[], None] | None = None,
        minutes: float = 0.0,
        **changes: str,
    ) -> Record:
        """Change one record on disk, now.

        Parameters
        ----------
        scan : str
            Of the case.
        write : callable, optional
            Writes what goes with the record, such as the mask. Called when nothing stands in the
            record's way; when it raises, the record stays as it is.
        minutes : float
            To add to those on disk.
        **changes
            Fields of `Record`, ``saved_at`` excepted: it becomes now.

        Raises
        ------
        ConflictError
            When somebody else decided about the case since this session read its record.
        WriteError
            When it cannot be written.
        FileFormatError
            When what is on disk can no longer be read.
        """
        with self._exclusive():
            rows, known = self._on_disk(), self.records[scan]
            there = rows.get(scan, known)  # a file that was taken away is no decision
            if not there.decides_as(known):
                raise ConflictError(there)
            if write is not None:
                write()
            now = datetime.now().astimezone().isoformat(timespec="seconds")
            return self._put(rows, replace(_longer(there, minutes), **changes, saved_at=now))

    def add_minutes(self, scan: str, minutes: float) -> Record:
        """Add active minutes on disk, whatever else others did to the record; raises as `save`."""
        with self._exclusive():
            rows, known = self._on_disk(), self.records[scan]
            record = self._put(rows, _longer(rows.get(scan, known), minutes))
            # what this session knew of the decision stays, so that a conflict is not missed
            self.records[scan] = replace(known, minutes=record.minutes)
            return self.records[scan]

    def settle(self, theirs: Record) -> None:
        """Accept somebody else's record as known: what is saved next replaces it."""
        self.records[theirs.scan] = theirs

    def count(self, status: str) -> int:
        """Cases of the manifest with a status."""
        return sum(self.records[case.key].status == status for case in self.manifest.cases)

    def relative(self, path: Path) -> str:
        """A path as the record holds it: relative to the manifest's folder, where it lies there."""
        try:
            return path.relative_to(self.manifest.folder).as_posix()
        except ValueError:
            return path.as_posix()

    def _put(self, rows: dict[str, Record], record: Record) -> Record:
        """Write one record among those of the disk."""
        records = self._in_order({**rows, record.scan: record})
        columns = (*COLUMNS, *self._more)
        write_rows(self.path, columns, (_cells(record) for record in records.values()))
        self.records = records
        return record

    def _in_order(self, rows: dict[str, Record]) -> dict[str, Record]:
        known = {**self.records, **rows}
        keys = [case.key for case in self.manifest.cases]
        return {key: known.get(key, Record(key)) for key in (*keys, *known)}

    def _on_disk(self) -> dict[str, Record]:
        if not self.path.exists():
            return {}
        columns, rows = read_rows(self.path)
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise FileFormatError(
                f"{self.path}: not a worklist: no column {', '.join(missing)}; move this file away"
            )
        self._more = tuple(name for name in columns if name not in COLUMNS)
        records = {}
        wrong = []
        for row in rows:
            record = _record(row, wrong)
            if record.scan in records:
                wrong.append(f"line {row.line}: “{record.scan}” a second time")
            records[record.scan] = record
        if wrong:
            raise FileFormatError(f"{self.path}: {'; '.join(wrong)}")
        return records

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One writer at a time, among all sessions and the threads of this one."""
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_PATIENCE_S)
        try:
            with lock:
                yield
        except Timeout as error:
            raise WriteError(
                f"{self.path}: somebody else has been writing it for {_PATIENCE_S:.0f} s; try again"
            ) from error
        except OSError as error:
            if isinstance(error, WriteError):
                raise
            raise WriteError(
                f"{self.path}: cannot be written: {error.strerror or error}; the manifest must lie "
                "in a folder that may be written to"
            ) from error


def _longer(record: Record, minutes: float) -> Record:
    return replace(record, minutes=record.minutes + minutes)


def _cells(record: Record) -> dict[str, str]:
    cells = {name: str(getattr(record, name)) for name in COLUMNS}
    return {**record.other, **cells, "minutes": f"{record.minutes:.2f}"}


def _record(row: Row, wrong: list[str]) -> Record:
    """One row as a record; what is wrong with it is added to the list."""
    cells = {name: row.cells[name] for name in COLUMNS}
    other = {name: cell for name, cell in row.cells.items() if name not in COLUMNS}
    cells["scan"] = key_of(cells["scan"])
    if not cells["scan"]:
        wrong.append(f"line {row.line}: no scan")
    if cells["status"] not in STATUSES:
        wrong.append(f"line {row.line}: status “{cells['status']}” is not {', '.join(STATUSES)}")
    minutes = _minutes(cells["minutes"])
    if minutes is None:
        wrong.append(f"line {row.line}: “{cells['minutes']}” is not a number of minutes")
    return Record(**{**cells, "minutes": minutes or 0.0}, other=other)


def _minutes(text: str) -> float | None:
    try:
        minutes = float(text or 0)
    except ValueError:
        return None
    return minutes if 0 <= minutes < math.inf else None
