"""How ours grows with slices, with pixels across, and with the number of patients."""

import csv
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from patient_processes import read_once, shape_of, start
from patient_tables import beyond_libraries, median, table

SLICES, WIDTHS = (120, 240, 480), (512, 1024, 1536, 2304)
SLICES_QUICK, WIDTHS_QUICK = (80, 160), (170, 340)
PATIENTS, WORKERS = (1, 2, 4, 8), (1, 2)


def grown(scan: Path, methods: list[str], rounds: int, sizes: dict, folder: Path) -> list[dict]:
    """Runs on the same hand with more slices, and with finer voxels.

    ``sizes`` are the "slices" and the "widths" to try; a point is a row with all of its rounds.
    """
    deep, _, wide = shape_of(scan)
    asked = [("slices", n, wide) for n in sizes["slices"]]
    asked += [("pixels across", deep, n) for n in sizes["widths"]]
    runs_at = {
        size: _runs_at(*size, scan, methods, rounds, folder)
        for size in dict.fromkeys((slices, width) for _, slices, width in asked)
    }
    return [
        {"grows": grows, "slices": slices, "width": width, "method": method, "runs": runs}
        for grows, slices, width in asked
        for method, runs in runs_at[slices, width].items()
    ]


def _runs_at(slices: int, width: int, scan: Path, methods: list[str], rounds: int, folder: Path):
    made = folder / "GROWN.ISQ"
    start("grow", scan=scan, out=made, slices=slices, width=width)
    read_once(made)
    runs = {
        method: [start(method, scan=made, folder=folder) for _ in range(rounds)]
        for method in methods
    }
    made.unlink()
    return runs


def grown_lines(points: list[dict]) -> list[str]:
    """One row a size."""
    rows = []
    for point in points:  # one size stands in both series
        wall, cpu = (median(point["runs"], lambda run, k=key: run[k]) for key in ("wall", "cpu"))
        peak = median(point["runs"], beyond_libraries)
        size = [point["method"], str(point["slices"]), str(point["width"])]
        row = [*size, f"{wall:.1f}", f"{cpu:.1f}", f"{peak:.0f}"]
        if row not in rows:
            rows.append(row)
    titles = ["method", "slices", "pixels across", "s", "CPU s", "peak beyond libraries, MB"]
    return table(titles, rows)


def patients(scan: Path, method: str, rounds: int, folder: Path) -> list[dict]:
    """`napari-vbmd batch` over copies of one scan, with one worker and with two."""
    points = []
    for count in PATIENTS:
        manifest = folder / f"{count}.csv"
        names = [f"{count}_{i}{scan.suffix}" for i in range(count)]
        for name in names:
            os.symlink(scan.resolve(), folder / name)
        manifest.write_text("\n".join(["scan", *names]) + "\n", encoding="utf-8")
        for workers in (n for n in WORKERS if n <= count):
            runs = [
                _batch(manifest, method, workers, folder / f"{count}_{workers}_{i}")
                for i in range(rounds)
            ]
            points.append({"patients": count, "workers": workers, "method": method, "runs": runs})
    return points


def _batch(manifest: Path, method: str, workers: int, out: Path) -> dict:
    """Seconds of the whole, interpreter included, and of each patient in its worker."""
    words = [str(manifest), "--out", str(out), "--method", method, "--workers", str(workers)]
    load, begun = os.getloadavg()[0], time.perf_counter()
    command = [sys.executable, "-W", "ignore", "-m", "napari_vbmd", "batch", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - begun
    print("batch", *words, file=sys.stderr, flush=True)
    with (out / "batch.csv").open(encoding="utf-8", newline="") as file:
        each = [float(row["seconds"]) for row in csv.DictReader(file)]
    return {"wall": wall, "load": load, "first": each[:workers], "later": each[workers:]}


def patients_lines(points: list[dict]) -> list[str]:
    """One row a number of patients and of workers."""
    rows = []
    for point in points:
        wall = median(point["runs"], lambda run: run["wall"])
        first, later = ([s for run in point["runs"] for s in run[key]] for key in _OF_A_WORKER)
        row = [str(point["patients"]), str(point["workers"]), f"{wall:.1f}"]
        row += [f"{wall / point['patients']:.2f}", f"{statistics.median(first):.2f}"]
        rows.append([*row, f"{statistics.median(later):.2f}" if later else "–"])
    titles = ["patients", "workers", "all, s", "s a patient", "a worker's first, s"]
    return table([*titles, "a worker's later ones, s"], rows)


_OF_A_WORKER = "first", "later"
