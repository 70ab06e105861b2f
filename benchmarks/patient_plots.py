"""Plots of what `patient.py` wrote with ``--data``.

    python benchmarks/patient_plots.py GROWTH.json PATIENTS.json [--images docs/images]

Gives growth.png and patients.png; each says on what machine and when.
"""

import argparse
import json
import statistics
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

COLOURS, MARKS = ("#0072B2", "#E69F00", "#999999"), "os^"  # also told apart without colour
IMAGES = Path(__file__).parent.parent / "docs" / "images"


def growth_figure(data: dict) -> plt.Figure:
    """Seconds and peak memory by slices, and by pixels across."""
    axes_of = {"slices": "slices", "pixels across": "width"}
    figure, panels = plt.subplots(2, 2, figsize=(9, 6), sharex="col", sharey="row")
    for column, (grows, key) in zip(panels.T, axes_of.items(), strict=True):
        points = [point for point in data["points"] if point["grows"] == grows]
        fixed = {"slices": "width", "width": "slices"}[key]
        names = {"width": "pixels across", "slices": "slices"}
        for n, method in enumerate(dict.fromkeys(point["method"] for point in points)):
            of = sorted((p for p in points if p["method"] == method), key=lambda p: p[key])
            sizes = [point[key] for point in of]
            style = {"color": COLOURS[n], "marker": MARKS[n]}
            column[0].plot(sizes, [_median(p, _wall) for p in of], label=method, **style)
            column[0].plot(sizes, [_median(p, _cpu) for p in of], "--", alpha=0.6, **style)
            column[1].plot(sizes, [_median(p, _memory) for p in of], **style)
        column[0].set_title(f"{points[0][fixed]} {names[fixed]}", fontsize=10)
        column[1].set_xlabel(grows)
    panels[0, 0].set_ylabel("s (dashed: CPU s)")
    panels[1, 0].set_ylabel("peak beyond libraries, MB")
    panels[0, 0].legend(frameon=False)
    return _finished(figure, data["where"])


def patients_figure(data: dict) -> plt.Figure:
    """Seconds a patient through `napari-vbmd batch`, by the number of patients."""
    figure, panel = plt.subplots(figsize=(5.5, 4))
    for n, workers in enumerate(sorted({point["workers"] for point in data["points"]})):
        of = [point for point in data["points"] if point["workers"] == workers]
        counts = [point["patients"] for point in of]
        each = [_median(point, _wall) / point["patients"] for point in of]
        label = f"{workers} worker{'s' if workers > 1 else ''}"
        panel.plot(counts, each, color=COLOURS[n], marker=MARKS[n], label=label)
    panel.set_xticks(sorted({point["patients"] for point in data["points"]}))
    panel.set_xlabel(f"patients, {data['points'][0]['method']}")
    panel.set_ylabel("s a patient, start of the program included")
    panel.legend(frameon=False)
    return _finished(figure, data["where"])


def _median(point: dict, of) -> float:
    return statistics.median(of(run) for run in point["runs"])


def _wall(run: dict) -> float:
    return run["wall"]


def _cpu(run: dict) -> float:
    return run["cpu"]


def _memory(run: dict) -> float:
    return (run["peak"] - run["baseline"]) / 1e6


def _finished(figure: plt.Figure, where: str) -> plt.Figure:
    for panel in figure.axes:
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    figure.text(0.01, 0.01, where, fontsize=7, color="#555555")
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


FIGURES = {"growth": growth_figure, "patients": patients_figure}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("data", type=Path, nargs="+", help="of --growth or --patients")
    parser.add_argument("--images", type=Path, default=IMAGES, help="folder for the pictures")
    given = parser.parse_args()
    for path in given.data:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["part"] not in FIGURES:
            parser.error(f"{path}: a comparison has no plot: give the data of --growth, --patients")
        out = given.images / f"{data['part']}.png"
        FIGURES[data["part"]](data).savefig(out, dpi=130)
        print(out)


if __name__ == "__main__":
    main()
