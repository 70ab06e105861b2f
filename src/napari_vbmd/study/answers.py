"""The answers of a blinded rating as a table: one row for each pair that was shown."""

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ..errors import FileFormatError
from ..io.atomic import written_whole
from ..measurement.tables import csv_text
from .csv_rows import read_rows

A, B, EQUAL, SKIPPED = "A", "B", "equal", "skipped"


@dataclass(frozen=True)
class Answer:
    """What a rater said of one pair.

    Attributes
    ----------
    order, of : int
        The how-manieth pair it was, from 1, of how many.
    scan, patient : str
        As the table of pairs says.
    a_source, b_source : str
        Whose masks were shown as A and as B.
    answer : {"A", "equal", "B", "skipped"}
        Skipped is a pair that could not be shown.
    preferred : str
        The source preferred; empty where none was.
    rater : str
    seconds : float
        For which the pair was in view, all times together.
    time : str
        Of the answer, with the time zone (ISO 8601).
    blind : bool
        Whether it was given before the rater saw a summary.
    earlier : str
        Answers taken back, in their order, with blanks between.
    note : str
        Why it was skipped, or a doubt about the masks' positions.
    pairs_key : str
        That of the table of pairs.
    """

    order: int
    of: int
    scan: str
    patient: str
    a_source: str
    b_source: str
    answer: str
    preferred: str
    rater: str
    seconds: float
    time: str
    blind: bool
    earlier: str
    note: str
    pairs_key: str

    @property
    def is_given(self) -> bool:
        """Whether the rater answered."""
        return self.answer != SKIPPED


def as_text(answers: Iterable[Answer]) -> str:
    """The table as CSV."""
    return csv_text(asdict(a) | {"blind": "yes" if a.blind else "no"} for a in answers)


def write_safely(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and onto the disk itself; raises WriteError."""
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # a crash may be that of the whole machine


def read_answers(path: str | Path) -> list[Answer]:
    """Read the answers of one or several raters.

    Raises
    ------
    FileFormatError
        When it is another table, or a row is not an answer.
    """
    columns, rows = read_rows(path)
    missing = [field.name for field in fields(Answer) if field.name not in columns]
    if missing:
        raise FileFormatError(
            f"{path}: not the answers of a rating, as the column {missing[0]} is missing; give a "
            "file that the dock Rate wrote"
        )
    return [_answer(row.cells, f"{path}: line {row.line}") for row in rows]


def _answer(row: dict[str, str], where: str) -> Answer:
    said = {field.name: _unquoted(row[field.name]) for field in fields(Answer)}
    try:
        numbers = {
            "order": int(said["order"]),
            "of": int(said["of"]),
            "seconds": float(said["seconds"]),
            "blind": {"yes": True, "no": False}[said["blind"].lower()],
        }
    except (ValueError, KeyError) as error:
        raise FileFormatError(f"{where}: {error} in order, of, seconds or blind") from error
    answer = Answer(**said | numbers)
    expected = {A: answer.a_source, B: answer.b_source, EQUAL: "", SKIPPED: ""}
    if expected.get(answer.answer) != answer.preferred:
        raise FileFormatError(
            f"{where}: answer {answer.answer!r} and preferred {answer.preferred!r} do not fit; "
            "it was edited by hand"
        )
    return answer


def _unquoted(cell: str) -> str:
    """A cell without the sign by which `csv_text` keeps it from being a formula."""
    return cell[1:] if cell.startswith(("'=", "'+", "'-", "'@")) else cell
