"""The patient report as one sheet of A4 (PDF), with the texts and pictures of the HTML page.

What is long makes the pictures smaller, and then the letters: of all that `content` gives nothing
is left out, and there is never a second sheet. The same content gives the same bytes.
"""

import io
from collections.abc import Mapping
from typing import Any

from ..measurement.comparison import Comparison
from ..measurement.compartments import Compartments
from ..scan import Scan
from . import content
from .bones import BoneTable, bone_table
from .paper import Paper

# Sizes of the pictures and of the letters, tried in turn until everything fits
_FITS = ((1.0, 1.0), (0.9, 1.0), (0.8, 1.0), (0.7, 1.0), (0.65, 0.95), (0.65, 0.9), (0.7, 0.85),
         (0.6, 0.85), (0.55, 0.8), (0.5, 0.75))  # fmt: skip
_SMALLEST = (0.4, 0.6)
_LEAST_OF_PICTURES = 200.0  # points of the sheet that pictures get before letters become smaller
_GREY, _AMBER, _SAND = "#59636e", "#e69f00", "#fdf4e0"


def report_pdf(
    scan: Scan,
    comparison: Comparison,
    overlay_png: bytes,
    profile_png: bytes,
    record: Mapping[str, Any] | None = None,
    compartments: Mapping[int | None, Compartments] | None = None,
) -> bytes:
    """The report of one patient as a PDF of one A4 page; parameters as of `report_html`."""
    texts = scan, comparison, record or {}, compartments or {}
    pictures = [Paper.read_png(png) for png in (overlay_png, profile_png)]
    for sizes in (*_FITS, _SMALLEST):
        paper = _laid_out(*texts, pictures, *sizes)
        if paper.room >= 0:
            break
    buffer = io.BytesIO()
    about = {"Title": paper.printable(f"Bone density: {scan.name}"), "CreationDate": None}
    paper.figure.savefig(buffer, format="pdf", metadata=about)
    return buffer.getvalue()


def letters_that_fit(
    scan: Scan,
    comparison: Comparison,
    record: Mapping[str, Any],
    compartments: Mapping[int | None, Compartments],
) -> float:
    """The factor on the size of letters that leaves room for the pictures, for the printed page."""
    for _, letters in (*_FITS, _SMALLEST):
        paper = _laid_out(scan, comparison, record, compartments, [], 1.0, letters)
        if paper.room >= _LEAST_OF_PICTURES:
            break
    return letters


def _laid_out(
    scan, comparison, record, compartments, pictures, picture_size: float, letters: float
) -> Paper:
    paper = Paper(letters)
    _header(paper, scan, record)
    if scan.is_synthetic:
        paper.box([content.SYNTHETIC], 8, _SAND, _AMBER, weight="bold")
    if found := content.warnings(comparison):
        paper.box([f"• {text}" for text in found], 7.5, _SAND, _AMBER)
    _headlines(paper, content.headlines(comparison))
    for note in content.notes(comparison):
        paper.paragraph(note, 7, colour=_GREY)
    for picture in pictures:
        paper.picture(picture, picture_size)
    tables = [content.numbers(comparison), content.overlap(comparison)]
    _tables(paper, [table for table in tables if table])
    if bones := bone_table(comparison, compartments):
        paper.skip(4)
        _bones(paper, bones)
    paper.skip(5)
    for term, text in content.facts(scan, record):
        paper.write(term, 0, 6.5, colour=_GREY)
        paper.paragraph(text, 6.5, left=78)
    paper.footer(content.NOT_FOR_CLINICAL_USE, 8)
    return paper


def _header(paper: Paper, scan: Scan, record: Mapping[str, Any]) -> None:
    made, foot = content.made(record), 14 * paper.letters
    end = paper.write("Bone density", 0, 14, weight="bold", drop=foot) + 12
    paper.write(made, paper.width, 7.5, colour=_GREY, align="right", drop=foot)
    paper.skip(foot - 9 * paper.letters)
    room = paper.width - end - paper.measure(made, 7.5) - 12
    paper.paragraph(scan.name, 9, left=end, width=room)
    paper.skip(2.5)
    paper.rule(1.4)
    paper.skip(5)


def _headlines(paper: Paper, found: list[content.Headline]) -> None:
    """The first on the left, wide; the others beside it, each as wide as its words."""
    lefts, right = [], paper.width
    for one in reversed(found[1:]):
        right -= max(paper.measure(one.below, 7), paper.measure(one.value, 16) + 60) + 10
        lefts.insert(0, right)
    top, lowest = paper.y, 0.0
    for place, (one, left) in enumerate(zip(found, [0.0, *lefts], strict=True)):
        paper.y = top
        paper.paragraph(one.label, 7.5, left=left, colour=_GREY)
        size = 16 if place else 21
        base = 23 * paper.letters
        end = paper.write(one.value, left, size, weight="bold", drop=base)
        if one.spread:
            end = paper.write(one.spread, end + 5, size, drop=base)
        paper.write(one.unit, end + 5, 9, colour=_GREY, drop=base)
        paper.y += base + 5
        width = (lefts[0] if lefts else paper.width) - 14 if not place else None
        paper.paragraph(one.below, 7, left=left, width=width, colour=_GREY)
        lowest = max(lowest, paper.y)
    paper.y = lowest + 5


def _tables(paper: Paper, tables: list[content.Table]) -> None:
    """Beside each other, the first as wide as it needs."""
    shares = (0.0, 0.65) if len(tables) == 1 else (0.0, 0.6, 1.0)
    top, lowest = paper.y, 0.0
    for table, start, stop in zip(tables, shares, shares[1:], strict=False):
        paper.y = top
        left = start * paper.width + (18 if start else 0)
        _table(paper, table, left, stop * paper.width)
        lowest = max(lowest, paper.y)
    paper.y = lowest


def _table(paper: Paper, table: content.Table, left: float, right: float) -> None:
    units = max(paper.measure(unit, 7.5) for *_, unit in table.rows) + 4
    column = 66 * paper.letters
    rights = [right - units - column * k for k in reversed(range(len(table.heads)))]
    for head, at in zip(table.heads, rights, strict=True):
        paper.write(head, at, 7, colour=_GREY, align="right")
    paper.line_feed(7)
    for name, cells, unit in table.rows:
        paper.rule(0.4, "#e3e6e9", left, right)
        paper.write(name, left, 7.5)
        for cell, at in zip(cells, rights, strict=True):
            paper.write(cell, at, 7.5, align="right")
        paper.write(unit, right - units + 4, 7.5, colour=_GREY)
        paper.line_feed(7.5)


def _bones(paper: Paper, table: BoneTable) -> None:
    """A row a bone, across the sheet: the columns beside each other, each as wide as the others."""
    first = max(paper.measure(name, 7.5) for name, _ in table.rows) + 6
    widest = max(paper.measure(text, 6.5) for head in table.heads for text in head) + 8
    column = min(widest, (paper.width - first) / len(table.heads))
    rights = [first + column * (k + 1) for k in range(len(table.heads))]
    for line in zip(*table.heads, strict=True):
        for text, at in zip(line, rights, strict=True):
            paper.write(text, at, 6.5, colour=_GREY, align="right")
        paper.line_feed(6.5)
    for name, cells in table.rows:
        paper.rule(0.4, "#e3e6e9", 0, rights[-1])
        paper.write(name, 0, 7.5)
        for cell, at in zip(cells, rights, strict=True):
            paper.write(cell, at, 7.5, align="right")
        paper.line_feed(7.5)
    if table.below:
        paper.paragraph(" ".join(table.below), 6.5, colour=_GREY)
