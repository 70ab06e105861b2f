"""The report's table of bones: a row a label, with its overlap and compartments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..measurement.comparison import Comparison
from ..measurement.compartments import Compartments
from ..measurement.tables import COMPARTMENTS, DENSITIES, OVERLAPS, Quantity
from .content import minus, signs

MOST_BONES = 8  # rows of the table of bones; more would not fit one page beside all the rest
_OF_LABEL = [q for q in DENSITIES if q.key in ("tt_vbmd_mg_cm3", "volume_mm3")] + [
    Quantity("mean_slice_area_mm2", "Tt.Ar", "mm2", 2)
]
_OVERLAP_OF_LABEL = [q for q in OVERLAPS if q.key in ("dice", "hd95_mm")]


class BoneTable(NamedTuple):
    """Names and units of the columns, a row a bone, and sentences below."""

    heads: list[tuple[str, str]]
    rows: list[tuple[str, list[str]]]
    below: list[str]


def bone_table(
    comparison: Comparison, compartments: Mapping[int | None, Compartments]
) -> BoneTable | None:
    """What is known of each bone: its density, overlap and compartments; None where nothing is.

    Parameters
    ----------
    comparison : Comparison
        With `labels` where the mask holds several bones.
    compartments : mapping of int to Compartments
        By label; the one key None stands for all of the mask.
    """
    labels = list(comparison.labels) or list(compartments)
    columns = [
        *_columns(_OF_LABEL, comparison.labels),
        *_columns(_OVERLAP_OF_LABEL, comparison.per_label),
        *_columns(COMPARTMENTS, compartments),
    ]
    if not columns:
        return None
    rows = [
        ("Mask" if label is None else f"Label {label}", [cell(label) for _, _, cell in columns])
        for label in labels[:MOST_BONES]
    ]
    below = _missing(compartments)
    if len(labels) > MOST_BONES:
        below.append(
            f"{len(labels) - MOST_BONES} more labels are not shown: measure --per-label has them."
        )
    return BoneTable([(name, signs(unit)) for name, unit, _ in columns], rows, below)


def _columns(quantities: Sequence[Quantity], found: Mapping[int | None, Any]) -> list[tuple]:
    """Name, unit and what gives the text of a label, of each quantity; none without anything."""

    def cell(quantity: Quantity) -> Callable[[int | None], str]:
        return lambda label: minus(quantity.text(getattr(found.get(label), quantity.key, None)))

    return [(q.name, q.unit, cell(q)) for q in quantities] if found else []


def _missing(compartments: Mapping[int | None, Compartments]) -> list[str]:
    """Why numbers of compartments are missing: each sentence once, with the numbers it is of."""
    names = {quantity.key: quantity.name for quantity in COMPARTMENTS}
    why: dict[str, list[str]] = {}
    for label, found in compartments.items():
        of = "" if label is None else f" of label {label}"
        for text in dict.fromkeys(found.missing.values()):
            lacking = [names[key] for key, said in found.missing.items() if said == text]
            several = "compartments" if len(lacking) == len(names) else ", ".join(lacking)
            why.setdefault(text, []).append(f"{several}{of}")
    return [f"Without {', '.join(of)}: {signs(text)}." for text, of in why.items()]
