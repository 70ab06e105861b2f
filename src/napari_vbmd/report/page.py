"""The patient report as one HTML page that holds everything and prints on one sheet of A4.

Whatever comes from files is escaped; no patient's name is shown.
"""

import base64
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from ..measurement.comparison import Comparison
from ..measurement.compartments import Compartments
from ..scan import Scan
from . import content
from .bones import BoneTable, bone_table
from .sheet import letters_that_fit
from .style import CSS


def report_html(
    scan: Scan,
    comparison: Comparison,
    overlay_png: bytes,
    profile_png: bytes,
    record: Mapping[str, Any] | None = None,
    compartments: Mapping[int | None, Compartments] | None = None,
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
        Of `provenance.run_record`, or of `mask_record` for a mask that was made before.
    compartments : mapping of int to Compartments, optional
        By label; the one key None stands for all of the mask.

    Returns
    -------
    str
        A whole HTML document without links to anything outside it.
    """
    record = record or {}
    overlap = content.overlap(comparison)
    tables = _table(content.numbers(comparison)) + (_table(overlap) if overlap else "")
    letters = letters_that_fit(scan, comparison, record, compartments or {})
    bones = bone_table(comparison, compartments or {})
    main = (
        f'<p class="banner">{content.SYNTHETIC}</p>' if scan.is_synthetic else "",
        _warnings(content.warnings(comparison)),
        _headline(content.headlines(comparison)),
        "".join(f'<p class="note">{escape(note)}</p>' for note in content.notes(comparison)),
        _picture(overlay_png, "Three slices through the mask with the outlines, and a 3D view"),
        _picture(profile_png, "Density and area of every slice"),
        f'<div class="columns">{tables}</div>',
        _bones(bones) if bones else "",
        _facts(content.facts(scan, record)),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Bone density: {escape(scan.name)}</title><style>{CSS}</style></head>\n"
        f'<body style="--letters: {letters}">\n'
        f"<header><h1>Bone density</h1><p>{escape(scan.name)}</p>"
        f'<p class="right">{escape(content.made(record))}</p></header>\n'
        + "\n".join(part for part in main if part)
        + f"\n<footer>{content.NOT_FOR_CLINICAL_USE}</footer>\n</body></html>\n"
    )


def _warnings(warnings: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in warnings)
    return f'<ul class="warnings">{items}</ul>' if items else ""


def _headline(found: Iterable[content.Headline]) -> str:
    parts = []
    for place, one in enumerate(found):
        spread = f' <span class="sd">{one.spread}</span>' if one.spread else ""
        unit = f' <span class="unit">{one.unit}</span>' if one.unit else ""
        parts.append(
            f'<div><p class="label">{escape(one.label)}</p>'
            f'<p class="{"middle" if place else "big"}">{one.value}{spread}{unit}</p>'
            f'<p class="small">{escape(one.below)}</p></div>'
        )
    return f'<section class="headline">{"".join(parts)}</section>'


def _picture(png: bytes, what: str) -> str:
    data = base64.b64encode(png).decode("ascii")
    return f'<img alt="{what}" src="data:image/png;base64,{data}">'


def _table(table: content.Table) -> str:
    rows = []
    for name, cells, unit in table.rows:
        filled = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr><th>{name}</th>{filled}<td class="unit">{unit}</td></tr>')
    head = "".join(f"<td>{name}</td>" for name in table.heads)
    return f"<table><thead><tr><th></th>{head}<td></td></tr></thead>{''.join(rows)}</table>"


def _bones(table: BoneTable) -> str:
    heads = "".join(f"<td>{name}</td>" for name, _ in table.heads)
    units = "".join(f"<td>{unit}</td>" for _, unit in table.heads)
    rows = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, cells in table.rows
    )
    below = f'<p class="small">{escape(" ".join(table.below))}</p>' if table.below else ""
    return (
        f'<div class="bones"><table><thead><tr><th></th>{heads}</tr><tr><th></th>{units}</tr>'
        f"</thead>{rows}</table>{below}</div>"
    )


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    terms = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    return f"<dl>{terms}</dl>"
