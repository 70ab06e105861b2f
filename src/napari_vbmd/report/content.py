"""What the patient report says, as plain texts, for the page (HTML) and the sheet (PDF) alike.

No patient's name is among them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..measurement.comparison import Comparison
from ..measurement.published import DISTRIBUTION, SECONDS
from ..measurement.tables import overlap_rows, rows_for_people
from ..scan import Scan

NOT_FOR_CLINICAL_USE = "Research software, not for clinical use."
SYNTHETIC = "Synthetic scan: a phantom drawn by formulas, not a person."
_SIGNS = {"cm3": "cm³", "mm3": "mm³", "mm2": "mm²"}
# What a parameter's name says of its unit, and how that is shown
_UNITS = {"_mg_cm3": " mg HA/cm3", "_mm": " mm", "_zyx": " (z, y, x)"}
_ALWAYS_ONE = ("Specificity", "Accuracy")  # to three decimals: most of a scan is far from the bone
_CONSTANTS = (
    ("mu_scaling", "mu_scaling {:g}"),
    ("mu_water_per_cm", "mu_water {:g} 1/cm"),
    ("density_slope", "slope {:.9g}"),
    ("density_intercept", "intercept {:.9g} mg HA/cm3"),
)


class Headline(NamedTuple):
    """One number that is read first: its label, itself, what follows it, and a line below."""

    label: str
    value: str
    spread: str
    unit: str
    below: str


class Table(NamedTuple):
    """Heads of the columns of numbers, and rows of name, numbers and unit."""

    heads: tuple[str, ...]
    rows: list[tuple[str, tuple[str, ...], str]]


def made(record: Mapping[str, Any]) -> str:
    """Who made the report, and when the run was."""
    if not record:
        return "napari-vbmd"
    date = record["date_utc"].replace("T", " ").replace("+00:00", " UTC")
    return f"napari-vbmd {record['software']['napari-vbmd']}, {date}"


def warnings(comparison: Comparison) -> list[str]:
    """What a reader must know before using the numbers."""
    return [signs(text) for text in comparison.measurement.warnings]


def notes(comparison: Comparison) -> list[str]:
    """Where the numbers are unlike the published."""
    return [f"Note: {signs(text)}." for text in comparison.measurement.notes]


def headlines(comparison: Comparison) -> list[Headline]:
    """The density with its calibration; the expert's and the overlap where there is one."""
    ours, expert = comparison.measurement, comparison.expert
    sd = ours.tt_vbmd_sd_mg_cm3
    first = Headline(
        "Tt.vBMD ± SD of the voxels",
        f"{ours.tt_vbmd_mg_cm3:.1f}",
        f"± {sd:.1f}" if sd is not None else "",
        "mg HA/cm³",
        _calibration(ours.calibration),
    )
    if expert is None:
        return [first]
    theirs, difference = expert.tt_vbmd_mg_cm3, comparison.difference_mg_cm3
    share = f" ({100 * difference / theirs:+.1f} %)" if theirs > 0 else ""
    beside = minus(f"mask minus expert {difference:+.1f} mg HA/cm³{share}")
    overlap = comparison.overlap
    return [
        first,
        Headline("Expert's mask", f"{theirs:.1f}", "", "mg HA/cm³", beside),
        Headline("Dice", f"{overlap.dice:.3f}", "", "", f"HD95 {overlap.hd95_mm:.2f} mm"),
    ]


def numbers(comparison: Comparison) -> Table:
    """Densities and sizes of the mask, beside the expert's and the difference."""
    compared = comparison.expert is not None
    rows = [
        (name, tuple(minus(cell) for cell in cells[: 3 if compared else 1]), signs(unit))
        for name, *cells, unit in rows_for_people(comparison)
    ]
    return Table(("Mask", "Expert", "Difference") if compared else ("Mask",), rows)


def overlap(comparison: Comparison) -> Table | None:
    """How the masks agree in space; None without an expert's.

    Without specificity and accuracy, which stand in measurement.json.
    """
    if comparison.overlap is None:
        return None
    rows = [
        (name, (minus(number),), signs(unit))
        for name, number, unit in overlap_rows(comparison)
        if name not in _ALWAYS_ONE
    ]
    return Table(("Overlap",), rows)


def facts(scan: Scan, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the numbers rest on, as terms and texts.

    Parameters
    ----------
    scan : Scan
    record : mapping
        Of `provenance.run_record`, or of `mask_record`; empty where neither is known.
    """
    found = [("Scan", f"{scan.format} {scan.describe()}".strip())]
    found += _file("Input", record.get("scan"))
    found += [("Side of the hand", _side(scan, record)), ("Motion", _motion(record))]
    if "mask" in record:
        found += _mask(record)
    elif record:
        found += _made_how(scan, record)
    return [(term, signs(text)) for term, text in [*found, ("Published", DISTRIBUTION)]]


def signs(text: str) -> str:
    """Raised figures in units: mm³ for mm3."""
    for plain, sign in _SIGNS.items():
        text = text.replace(f" {plain}", f" {sign}").replace(f"/{plain}", f"/{sign}")
    return sign if (sign := _SIGNS.get(text)) else text


def minus(number: str) -> str:
    """A minus sign for the hyphen; a dash alone stays."""
    return number.replace("-", "−") if len(number) > 1 else number


def _calibration(used: Mapping[str, Any]) -> str:
    known = [minus(text.format(used[key])) for key, text in _CONSTANTS if used.get(key) is not None]
    return signs(f"Calibration: {', '.join(known)} ({used.get('source') or 'source not known'})")


def _file(term: str, described: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Size and hash of a file; nothing for what did not come from one."""
    if not described or not described.get("sha256"):
        return []
    return [(term, f"{described['bytes']:,} bytes, SHA-256 {described['sha256']}")]


def _mask(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Which mask it is, where it was not made in this run, and the expert's."""
    log = ", ".join(f"{name} {value}" for name, value in record["mask"]["log"].items())
    versions = ", ".join(f"{name} {number}" for name, number in record["software"].items())
    return [
        ("Mask", record["mask"]["name"]),
        *_file("Mask's file", record["mask"]),
        *_mask_log(record["mask"], log),
        *([("Expert's mask", record["expert"]["name"])] if record["expert"] else []),
        *_file("Expert's file", record["expert"]),
        ("Software", versions),
    ]


def _mask_log(described: Mapping[str, Any], log: str) -> list[tuple[str, str]]:
    """How a mask says it was made; a layer of the viewer is not asked, only a file."""
    if not described.get("sha256"):
        return []
    return [("Mask's log", log or "does not say how it was made")]


def _side(scan: Scan, record: Mapping[str, Any]) -> str:
    """The side that the network was told, or what the scan says."""
    side = record.get("side") or scan.side
    return side if side in ("left", "right") else f"not known ({scan.side_reason})"


def _motion(record: Mapping[str, Any]) -> str:
    grade = record.get("motion_grade")
    return f"grade {grade} of 1 (none) to 5 (severe)" if grade else "not graded"


def _made_how(scan: Scan, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    slices, seconds = record["slices"], record["seconds"]
    last = scan.grid.shape[0] - 1
    searched = f"{slices['first']} to {slices['last']}" if slices else f"whole scan, 0 to {last}"
    stages = ", ".join(f"{stage} {s:.1f}" for stage, s in seconds.items())
    versions = ", ".join(f"{name} {number}" for name, number in record["software"].items())
    return [
        ("Slices searched", searched),
        ("Method", f"{record['method']}: {_listed(record['parameters'])}"),
        *_network(record),
        ("Post-processing", _listed(record["post_processing"])),
        ("Seconds", f"{stages}; {sum(seconds.values()):.1f} until this page ({SECONDS})"),
        ("Computer", _computer(record)),
        ("Software", versions),
    ]


def _network(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The weights and what they were trained on, where a network was used."""
    weights = record.get("weights")
    if not weights:
        return []
    trained = weights["trained_on"] or "what the file does not say"
    held_out = weights["held_out_dice"]
    dice = f"; Dice {held_out:.3f} on phantoms held out" if held_out else ""
    return [
        ("Weights", f"{weights['file']}, SHA-256 {weights['sha256']}"),
        ("Trained on", f"{trained}{dice}"),
    ]


def _computer(record: Mapping[str, Any]) -> str:
    machine, peak = record["machine"], record["peak_memory_bytes"]
    held = f", {peak / 1e9:.1f} GB at the peak" if peak else ""
    return f"{machine['cores']} cores, {machine['platform']}, device {record['device']}{held}"


def _listed(values: Mapping[str, Any]) -> str:
    """Parameters as a line: ``threshold 220 mg HA/cm3, keep largest yes``."""
    return ", ".join(_term(key, value) for key, value in values.items()) or "none"


def _term(key: str, value: Any) -> str:
    name, unit = next(
        ((key.removesuffix(end), unit) for end, unit in _UNITS.items() if key.endswith(end)),
        (key, ""),
    )
    return f"{name.replace('_', ' ')} {_plain(value)}{unit if value is not None else ''}"


def _plain(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
