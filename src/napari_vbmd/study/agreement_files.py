"""The files of an agreement: numbers as JSON and CSV, and a figure of each quantity."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import __version__, provenance
from ..errors import WriteError
from ..io.results import written_together
from ..measurement.agreement_tables import flat_row
from ..measurement.tables import csv_text
from ..report.agreement_figures import Names, agreement_figure
from ..report.figure_files import FORMATS, figure_bytes
from .agreement import Quantity
from .result_table import EXPERT

Progress = Callable[[float, str], None]
JSON, CSV = "agreement.json", "agreement.csv"


def content_of(quantities: Sequence[Quantity]) -> dict[str, Any]:
    """What agreement.json holds.

    Parameters
    ----------
    quantities : sequence of Quantity
        Of one table; it is named without its folder, and with its hash.
    """
    table = quantities[0].table
    return {
        "table": {
            "name": table.path.name,
            "sha256": provenance.file_hash(table.path),
            "rows": len(table.rows),
            "slice_rows_not_read": table.slice_rows,
        },
        "napari_vbmd": __version__,
        "quantities": [quantity.to_dict() for quantity in quantities],
    }


def write_agreement(
    quantities: Sequence[Quantity], folder: str | Path, progress: Progress | None = None
) -> dict[str, Path]:
    """Write agreement.json, agreement.csv and the figures into a folder, all of them or none.

    An older result's files make way, those of its other quantities too.

    Parameters
    ----------
    quantities : sequence of Quantity
        Of one table.
    folder : path
        Made when missing.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Returns
    -------
    dict of str to Path
        Every file by its name.

    Raises
    ------
    WriteError
        When the folder cannot be written, or the table itself would be replaced.
    """
    folder = Path(folder)
    drawn = [quantity for quantity in quantities if quantity.agreement is not None]
    figures = {f"{_stem(q)}.{kind}": (q, kind) for q in drawn for kind in FORMATS}
    names = [JSON, CSV, *figures]
    _check_not_the_table(folder, names, quantities[0].table.path)
    content = content_of(quantities) | {"files": names}
    with written_together(folder, [*names, *_older(folder)]) as staging:
        for i, (name, (quantity, kind)) in enumerate(figures.items()):
            if progress:
                progress(i / len(figures), f"drawing {name}")
            figure = agreement_figure(quantity.agreement, names_of(quantity))
            (staging / name).write_bytes(figure_bytes(figure, kind))
        text = provenance.as_json(content)
        (staging / JSON).write_text(text, encoding="utf-8", newline="\n")
        rows = csv_text(_same_keys([_row(quantity) for quantity in quantities]))
        (staging / CSV).write_text(rows, encoding="utf-8", newline="\n")
    return {name: folder / name for name in names}


def names_of(quantity: Quantity) -> Names:
    """What the axes of its plots say."""
    columns = quantity.columns
    if columns.reference == EXPERT + columns.ours:
        return Names(quantity.name, quantity.unit, "mask", "expert")
    return Names(quantity.name, quantity.unit, columns.ours, columns.reference or "")


def _row(quantity: Quantity) -> dict[str, Any]:
    content = quantity.to_dict()
    row = {"quantity": quantity.name, "unit": quantity.unit, **vars(quantity.columns)}
    if content["agreement"]:
        row |= {"left_out": len(quantity.left_out), **flat_row(content["agreement"])}
    whose = {quantity.columns.ours: "ours", quantity.columns.reference: "reference"}
    for column, found in (content["precision"] or {}).items():
        row |= {f"precision_{whose[column]}_{key}": one for key, one in flat_row(found).items()}
    return row


def _same_keys(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return [{key: row.get(key) for key in keys} for row in rows]


def _stem(quantity: Quantity) -> str:
    return f"agreement_{re.sub(r'[^A-Za-z0-9_.-]+', '_', quantity.columns.ours)}"


def _older(folder: Path) -> list[str]:
    """Figures that an older agreement.json in the folder says it made."""
    try:
        files = json.loads((folder / JSON).read_text(encoding="utf-8"))["files"]
        return [name for name in files if re.fullmatch(r"agreement_[A-Za-z0-9_.-]+", name)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _check_not_the_table(folder: Path, names: Sequence[str], table: Path) -> None:
    for name in names:
        file = folder / name
        if file.exists() and table.exists() and file.samefile(table):
            raise WriteError(f"{file}: this is the table itself; choose another folder")
