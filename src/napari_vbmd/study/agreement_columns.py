"""Which columns of a table are compared: those named, and those that follow from their names."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ParameterError
from .result_table import EXPERT, ResultTable, unit_of

PATIENT = "patient"
OURS = "tt_vbmd_mg_cm3"


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are compared.

    Attributes
    ----------
    ours : str
    reference : str or None
        None: only the precision error of ours is asked for.
    patient : str or None
        Who each row is of.
    repeat : str or None
        Which of the patient's measurements it is.
    """

    ours: str
    reference: str | None = None
    patient: str | None = None
    repeat: str | None = None


def choose_columns(
    table: ResultTable,
    ours: str | None = None,
    reference: str | None = None,
    patient: str | None = None,
    repeat: str | None = None,
) -> list[Columns]:
    """The columns that were named, and those that follow from the table.

    Without ``ours``: every column that ends in a unit and has one called ``expert_...`` beside it.
    Without ``reference``: ``expert_`` and ours. Without ``patient``: a column of that name.

    Raises
    ------
    ParameterError
        When a column is not there, or nothing can be compared.
    """
    if patient is None and PATIENT in table.columns:
        patient = PATIENT
    for column in (ours, reference, patient, repeat):
        if column is not None:
            table.require(column)
    if ours is None and reference is not None:
        ours = reference.removeprefix(EXPERT) if reference.startswith(EXPERT) else OURS
        table.require(ours)
    if ours is None:
        pairs = default_pairs(table)
        if not pairs and repeat is not None and OURS in table.columns:
            pairs = [(OURS, None)]
    else:
        beside = EXPERT + ours
        pairs = [(ours, reference or (beside if beside in table.columns else None))]
    if not pairs:
        raise ParameterError(
            f"{table.path}: no columns “{OURS}” and “{EXPERT}{OURS}”; name the two to compare"
        )
    if pairs[0][1] is None and repeat is None:
        raise ParameterError(
            f"{table.path}: no column “{EXPERT}{ours}” beside “{ours}”; name the reference's"
        )
    return [Columns(*pair, patient, repeat) for pair in pairs]


def likely_pair(table: ResultTable, numeric: Sequence[str]) -> tuple[str | None, str | None]:
    """What to offer first of the columns of numbers: ours, and a reference where it is clear."""
    pairs = [pair for pair in default_pairs(table) if set(pair) <= set(numeric)]
    if pairs:
        return pairs[0]
    ours = min(numeric, key=lambda column: (column != OURS, not unit_of(column)), default=None)
    others = [column for column in numeric if column != ours]
    clear = len(others) == 1 and unit_of(others[0]) == unit_of(ours)
    return ours, others[0] if clear else None


def default_pairs(table: ResultTable) -> list[tuple[str, str]]:
    """Columns with a unit that have the expert's beside them, Tt.vBMD first."""
    found = [
        (column, EXPERT + column)
        for column in table.columns
        if unit_of(column) and EXPERT + column in table.columns
    ]
    return sorted(found, key=lambda pair: pair[0] != OURS)
