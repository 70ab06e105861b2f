"""The course of a training: metrics.csv, and the curves as a picture."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..errors import FileFormatError
from ..io.atomic import written_whole
from ..report.figures import EXPERT, OURS, figure_png
from .cohort import write_rows

COLUMNS = (
    "step",
    "seconds",
    "learning_rate",
    "loss",
    "validation_loss",
    "validation_dice",
    "validation_dice_lowest",
)
METRICS, CURVES = "metrics.csv", "curves.png"
_INK = "#404040"


def write_metrics(folder: Path, rows: Sequence[dict[str, float]]) -> None:
    """Write metrics.csv whole: a row for every few steps, validation in some of them.

    ``loss`` is the mean over the steps since the row before; ``validation_dice`` the mean over the
    validation's volumes on the network's grid.

    Raises
    ------
    WriteError
    """
    texts = [{name: _text(row[name]) for name in COLUMNS if name in row} for row in rows]
    write_rows(folder / METRICS, COLUMNS, texts)


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """The rows of metrics.csv; empty where there is none yet. A row has what was known then.

    Raises
    ------
    FileFormatError
        When the file is no such table.
    """
    path = folder / METRICS
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [{k: float(v) for k, v in row.items() if v and k in COLUMNS} for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise FileFormatError(f"{path}: no table of a training; move it away") from error


def write_curves(folder: Path, rows: Sequence[dict[str, float]], title: str) -> None:
    """Write curves.png.

    Raises
    ------
    WriteError
    """
    with written_whole(folder / CURVES) as temporary:
        temporary.write_bytes(figure_png(curves_figure(rows, title)))


def curves_figure(rows: Sequence[dict[str, float]], title: str = "") -> Figure:
    """Loss and validation Dice over the steps."""
    figure = Figure(figsize=(7.3, 2.6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    draw_curves(figure.subplots(1, 2), rows, _INK)
    figure.suptitle(title, fontsize=8)
    return figure


def draw_curves(axes: Sequence[Any], rows: Sequence[dict[str, float]], ink: str) -> None:
    """Draw the losses on the first axes and the Dice on the second."""
    for each, lines, label in zip(
        axes,
        (
            (("loss", OURS, "training"), ("validation_loss", EXPERT, "validation")),
            (("validation_dice", EXPERT, "mean"), ("validation_dice_lowest", "#999999", "lowest")),
        ),
        ("Loss", "Dice, validation"),
        strict=True,
    ):
        for key, colour, name in lines:
            known = [(row["step"], row[key]) for row in rows if key in row]
            if known:
                marker = "." if len(known) < 30 else ""
                each.plot(
                    *zip(*known, strict=True), color=colour, lw=1.3, marker=marker, label=name
                )
        each.set_xlabel("Step", fontsize=8, color=ink)
        each.set_ylabel(label, fontsize=8, color=ink)
        each.tick_params(labelsize=7, colors=ink)
        each.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        each.grid(alpha=0.25, lw=0.5)
        for side, spine in each.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(ink)
        if each.lines:
            each.legend(fontsize=7, frameon=False, labelcolor=ink)


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"
