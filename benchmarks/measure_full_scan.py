"""Measure and compare on a full-size scan, against the straightforward ways: time and memory.

Prints a Markdown table. Every run is a process of its own, so that its peak memory is its own; the
ways take turns, and medians are shown. Seconds run from file names to numbers, imports left out;
the files are in the system's cache. The scan is noise with a bone-like lump, which costs as much as
a hand: nothing here depends on the values.

    python benchmarks/measure_full_scan.py [--rounds 3] [--shape 240 1536 1536] [--folder TEMP]
"""

import argparse
import importlib
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The parent imports nothing heavy: a child's peak would begin at its parent's size.

BONE = (200, 150, 156)  # voxels of the mask: an ellipse of about 122 mm2 over 200 slices
SPACING_MM = 0.082
SCAN, MASK, EXPERT = "HAND.ISQ", "HAND_SEG.AIM", "HAND_EXPERT.AIM"
WHOLE = "HAND_WHOLE.AIM"  # the mask once more, on the whole grid of the scan


def make(folder: Path, shape: tuple[int, int, int]) -> dict:
    """Write a scan and two masks of one bone, one of them shifted by a voxel and two."""
    import numpy as np

    from napari_vbmd.calibration import Calibration
    from napari_vbmd.grid import Grid, place
    from napari_vbmd.io.files import write_mask
    from napari_vbmd.io.isq import write_isq

    random = np.random.default_rng(0)
    plane = random.integers(-500, 2500, shape[1:], np.int16)
    voxels = np.lib.format.open_memmap(folder / "voxels.npy", "w+", np.int16, shape)
    for z in range(shape[0]):
        voxels[z] = np.roll(plane, 7 * z)
    bone = tuple(min(b, n - 4) for b, n in zip(BONE, shape, strict=True))
    _, y, x = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in bone)]
    inside = np.broadcast_to(y**2 + x**2 <= 1, bone).astype(np.uint8)
    corner = tuple((n - b) // 2 for n, b in zip(shape, bone, strict=True))
    box = tuple(slice(c, c + b) for c, b in zip(corner, bone, strict=True))
    voxels[box] += inside * np.int16(2000)
    calibration = Calibration(8192.0, 0.2409, 1603.51904, -391.209015)
    spacing = (SPACING_MM,) * 3
    write_isq(folder / SCAN, voxels, spacing, calibration)
    (folder / "voxels.npy").unlink()
    on_box, on_scan = Grid(bone, spacing, corner), Grid(shape, spacing)
    write_mask(folder / MASK, inside, on_box)
    write_mask(folder / WHOLE, place(on_box, on_scan).paste(inside), on_scan)
    shifted = tuple(c + s for c, s in zip(corner, (2, 1, 1), strict=True))
    write_mask(folder / EXPERT, inside, Grid(bone, spacing, shifted))
    return {}


def _files():
    """What every way needs: `read_scan` and `read_mask`."""
    return importlib.import_module("napari_vbmd.io.files")


def open_ours(folder: Path):
    files = _files()

    def run() -> dict:
        scan = files.read_scan(folder / SCAN)
        mask = files.read_mask(folder / MASK)
        return {"voxels": float(math.prod(scan.voxels.shape)), "box": float(mask.voxels.size)}

    return run


def open_numpy(folder: Path):
    files = _files()
    import numpy as np

    def run() -> dict:
        voxels = np.array(files.read_scan(folder / SCAN).voxels)
        mask = files.read_mask(folder / MASK)
        return {"voxels": float(voxels.size), "box": float(mask.voxels.size)}

    return run


def density_ours(folder: Path, name: str = MASK):
    files = _files()
    from napari_vbmd.measurement.densitometry import measure

    def run() -> dict:
        found = measure(files.read_scan(folder / SCAN), files.read_mask(folder / name))
        return {"mean": found.tt_vbmd_mg_cm3, "sd": found.tt_vbmd_sd_mg_cm3}

    return run


def density_ours_whole(folder: Path):
    return density_ours(folder, WHOLE)


def density_numpy(folder: Path):
    files = _files()
    import numpy as np

    from napari_vbmd.grid import place

    def run() -> dict:
        scan, mask = files.read_scan(folder / SCAN), files.read_mask(folder / MASK)
        gain, offset = scan.density_transform()
        density = np.array(scan.voxels).astype(np.float64) * gain + offset
        inside = place(mask.grid, scan.grid).paste(mask.voxels) != 0
        return {"mean": float(density[inside].mean()), "sd": float(density[inside].std(ddof=1))}

    return run


def density_simpleitk(folder: Path):
    files = _files()
    import SimpleITK as sitk

    from napari_vbmd.grid import place

    def run() -> dict:
        scan, mask = files.read_scan(folder / SCAN), files.read_mask(folder / MASK)
        gain, offset = scan.density_transform()
        statistics_of = sitk.LabelStatisticsImageFilter()
        statistics_of.Execute(
            sitk.GetImageFromArray(scan.voxels),
            sitk.GetImageFromArray(place(mask.grid, scan.grid).paste(mask.voxels)),
        )
        return {
            "mean": gain * statistics_of.GetMean(1) + offset,
            "sd": gain * statistics_of.GetSigma(1),
        }

    return run


def overlap_ours(folder: Path):
    files = _files()
    from napari_vbmd.measurement.overlap import compare

    def run() -> dict:
        grid = files.read_scan(folder / SCAN).grid
        found = compare(files.read_mask(folder / MASK), files.read_mask(folder / EXPERT), grid)
        return {"dice": found.dice, "hd95": found.hd95_mm, "assd": found.assd_mm}

    return run


def overlap_monai(folder: Path):
    """Both masks on the whole grid, Dice with NumPy and distances with MONAI."""
    files = _files()
    import numpy as np
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    from napari_vbmd.grid import place

    def run() -> dict:
        grid = files.read_scan(folder / SCAN).grid
        masks = [files.read_mask(folder / name) for name in (MASK, EXPERT)]
        ours, theirs = (place(mask.grid, grid).paste(mask.voxels) for mask in masks)
        both = np.count_nonzero((ours != 0) & (theirs != 0))
        batch = [torch.from_numpy(mask)[None, None] for mask in (ours, theirs)]
        options = {"include_background": True, "spacing": list(grid.spacing_mm)}
        return {
            "dice": 2 * both / (np.count_nonzero(ours) + np.count_nonzero(theirs)),
            "hd95": float(compute_hausdorff_distance(*batch, percentile=95, **options)),
            "assd": float(compute_average_surface_distance(*batch, symmetric=True, **options)),
        }

    return run


TASKS = {
    "open scan and mask": {
        "mapped (this package)": open_ours,
        "whole volume, NumPy": open_numpy,
    },
    "density": {
        "`measure` (this package)": density_ours,
        "`measure`, mask on the whole grid": density_ours_whole,
        "whole volume as float64, NumPy": density_numpy,
        "whole volume, SimpleITK LabelStatistics": density_simpleitk,
    },
    "overlap with HD95 and ASSD": {
        "`compare` (this package)": overlap_ours,
        "whole grid, NumPy and MONAI": overlap_monai,
    },
}
WAYS = {way.__name__: way for ways in TASKS.values() for way in ways.values()}


def child(name: str, folder: Path, shape: tuple[int, int, int]) -> dict:
    """Run one way in this process."""
    if name == "make":
        return make(folder, shape)
    run = WAYS[name](folder)  # imports
    before = _peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    numbers = run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "imports": before, "peak": _peak_mb(), "numbers": numbers}


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def start(name: str, folder: Path, shape) -> dict:
    """Run one way in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--child", name, "--folder", str(folder)]
    command += ["--shape", *map(str, shape)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def table(results: dict[str, list[dict]]) -> str:
    """The medians as Markdown; ratios against the first way of each task."""
    lines = [
        "| task | way | s | CPU s | peak MB | of it imports | time, ratio | peak, ratio |",
        "| --- | --- | --: | --: | --: | --: | --: | --: |",
    ]
    for task, ways in TASKS.items():
        first = None
        for title, way in ways.items():
            runs = results[way.__name__]
            median = {
                key: statistics.median(run[key] for run in runs)
                for key in ("wall", "cpu", "imports", "peak")
            }
            first = first or median
            lines.append(
                f"| {task} | {title} | {median['wall']:.3g} | {median['cpu']:.3g} "
                f"| {median['peak']:.0f} | {median['imports']:.0f} "
                f"| {median['wall'] / first['wall']:.1f} | {median['peak'] / first['peak']:.1f} |"
            )
    return "\n".join(lines)


def check_agreement(results: dict[str, list[dict]]) -> None:
    """Stop when the ways of one task do not give one answer: their times would mean nothing."""
    for task, ways in TASKS.items():
        answers = [run["numbers"] for way in ways.values() for run in results[way.__name__]]
        for answer in answers:
            for key, value in answers[0].items():
                if not math.isclose(value, answer[key], rel_tol=1e-5):
                    sys.exit(f"{task}: {key} is {value} and {answer[key]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="runs of each way (default 3)")
    parser.add_argument("--shape", type=int, nargs=3, default=(240, 1536, 1536), metavar="N")
    parser.add_argument("--folder", type=Path, help="where the files go (default: a new one)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(child(arguments.child, arguments.folder, tuple(arguments.shape))))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        start("make", folder, arguments.shape)
        results = {way: [] for way in WAYS}
        for done in range(arguments.rounds):
            for way in WAYS:
                results[way].append(start(way, folder, arguments.shape))
                print(f"round {done + 1}: {way}", file=sys.stderr)
    check_agreement(results)
    z, y, x = arguments.shape
    print(f"{x} x {y} x {z} voxels, medians of {arguments.rounds}\n")
    print(table(results))


if __name__ == "__main__":
    main()
