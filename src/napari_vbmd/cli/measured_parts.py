"""``measure`` beyond one number: compartments, labels one by one, head and shaft."""

from typing import Any

from ..errors import ParameterError
from ..io.files import read_mask
from ..measurement.compartments import Compartments, measure_compartments
from ..measurement.part_tables import Bone
from ..measurement.parts import measure_labels, measure_regions
from ..measurement.tables import COMPARTMENTS, DENSITIES
from ..scan import Mask, Scan
from .console import aligned


def measure(scan: Scan, mask: Mask, arguments, progress) -> list[Bone]:
    """Measure what was asked for: one entry a label, or one in all; none when nothing was.

    Raises
    ------
    ParameterError
        When options contradict each other; else as the measurements.
    """
    if arguments.trabecular and not arguments.compartments:
        raise ParameterError("--trabecular says how to split: give --compartments, too")
    if arguments.per_label and arguments.label is not None:
        raise ParameterError("--per-label measures every label, --label one: give one of the two")
    if not _asked(arguments):
        return []
    trabecular = read_mask(arguments.trabecular) if arguments.trabecular else None
    wholes = {arguments.label: None}
    if arguments.per_label:
        wholes = measure_labels(scan, mask, progress)
    bones = []
    for label, whole in wholes.items():
        compartments = regions = None
        if arguments.compartments:
            compartments = measure_compartments(scan, mask, label, trabecular, progress=progress)
        if arguments.regions is not None:
            regions = measure_regions(scan, mask, label, arguments.regions, arguments.tip, progress)
        bones.append(Bone(label, whole, compartments, regions))
    return bones


def content(bones: list[Bone], arguments) -> dict[str, Any]:
    """What is added to ``measure --json``."""
    found = [
        (bone.measurement.to_dict() if bone.measurement else {})
        | ({"compartments": bone.compartments.to_dict()} if bone.compartments else {})
        | ({"regions": [one.to_dict() for one in bone.regions]} if bone.regions else {})
        for bone in bones
    ]
    if arguments.per_label:
        return {"labels": found}
    return found[0] if found else {}


def texts(bones: list[Bone]) -> list[str]:
    """The same for people: a table for each bone and part."""
    found = []
    for bone in bones:
        of = f", label {bone.label}" if bone.label is not None else ""
        if bone.measurement:
            found.append(_table(f"label {bone.label}", DENSITIES, bone.measurement))
        if bone.compartments:
            found.append(_compartments(f"compartments{of}", bone.compartments))
        for region in bone.regions or ():
            head = f"{region.name}{of}, {region.from_mm:.2f} to {region.to_mm:.2f} mm from the tip"
            found.append(
                _table(head, DENSITIES, region.measurement)
                if region.measurement
                else f"{head}\nmissing: {region.missing}"
            )
    return found


def _asked(arguments) -> bool:
    return arguments.compartments or arguments.per_label or arguments.regions is not None


def _compartments(head: str, of: Compartments) -> str:
    lines = [_table(head, COMPARTMENTS, of), f"split: {of.method}"]
    sentences = dict.fromkeys(of.missing.values())
    lines += [f"missing: {sentence}" for sentence in sentences]
    lines += [f"warning: {text}" for text in of.warnings]
    return "\n".join(lines)


def _table(head: str, quantities, of) -> str:
    cells = [(q.name, q.text(getattr(of, q.key)), q.unit) for q in quantities]
    return aligned([(head, "", ""), *cells], right=(1,))
