"""The patient report: one HTML page that holds everything and prints on one sheet of A4.

Whatever comes from files is escaped; no patient's name is shown.
"""

import base64
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from ..measurement.comparison import Comparison
from ..measurement.tables import OVERLAPS, rows_for_people
from ..scan import Scan
from .style import CSS

NOT_FOR_CLINICAL_USE = "Research software, not for clinical use."
_SIGNS = {"cm3": "cm³", "mm3": "mm³", "mm2": "mm²"}
# What a parameter's name says of its unit, and how that is shown
_UNITS = {"_mg_cm3": " mg HA/cm3", "_mm": " mm", "_zyx": " (z, y, x)"}
_CONSTANTS = (
    ("mu_scaling", "mu_scaling {:g}"),
    ("mu_water_per_cm", "mu_water {:g} 1/cm"),
    ("density_slope", "slope {:.9g}"),
    ("density_intercept", "intercept {:.9g} mg HA/cm³"),
)


def report_html(
    scan: Scan,
    comparison: Comparison,
    overlay_png: bytes,
    profile_png: bytes,
    record: Mapping[str, Any] | None = None,
) -> str:
    """The report of one patient.

    Parameters
    ----------
    scan : Scan
        Its file name, geometry and side are shown; its header is not.
    comparison : Comparison
    overlay_png, profile_png : bytes
        Of `overlay_figure` and `profile_figure`.
    record : mapping, optional
        Of `provenance.run_record`; None for a mask that was not made here.

    Returns
    -------
    str
        A whole HTML document without links to anything outside it.
    """
    record = record or {}
    main = (
        _banner(scan),
        _warnings(comparison.measurement.warnings),
        _headline(comparison),
        _notes(comparison.measurement.notes),
        _picture(overlay_png, "Three slices through the mask with the outlines"),
        _picture(profile_png, "Density and area of every slice"),
        f'<div class="columns">{_numbers(comparison)}{_overlap(comparison)}</div>',
        _facts(_about(scan, record)),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Bone density: {escape(scan.name)}</title><style>{CSS}</style></head>\n<body>\n"
        f"<header><h1>Bone density</h1><p>{escape(scan.name)}</p>"
        f'<p class="right">{escape(_made(record))}</p></header>\n'
        + "\n".join(part for part in main if part)
        + f"\n<footer>{NOT_FOR_CLINICAL_USE}</footer>\n</body></html>\n"
    )


def _banner(scan: Scan) -> str:
    if not scan.is_synthetic:
        return ""
    return '<p class="banner">Synthetic scan: a phantom drawn by formulas, not a person.</p>'


def _warnings(warnings: Iterable[str]) -> str:
    items = "".join(f"<li>{_signs(escape(text))}</li>" for text in warnings)
    return f'<ul class="warnings">{items}</ul>' if items else ""


def _notes(notes: Iterable[str]) -> str:
    return "".join(f'<p class="note">Note: {_signs(escape(text))}.</p>' for text in notes)


def _headline(comparison: Comparison) -> str:
    ours = comparison.measurement
    sd = ours.tt_vbmd_sd_mg_cm3
    spread = f' <span class="sd">± {sd:.1f}</span>' if sd is not None else ""
    number = (
        '<div><p class="label">Tt.vBMD ± SD of the voxels</p>'
        f'<p class="big">{ours.tt_vbmd_mg_cm3:.1f}{spread} <span class="unit">mg HA/cm³</span></p>'
        f'<p class="small">{escape(_calibration(ours.calibration))}</p></div>'
    )
    return f'<section class="headline">{number}{_agreement(comparison)}</section>'


def _agreement(comparison: Comparison) -> str:
    if comparison.expert is None:
        return ""
    theirs, difference = comparison.expert.tt_vbmd_mg_cm3, comparison.difference_mg_cm3
    share = f" ({100 * difference / theirs:+.1f} %)" if theirs > 0 else ""
    beside = _minus(f"mask minus expert {difference:+.1f} mg HA/cm³{share}")
    return (
        f'<div><p class="label">Expert\'s mask</p><p class="middle">{theirs:.1f} '
        '<span class="unit">mg HA/cm³</span></p>'
        f'<p class="small">{beside}</p></div>'
        f'<div><p class="label">Dice</p><p class="middle">{comparison.overlap.dice:.3f}</p>'
        f'<p class="small">HD95 {comparison.overlap.hd95_mm:.2f} mm</p></div>'
    )


def _calibration(used: Mapping[str, Any]) -> str:
    known = [
        _minus(text.format(used[key])) for key, text in _CONSTANTS if used.get(key) is not None
    ]
    return f"Calibration: {', '.join(known)} ({used.get('source') or 'source not known'})"


def _picture(png: bytes, what: str) -> str:
    data = base64.b64encode(png).decode("ascii")
    return f'<img alt="{what}" src="data:image/png;base64,{data}">'


def _numbers(comparison: Comparison) -> str:
    rows = []
    compared = comparison.expert is not None
    for name, ours, expert, difference, unit in rows_for_people(comparison):
        cells = (ours, expert, difference) if compared else (ours,)
        filled = "".join(f"<td>{_minus(cell)}</td>" for cell in cells)
        rows.append(f'<tr><th>{name}</th>{filled}<td class="unit">{_signs(unit)}</td></tr>')
    names = ("Mask", "Expert", "Difference") if compared else ("Mask",)
    head = "".join(f"<td>{name}</td>" for name in names)
    return f"<table><thead><tr><th></th>{head}<td></td></tr></thead>{''.join(rows)}</table>"


def _overlap(comparison: Comparison) -> str:
    if comparison.overlap is None:
        return ""
    rows = "".join(
        f"<tr><th>{q.name}</th><td>{q.text(getattr(comparison.overlap, q.key))}</td>"
        f'<td class="unit">{q.unit}</td></tr>'
        for q in OVERLAPS
    )
    return f"<table><thead><tr><th></th><td>Overlap</td><td></td></tr></thead>{rows}</table>"


def _about(scan: Scan, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the numbers rest on, as terms and texts."""
    facts = [("Scan", f"{scan.format} {scan.describe()}".strip())]
    file = record.get("scan") or {}
    if file.get("sha256"):
        facts.append(("Input", f"{file['bytes']:,} bytes, SHA-256 {file['sha256']}"))
    if not record:
        return facts
    slices = record["slices"]
    last = scan.grid.shape[0] - 1
    searched = f"{slices['first']} to {slices['last']}" if slices else f"whole scan, 0 to {last}"
    stages = ", ".join(f"{stage} {s:.1f}" for stage, s in record["seconds"].items())
    versions = ", ".join(f"{name} {number}" for name, number in record["software"].items())
    return [
        *facts,
        ("Slices searched", searched),
        ("Method", f"{record['method']}: {_listed(record['parameters'])}"),
        *_network(record),
        ("Post-processing", _listed(record["post_processing"])),
        ("Seconds", f"{stages}; {sum(record['seconds'].values()):.1f} until this page"),
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
        ("Weights", f"{weights['file']}, SHA-256 {weights['sha256']}; {trained}{dice}"),
        ("Side of the hand", record["side"]),
    ]


def _computer(record: Mapping[str, Any]) -> str:
    machine, peak = record["machine"], record["peak_memory_bytes"]
    held = f", {peak / 1e9:.1f} GB at the peak" if peak else ""
    return f"{machine['cores']} cores, {machine['platform']}, device {record['device']}{held}"


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    terms = "".join(f"<dt>{name}</dt><dd>{_signs(escape(text))}</dd>" for name, text in facts)
    return f"<dl>{terms}</dl>"


def _made(record: Mapping[str, Any]) -> str:
    made = [f"napari-vbmd {record['software']['napari-vbmd']}"] if record else ["napari-vbmd"]
    if record:
        made.append(record["date_utc"].replace("T", " ").replace("+00:00", " UTC"))
    return ", ".join(made)


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


def _minus(number: str) -> str:
    return number.replace("-", "−") if len(number) > 1 else number


def _signs(text: str) -> str:
    for plain, sign in _SIGNS.items():
        text = text.replace(f" {plain}", f" {sign}").replace(f"/{plain}", f"/{sign}")
    return sign if (sign := _SIGNS.get(text)) else text
