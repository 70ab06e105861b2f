"""The parts of a mask as the rows of a table: labels, head and shaft, compartments."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .comparison import Comparison
from .compartments import Compartments
from .densitometry import Measurement
from .parts import Region
from .tables import COMPARTMENTS, overlap_cells, row


class Bone(NamedTuple):
    """What was measured of one bone; None is what was not.

    ``label`` is None for all labels of a mask together, and ``measurement`` where that of the whole
    mask says the same.
    """

    label: int | None
    measurement: Measurement | None = None
    compartments: Compartments | None = None
    regions: list[Region] | None = None


def part_rows(
    names: dict[str, Any], comparison: Comparison, bones: Sequence[Bone], label: int | None = None
) -> list[dict[str, Any]]:
    """The whole mask, then its labels and their regions; all rows have the same columns.

    Parameters
    ----------
    names : dict
        Cells that stand first in every row, such as the names of scan and mask.
    comparison : Comparison
        Of the whole mask, or of its ``label``.
    bones : sequence of Bone
        The compartments of one without a measurement stand in the row of the whole mask.
    """
    whole = names | row(comparison)
    if not bones:
        return [whole]
    found = [{**whole, "label": label, "region": None}]
    for bone in bones:
        if bone.measurement:
            of_label = row(Comparison(bone.measurement))
            found.append({**names, **of_label, "label": bone.label, "region": None})
        if bone.measurement and bone.label in comparison.per_label:
            found[-1] |= overlap_cells(comparison.per_label[bone.label])
        if bone.compartments:
            found[-1] |= compartment_cells(bone.compartments)
        for region in bone.regions or ():
            cells = row(Comparison(region.measurement)) if region.measurement else {}
            place = {"label": bone.label, "region": region.name, "missing": region.missing or None}
            found.append({**names, **cells, **place})
    columns = dict.fromkeys(name for one in found for name in one)
    return [{name: one.get(name) for name in columns} for one in found]


def compartment_cells(of: Compartments) -> dict[str, Any]:
    """The compartments of one bone as cells of a row, with the sentences on what is missing."""
    why = "; ".join(f"{name}: {sentence}" for name, sentence in of.missing.items())
    numbers = {quantity.key: getattr(of, quantity.key) for quantity in COMPARTMENTS}
    return numbers | {"compartments_method": of.method, "missing": why or None}
