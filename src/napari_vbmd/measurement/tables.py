"""A comparison as tables: for people, and as CSV with the unit in every column's name."""

import csv
import io
from collections.abc import Iterable
from typing import Any, NamedTuple

from .comparison import Comparison
from .overlap import Overlap


class Quantity(NamedTuple):
    """How one number is shown: its key in `Comparison.to_dict`, name, unit and decimals."""

    key: str
    name: str
    unit: str
    decimals: int

    def text(self, value: float | None) -> str:
        """The number without its unit; a dash where there is none."""
        return "-" if value is None else f"{value:.{self.decimals}f}"


DENSITIES = (
    Quantity("tt_vbmd_mg_cm3", "Tt.vBMD", "mg HA/cm3", 1),
    Quantity("tt_vbmd_sd_mg_cm3", "SD of the voxels", "mg HA/cm3", 1),
    Quantity("bmc_mg", "BMC", "mg HA", 1),
    Quantity("volume_mm3", "Volume", "mm3", 1),
    Quantity("mean_slice_area_mm2", "Mean slice area (Tt.Ar)", "mm2", 2),
    Quantity("voxels", "Voxels", "", 0),
)
OVERLAPS = (
    Quantity("dice", "Dice", "", 3),
    Quantity("iou", "IoU", "", 3),
    Quantity("hd95_mm", "HD95", "mm", 2),
    Quantity("assd_mm", "ASSD", "mm", 2),
    Quantity("sensitivity", "Sensitivity", "", 3),
    Quantity("precision", "Precision", "", 3),
    Quantity("specificity", "Specificity", "", 3),
    Quantity("accuracy", "Accuracy", "", 3),
    Quantity("dice_per_slice_mean", "Dice, mean over slices", "", 3),
    Quantity("iou_per_slice_mean", "IoU, mean over slices", "", 3),
)
BESIDE_OVERLAP = (  # of a comparison: differences, and what the network's probability is worth
    Quantity("volume_difference_mm3", "Volume difference", "mm3", 1),
    Quantity("volume_difference_percent", "Volume difference", "%", 1),
    Quantity("auc", "AUC", "", 4),
    Quantity("average_precision", "Average precision", "", 4),
)
COMPARTMENTS = (
    Quantity("tb_vbmd_mg_cm3", "Tb.vBMD", "mg HA/cm3", 1),
    Quantity("ct_vbmd_mg_cm3", "Ct.vBMD", "mg HA/cm3", 1),
    Quantity("tb_area_mm2", "Tb.Ar", "mm2", 2),
    Quantity("ct_area_mm2", "Ct.Ar", "mm2", 2),
    Quantity("ct_th_mm", "Ct.Th", "mm", 2),
    Quantity("ct_po_percent", "Ct.Po", "%", 1),
    Quantity("tb_bvtv", "Tb.BV/TV", "", 3),
)
_CONSTANTS = ("mu_scaling", "mu_water_per_cm", "density_slope", "density_intercept")


def rows_for_people(comparison: Comparison) -> list[tuple[str, str, str, str, str]]:
    """Name, mask, expert, difference (mask minus expert) and unit, as text; "" without expert."""
    ours, expert = comparison.measurement, comparison.expert
    rows = []
    for quantity in DENSITIES:
        value = getattr(ours, quantity.key)
        other = getattr(expert, quantity.key) if expert else None
        known = value is not None and other is not None
        difference = f"{value - other:+.{quantity.decimals}f}" if known else ""
        shown = quantity.text(other) if expert else ""
        rows.append((quantity.name, quantity.text(value), shown, difference, quantity.unit))
    if expert is not None and comparison.difference_common_slices_mg_cm3 is not None:
        difference = f"{comparison.difference_common_slices_mg_cm3:+.1f}"
        rows.append(("Tt.vBMD over common slices", "", "", difference, "mg HA/cm3"))
    slices = [f"{m.slices['first']} to {m.slices['last']}" for m in (ours, expert) if m]
    return [*rows, ("Slices with mask", *[*slices, ""][:2], "", "")]


def overlap_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Name, number and unit of all that compares the masks in space; what is not known is left out.

    The volume difference in mm3 is not among them: it stands beside the volumes.
    """
    found = [(q, getattr(comparison.overlap, q.key)) for q in OVERLAPS]
    found += [(q, getattr(comparison, q.key)) for q in BESIDE_OVERLAP[1:]]
    return [(q.name, q.text(value), q.unit) for q, value in found if value is not None]


def overlap_cells(overlap: Overlap) -> dict[str, Any]:
    """The overlap of one mask, or of one label, as cells of a row."""
    return {quantity.key: getattr(overlap, quantity.key) for quantity in OVERLAPS}


def row(comparison: Comparison) -> dict[str, Any]:
    """One flat row: the numbers, the overlap when there is one, and the constants used."""
    content = comparison.to_dict()
    flat = {quantity.key: content[quantity.key] for quantity in DENSITIES}
    flat |= {f"{key}_slice": content["slices"][key] for key in ("first", "last")}
    flat["slice_count"] = content["slices"]["count"]
    if comparison.expert is not None:
        keys = ("expert_tt_vbmd", "difference", "difference_common_slices")
        flat |= {f"{key}_mg_cm3": content[f"{key}_mg_cm3"] for key in keys}
        flat["expert_mean_slice_area_mm2"] = comparison.expert.mean_slice_area_mm2
        flat |= overlap_cells(comparison.overlap)
        flat |= {quantity.key: getattr(comparison, quantity.key) for quantity in BESIDE_OVERLAP}
    flat["unit_stored"] = content["calibration"].get("unit")
    return flat | {key: content["calibration"].get(key) for key in _CONSTANTS}


def slice_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """One row for each slice with mask or expert's mask, in order; empty cells where one lacks."""
    ours = {entry["slice"]: entry for entry in comparison.measurement.per_slice}
    if comparison.expert is None:
        return list(ours.values())
    theirs = {entry["slice"]: entry for entry in comparison.expert.per_slice}
    overlaps = {entry["slice"]: entry for entry in comparison.overlap.per_slice}
    keys = [key for key in next(iter(ours.values())) if key != "slice"]
    return [
        {"slice": z}
        | {key: ours.get(z, {}).get(key) for key in keys}
        | {f"expert_{key}": theirs.get(z, {}).get(key) for key in keys}
        | {key: overlaps.get(z, {}).get(key) for key in ("dice", "iou")}
        for z in sorted(ours.keys() | theirs.keys())
    ]


def csv_text(rows: Iterable[dict[str, Any]], delimiter: str = ",") -> str:
    """CSV with a header line; None becomes an empty cell. The rows share the first one's keys."""
    rows = list(rows)
    buffer = io.StringIO()
    writer = csv.DictWriter(
        buffer, fieldnames=list(rows[0]), lineterminator="\n", delimiter=delimiter
    )
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is kept as text."""
    dangerous = isinstance(value, str) and value.startswith(("=", "+", "-", "@"))
    return f"'{value}" if dangerous else value
