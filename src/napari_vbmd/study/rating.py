"""A blinded rating: pairs in an order and in colours drawn by lot, and the answers on disk.

Folle et al. 2021 (Sci Rep 11:9697) had an expert choose between the network's mask and the manual
one in shuffled colours. The lot is drawn from the table of pairs and the rater's name alone: the
same two always give the same order, so that a rating goes on where it was left.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..errors import ParameterError, WriteError
from ..provenance import as_json
from . import answers as table
from .answers import EQUAL, SKIPPED, A, Answer, B
from .pair_table import Pair, PairTable, read_pairs
from .summary import Summary, summarise

CHOICES = (A, EQUAL, B)
_RATER = re.compile(r"\w[\w .-]*")  # a part of a file's name, too


@dataclass(frozen=True)
class Showing:
    """A pair as it is shown.

    Attributes
    ----------
    order : int
        From 1.
    pair : Pair
    first_is_a : bool
        Whether ``mask_1`` is A.
    """

    order: int
    pair: Pair
    first_is_a: bool

    @property
    def paths(self) -> tuple[Path, Path]:
        """The masks A and B."""
        masks = self.pair.mask_1, self.pair.mask_2
        return masks if self.first_is_a else masks[::-1]

    @property
    def sources(self) -> tuple[str, str]:
        """Whose masks A and B are."""
        names = self.pair.name_1, self.pair.name_2
        return names if self.first_is_a else names[::-1]


def shuffled(pairs: PairTable, rater: str) -> list[Showing]:
    """The pairs in the rater's order; either source is A equally often, but for one pair.

    The lot is a SHA-256 and not a random generator, which may change with a library's version.
    """
    count = len(pairs.rows)
    order = _drawn(count, f"{pairs.key} {rater} order")
    turns = _drawn(count + count % 2, f"{pairs.key} {rater} colours")[:count]
    showings = []
    for number, (index, turn) in enumerate(zip(order, turns, strict=True), 1):
        pair = pairs.rows[index]
        source = pairs.sources[turn % 2]
        showings.append(Showing(number, pair, pair.name_1 == source))
    return showings


class Rating:
    """A rater's way through the pairs. Every answer is on disk before the next pair is shown.

    An answer may be given again: the table keeps one row a pair, with the answers taken back in
    ``earlier``. Pairs that were skipped are tried again the next time.

    Parameters
    ----------
    pairs : PairTable
    rater : str

    Raises
    ------
    ParameterError
        When the rater's name cannot be a part of a file's name, or the answers that are there
        belong to other pairs.
    """

    def __init__(self, pairs: PairTable, rater: str):
        rater = " ".join(rater.split())
        if not _RATER.fullmatch(rater):
            raise ParameterError(
                f"rater {rater!r}: give a name or initials of letters, digits, blanks, dots and -"
            )
        self.rater, self.pairs = rater, pairs
        self.showings = shuffled(pairs, rater)
        stem = f"{pairs.path.stem}_answers_{rater.replace(' ', '_')}"
        self.path = pairs.path.with_name(f"{stem}.csv")
        self.summary_path = pairs.path.with_name(f"{stem}_summary.json")
        self._skipped: set[int] = set()  # since the rating was begun or taken up again
        self._answers: dict[int, Answer] = {}
        self._on_disk = b""
        if self.path.exists():
            self._take_up()

    @classmethod
    def of(cls, path: str | Path, rater: str) -> "Rating":
        """Begin to rate a table of pairs, or go on; raises as `read_pairs` does, too."""
        return cls(read_pairs(path), rater)

    @property
    def answered(self) -> int:
        """How many pairs have an answer."""
        return sum(answer.is_given for answer in self._answers.values())

    @property
    def is_blind(self) -> bool:
        """Whether the rater has not seen a summary yet."""
        return not self.summary_path.exists()

    def answer(self, order: int) -> str:
        """What was said of a pair; empty where nothing was."""
        known = self._answers.get(order)
        return known.answer if known and known.is_given else ""

    def next(self, but: int = 0) -> Showing | None:
        """The first pair that waits for its answer, other than one; None at the end."""
        for showing in self.showings:
            order = showing.order
            if order != but and order not in self._skipped and not self.answer(order):
                return showing
        return None

    def before(self, order: int | None) -> Showing | None:
        """The last pair with an answer before this one, or before the end."""
        earlier = self.showings[: None if order is None else order - 1]
        return next((one for one in reversed(earlier) if self.answer(one.order)), None)

    def give(self, order: int, answer: str, seconds: float, note: str = "") -> None:
        """Write an answer down, in the place of an earlier one if there is one.

        Raises
        ------
        ParameterError
            When the answer is none of `CHOICES`, or another program changed the table.
        WriteError
            When it cannot be written; then the rating is as it was.
        """
        if answer not in CHOICES:
            raise ParameterError(f"answer {answer!r}: not one of {', '.join(CHOICES)}")
        self._write(self._row(order, answer, seconds, note))

    def skip(self, order: int, reason: str) -> None:
        """Write down that a pair could not be shown, and why; raises as `give`."""
        if not self.answer(order):  # what was answered once stays answered
            self._write(self._row(order, SKIPPED, 0.0, reason))
        self._skipped.add(order)

    def summary(self) -> Summary:
        """Of the answers up to now, for the rater to see: later answers count as not blind.

        Raises
        ------
        WriteError
            When it cannot be written beside the answers.
        """
        found = summarise(list(self._answers.values()))
        table.write_safely(self.summary_path, as_json(found.to_dict()).encode())
        return found

    def _row(self, order: int, answer: str, seconds: float, note: str) -> Answer:
        showing = self.showings[order - 1]
        a, b = showing.sources
        row = Answer(
            order,
            len(self.showings),
            showing.pair.said,
            showing.pair.patient,
            a,
            b,
            answer,
            {A: a, B: b}.get(answer, ""),
            self.rater,
            round(seconds, 1),
            datetime.now().astimezone().isoformat(timespec="seconds"),
            self.is_blind,
            "",
            " ".join(note.split()),
            self.pairs.key,
        )
        known = self._answers.get(order)
        if known is None or not known.is_given:
            return row
        taken_back = f"{known.earlier} {known.answer}" if known.answer != answer else known.earlier
        total = round(known.seconds + seconds, 1)
        return replace(row, seconds=total, earlier=taken_back.strip())

    def _write(self, row: Answer) -> None:
        if self.path.exists() and self._read() != self._on_disk:
            raise ParameterError(
                f"{self.path}: another program changed it meanwhile; start the rating again to go "
                "on from what it holds"
            )
        answers = self._answers | {row.order: row}
        content = table.as_text(answers[order] for order in sorted(answers)).encode()
        table.write_safely(self.path, content)
        self._answers, self._on_disk = answers, content

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise WriteError(f"{self.path}: cannot be read: {error.strerror or error}") from error

    def _take_up(self) -> None:
        """Read the answers that are there, which must be to these pairs in this order."""
        self._on_disk = self._read()
        for known in table.read_answers(self.path):
            if known.pairs_key != self.pairs.key:
                raise ParameterError(
                    f"{self.pairs.path}: changed since {self.path.name} was begun; put the old "
                    "table back, or rate the new one under another rater's name"
                )
            if known.rater != self.rater:
                raise ParameterError(
                    f"{self.path}: holds the answers of {known.rater}; give another rater's name"
                )
            self._answers[known.order] = self._checked(known)

    def _checked(self, known: Answer) -> Answer:
        if 1 <= known.order <= len(self.showings) and known.order not in self._answers:
            showing = self.showings[known.order - 1]
            if (known.scan, known.a_source, known.b_source) == (
                showing.pair.said,
                *showing.sources,
            ):
                return known
        raise ParameterError(
            f"{self.path}: pair {known.order} is not the one that was shown; it was edited by hand"
        )


def _drawn(count: int, lot: str) -> Sequence[int]:
    """Numbers below ``count``, in an order that the lot alone decides."""
    return sorted(range(count), key=lambda i: hashlib.sha256(f"{lot} {i}".encode()).digest())
