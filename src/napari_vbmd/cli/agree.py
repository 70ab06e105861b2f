"""The command `agree`: agreement and precision over a table of patients."""

import argparse
from pathlib import Path
from typing import Any

from .console import Console, aligned

SUMMARY = "agreement of two columns of a table: Bland-Altman, regression, ICC, precision error"
_MOST_LINES = 10


def add_options(command: argparse.ArgumentParser) -> None:
    """What may be typed after ``agree``."""
    command.add_argument(
        "table", type=Path, metavar="TABLE.csv", help="a row a patient, columns in one unit"
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    command.add_argument(
        "--ours",
        metavar="COLUMN",
        help="what is judged (default: every column with a unit that has the expert's beside it, "
        "such as tt_vbmd_mg_cm3 and expert_tt_vbmd_mg_cm3)",
    )
    command.add_argument(
        "--reference", metavar="COLUMN", help="what it is compared with (default: expert_ and ours)"
    )
    command.add_argument(
        "--patient", metavar="COLUMN", help="who each row is of (default: patient, if it is there)"
    )
    command.add_argument(
        "--repeat",
        metavar="COLUMN",
        help="which measurement of the patient it is: gives the precision error, too",
    )


def run(arguments: argparse.Namespace, console: Console) -> tuple[dict[str, Any], str]:
    """Write the results; the content of ``--json``, and the same for people."""
    from ..study.agreement import agree_on
    from ..study.agreement_columns import choose_columns
    from ..study.agreement_files import content_of, write_agreement
    from ..study.result_table import read_table

    table = read_table(arguments.table)
    chosen = choose_columns(
        table, arguments.ours, arguments.reference, arguments.patient, arguments.repeat
    )
    _say_groups(table, console)
    quantities = [agree_on(table, columns) for columns in chosen]
    files = write_agreement(quantities, arguments.out, console.progress)
    for quantity in quantities:
        for warning in quantity.warnings:
            console.note(f"warning: {quantity.name}: {warning}")
    content = content_of(quantities) | {"files": {name: str(path) for name, path in files.items()}}
    return content, "\n\n".join([*map(_text, quantities), f"results: {arguments.out}"])


def _say_groups(table, console: Console) -> None:
    """Say that a table of `batch` holds scans which that command found unlike each other."""
    if not {"group", "flags"} <= set(table.columns):
        return
    groups = {text for text in table.texts("group") if text}
    if len(groups) > 1:
        console.note(
            f"warning: {len(groups)} groups of scans that differ in scanner, voxel size, "
            "calibration or software are pooled here; the columns “group” and “flags” say which"
        )


def _text(quantity) -> str:
    """A quantity's numbers as aligned columns; below them what is missing, and why."""
    from ..measurement.agreement_tables import agreement_lines, precision_lines

    lines, head = [], [f"{quantity.name}: {quantity.columns.ours}"]
    if quantity.agreement is not None:
        head.append(f" against {quantity.columns.reference}, {quantity.agreement.n} pairs")
        lines += agreement_lines(quantity.agreement, quantity.unit)
    whose = {quantity.columns.ours: "ours", quantity.columns.reference: "reference"}
    for column, found in quantity.precision.items():
        head.append(f", {found.measurements} measurements of {found.patients} patients")
        lines += precision_lines(found, quantity.unit, whose[column])
    rows = [("", "", "95 % interval", ""), *(line[:4] for line in lines)]
    parts = ["".join(head), aligned(rows, right=(1, 2))]
    reasons = dict.fromkeys(f"{line.name}: {line.missing}" for line in lines if line.missing)
    parts += [f"missing: {reason}" for reason in reasons]
    parts += [f"left out: {why}: {_listed(of)}" for why, of in quantity.lines_by_reason().items()]
    return "\n".join(parts)


def _listed(lines: list[int]) -> str:
    """Lines of a table, the first few by their number."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    more = f" and {len(lines) - _MOST_LINES} more" if len(lines) > _MOST_LINES else ""
    return f"lines {', '.join(map(str, lines[:_MOST_LINES]))}{more}"
