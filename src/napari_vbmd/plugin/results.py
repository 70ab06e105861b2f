"""A comparison as a table: for the screen, the clipboard and a file."""

from collections.abc import Sequence

from ..calibration import UNIT_NAMES
from ..measurement import tables
from ..measurement.comparison import Comparison
from ..measurement.compartments import Compartments
from ..measurement.disagreement import MINE, Disagreement, SliceAgreement
from ..measurement.part_tables import Bone, part_rows

Row = tuple[str, str, str]


def rows(comparison: Comparison) -> list[Row]:
    """Name, value and unit of every number, as people read them."""
    m = comparison.measurement
    first, last, count = m.slices["first"], m.slices["last"], m.slices["count"]
    table = [
        ("Tt.vBMD", f"{m.tt_vbmd_mg_cm3:.1f}", "mg HA/cm³"),
        ("SD of voxels", _number(m.tt_vbmd_sd_mg_cm3, 1), "mg HA/cm³"),
        ("Volume", f"{m.volume_mm3:.2f}", "mm³"),
        ("BMC", f"{m.bmc_mg:.2f}", "mg HA"),
        ("Tt.Ar, mean", f"{m.mean_slice_area_mm2:.2f}", "mm²"),
        ("Slices", f"{first}–{last}", f"{count} with mask"),
        ("Voxels", f"{m.voxels:,}", ""),
    ]
    if comparison.overlap is None:
        return table
    o = comparison.overlap
    return [
        *table,
        ("Expert Tt.vBMD", f"{comparison.expert.tt_vbmd_mg_cm3:.1f}", "mg HA/cm³"),
        ("Difference", f"{comparison.difference_mg_cm3:+.1f}", "mg HA/cm³"),
        (
            "on common slices",
            _number(comparison.difference_common_slices_mg_cm3, 1, "+"),
            "mg HA/cm³",
        ),
        ("Dice", f"{o.dice:.3f}", ""),
        ("IoU", f"{o.iou:.3f}", ""),
        ("Dice, mean per slice", f"{o.dice_per_slice_mean:.3f}", ""),
        ("Accuracy", f"{o.accuracy:.3f}", ""),
        ("Sensitivity", _number(o.sensitivity, 3), ""),
        ("Specificity", _number(o.specificity, 3), ""),
        ("Precision", _number(o.precision, 3), ""),
        ("HD95", _number(o.hd95_mm, 2), "mm"),
        ("ASSD", _number(o.assd_mm, 2), "mm"),
    ]


def compartment_rows(of: Compartments) -> list[Row]:
    """Name, value and unit of the numbers of both compartments."""
    return [
        (q.name, _number(getattr(of, q.key), q.decimals), _with_signs(q.unit))
        for q in tables.COMPARTMENTS
    ]


def missing_sentences(of: Compartments) -> list[str]:
    """Why numbers are missing, each reason once, after the names of those that it holds for."""
    names = {q.key: q.name for q in tables.COMPARTMENTS}
    reasons = dict.fromkeys(of.missing.values())
    found = []
    for reason in reasons:
        lacking = [names[key] for key, why in of.missing.items() if why == reason]
        found.append(f"{'All' if len(lacking) == len(names) else ', '.join(lacking)}: {reason}.")
    return [_with_signs(text) for text in found]


def as_text(
    comparison: Comparison, scan: str, mask: str, expert: str | None, bones: Sequence[Bone] = ()
) -> str:
    """The table with tabs, for a spreadsheet; below it a row for each part, if there are any."""
    head = [("Scan", scan, ""), ("Mask", mask, "")]
    if expert:
        head.append(("Expert", expert, ""))
    text = "\n".join("\t".join(row) for row in [*head, *rows(comparison)])
    if not bones:
        return text
    parts = part_rows({"scan": scan, "mask": mask}, comparison, bones)
    return "\n\n".join((text, tables.csv_text(parts, delimiter="\t")))


def as_csv(
    comparison: Comparison, scan: str, mask: str, expert: str | None, bones: Sequence[Bone] = ()
) -> str:
    """Lines for the whole mask and its parts (slice "all"), then one for each slice of the whole.

    Units stand in the names, which are those of ``napari-vbmd measure --csv``.
    """
    names = {"scan": scan, "mask": mask, "expert": expert}
    wholes = part_rows({**names, "slice": "all"}, comparison, bones)
    lines = [*wholes, *({**names, **row} for row in tables.slice_rows(comparison))]
    columns = list(dict.fromkeys(key for line in lines for key in line))
    return tables.csv_text({key: line.get(key) for key in columns} for line in lines)


def agreement(comparison: Comparison) -> str:
    """Overlap and difference as two lines of rich text; empty without an expert's mask."""
    if comparison.overlap is None:
        return ""
    return (
        f"<b>Dice {comparison.overlap.dice:.3f}</b> · IoU {comparison.overlap.iou:.3f}<br>"
        f"<b>{comparison.difference_mg_cm3:+.1f}</b> mg HA/cm³ against the expert's "
        f"{comparison.expert.tt_vbmd_mg_cm3:.1f}"
    )


def sentences(notes: list[str]) -> list[str]:
    """Notes as whole sentences with signs for their units."""
    return [_with_signs(f"{note[0].upper()}{note[1:]}.") for note in notes]


def slice_sentence(here: SliceAgreement, worst_first: list[int]) -> str:
    """How two masks agree in a slice, and its place among those that differ."""
    if here.dice is None:
        return f"Slice {here.slice}: empty in both"
    if here.slice not in worst_first:
        return f"Slice {here.slice}: Dice 1.000, no difference"
    place = worst_first.index(here.slice) + 1
    return (
        f"Slice {here.slice}: Dice {here.dice:.3f}, worst {place} of {len(worst_first)}\n"
        f"{here.only_mine_mm2:.2f} mm² only mine\n"
        f"{here.only_expert_mm2:.2f} mm² only the expert's"
    )


def walk_sentence(found: Disagreement, left: int) -> str:
    """What a review has still to show, and slices that need no look each."""
    lines = [f"{len(found.worst_first())} slices differ, {left} not seen yet"]
    for first, last, whose in found.ends():
        who = "only mine: Clip in the dock Correct" if whose == MINE else "only the expert's"
        lines.append(f"{first}–{last} {who}" if last > first else f"{first} {who}")
    return "\n".join(lines)


def calibration_line(calibration: dict) -> str:
    """The constants used and where they come from."""
    if calibration["unit"] == "density":
        return "The file stores mg HA/cm³."
    parts = []
    if calibration["unit"] == "native":
        parts.append(f"mu scaling {calibration['mu_scaling']:g}")
    if calibration["unit"] == "hu":
        parts.append(f"mu of water {calibration['mu_water_per_cm']:g} 1/cm")
    parts.append(f"slope {calibration['density_slope']:g}")
    parts.append(f"intercept {calibration['density_intercept']:g}")
    unit = UNIT_NAMES[calibration["unit"]]
    return f"From {unit}: {', '.join(parts)} ({calibration['source']})"


def _with_signs(text: str) -> str:
    return text.replace("cm3", "cm³").replace("mm2", "mm²")


def _number(value: float | None, digits: int, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.{digits}f}"
