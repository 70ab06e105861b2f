"""Open, read a slice, read all and write full-size files, beside itk-ioscanco and aimio-py.

Prints a Markdown table: medians of seconds, and the memory that a task takes beyond what its
process held before it (pages of a mapped file included). Every run is a process of its own, the
ways take turns, imports are left out, and the files are in the system's cache.

    python benchmarks/files.py [--rounds 3] [--shape 240 1536 1536] [--folder TEMP]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The parent imports nothing heavy: a child's memory would begin at its parent's.

SPACING_MM = 0.082
FILES = {"ISQ": "HAND.ISQ", "short AIM": "HAND.AIM", "mask AIM": "HAND_SEG.AIM"}
SMALL = "SMALL.AIM"
OPENED = 200  # times, as one is too short to measure
TASKS = ("open", "one slice", "read all", "write")
WAYS = ("napari-vbmd", "itk-ioscanco", "aimio-py")
CANNOT = {("ISQ", "write", "aimio-py"): "writes no ISQ"}


def make(folder: Path, shape: tuple[int, int, int]) -> None:
    """A scan as ISQ and AIM, and a mask of 13 % of its slices' width."""
    import numpy as np

    from napari_vbmd.calibration import Calibration
    from napari_vbmd.grid import Grid
    from napari_vbmd.io.aim_write import write_aim_mask, write_aim_scan
    from napari_vbmd.io.isq import write_isq
    from napari_vbmd.scan import Scan

    plane = np.random.default_rng(0).integers(-500, 2500, shape[1:], np.int16)
    voxels = np.stack([np.roll(plane, 7 * z, axis=0) for z in range(shape[0])])
    calibration = Calibration(8192.0, 0.2409, 1603.51904, -391.209015)
    grid = Grid(shape, (SPACING_MM,) * 3, (0, 0, 0))
    write_isq(folder / FILES["ISQ"], voxels, grid.spacing_mm, calibration)
    write_aim_scan(folder / FILES["short AIM"], Scan(voxels, "native", grid, calibration))
    y, x = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape[1:])]
    mask = np.zeros(shape, bool)
    mask[shape[0] // 8 : -shape[0] // 8] = y**2 + x**2 <= 0.13**2
    write_aim_mask(folder / FILES["mask AIM"], mask, grid)
    small = Scan(voxels[:2, :40, :40], "native", Grid((2, 40, 40), grid.spacing_mm), calibration)
    write_aim_scan(folder / SMALL, small)


def ours(kind: str, task: str, path: Path):
    """A function that does the task; what it needs is imported and made before."""
    import numpy as np

    from napari_vbmd.grid import Grid
    from napari_vbmd.io import aim_header, isq_header
    from napari_vbmd.io.aim_write import write_aim_mask, write_aim_scan
    from napari_vbmd.io.files import read_scan
    from napari_vbmd.io.isq import write_isq

    if task == "open":
        header = isq_header if kind == "ISQ" else aim_header
        return lambda: header.read_header(path)
    if task == "one slice":
        return lambda: np.array(read_scan(path).voxels[120])
    if task == "read all":
        return lambda: _sum(read_scan(path).voxels)
    scan, out = read_scan(path), path.with_name(f"written{path.suffix}")
    voxels = np.array(scan.voxels)
    if kind == "ISQ":
        return lambda: write_isq(out, voxels, scan.grid.spacing_mm, scan.calibration)
    if kind == "short AIM":
        from dataclasses import replace

        return lambda: write_aim_scan(out, replace(scan, voxels=voxels))
    mask = voxels.view(np.uint8)
    return lambda: write_aim_mask(out, mask, Grid(scan.grid.shape, scan.grid.spacing_mm))


def itk_ioscanco(kind: str, task: str, path: Path):
    import itk
    import numpy as np

    pixel = itk.SS  # of a mask, too: it has none of 8 signed bits

    def read(path: Path = path) -> np.ndarray:
        return itk.array_view_from_image(itk.imread(str(path), pixel))

    read(path.with_name(SMALL))  # loads its modules

    if task == "open":
        reader = itk.ImageFileReader[itk.Image[pixel, 3]]  # a new one each time: it remembers
        return lambda: reader.New(FileName=str(path)).UpdateOutputInformation()
    if task == "one slice":
        return lambda: np.array(read()[120])
    if task == "read all":
        return lambda: _sum(read())
    image = itk.imread(str(path), pixel)
    return lambda: itk.imwrite(image, str(path.with_name(f"written{path.suffix}")))


def aimio(kind: str, task: str, path: Path):
    import numpy as np
    import py_aimio

    read = py_aimio.read_isq if kind == "ISQ" else py_aimio.read_aim
    if task == "open":
        info = py_aimio.isq_info if kind == "ISQ" else py_aimio.aim_info
        return lambda: info(str(path))
    if task == "one slice":
        return lambda: np.array(read(str(path))[0][120])
    if task == "read all":
        return lambda: _sum(read(str(path))[0])
    voxels, meta = read(str(path))
    return lambda: py_aimio.write_aim(str(path.with_name("written.AIM")), voxels, meta)


def _sum(voxels) -> int:
    """Every voxel once."""
    import numpy as np

    return sum(int(section.sum(dtype=np.int64)) for section in voxels)


def measure(kind: str, task: str, way: str, folder: Path) -> dict:
    """Seconds and added bytes of one task, in this process."""
    start = dict(zip(WAYS, (ours, itk_ioscanco, aimio), strict=True))[way]
    job = start(kind, task, folder / FILES[kind])
    for written in folder.glob("written.*"):  # replacing a file costs a flush of the new one
        written.unlink()
    times = OPENED if task == "open" else 1
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, begun = _status("VmRSS"), time.perf_counter()
    for _ in range(times):
        job()
    return {"s": (time.perf_counter() - begun) / times, "bytes": _status("VmHWM") - before}


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def in_a_process(*words) -> dict:
    """The JSON that this script prints when it is called with some words."""
    command = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        error = (done.stderr.strip() or "nothing said").splitlines()[-1]
        return {"error": f"status {done.returncode}: {error[:80]}"}
    return json.loads(lines[-1])


def table(folder: Path, rounds: int) -> str:
    lines = [
        "| file | task | way | s | memory added, MB | time, ratio | memory, ratio |",
        "| --- | --- | --- | --: | --: | --: | --: |",
    ]
    for kind in FILES:
        for task in TASKS:
            ways = [way for way in WAYS if (kind, task, way) not in CANNOT]
            runs = {way: [] for way in ways}
            for i in range(rounds):
                for way in ways[i % len(ways) :] + ways[: i % len(ways)]:
                    runs[way].append(in_a_process("--one", kind, task, way, "--folder", folder))
            lines += [_row(kind, task, way, runs) for way in ways]
            print("\n".join(lines[-len(ways) :]), file=sys.stderr, flush=True)
    return "\n".join(lines)


def _row(kind: str, task: str, way: str, runs: dict) -> str:
    if error := next((run["error"] for run in runs[way] if "error" in run), None):
        return f"| {kind} | {task} | {way} | {error} | | | |"
    seconds, memory = _median(runs[way], "s"), _median(runs[way], "bytes")
    base = runs[WAYS[0]]
    least = _median(base, "bytes")
    more = f"{memory / least:.1f}" if least >= 1e6 else "–"  # of next to nothing there is no ratio
    cells = f"{seconds:.3g}", f"{memory / 1e6:.0f}", f"{seconds / _median(base, 's'):.1f}", more
    return f"| {kind} | {task} | {way} | {' | '.join(cells)} |"


def _median(runs: list[dict], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shape", type=int, nargs=3, default=(240, 1536, 1536))
    parser.add_argument("--folder", type=Path, help="where the files are, or go and stay")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(*given.one, given.folder)))
    elif given.make:
        make(given.folder, tuple(given.shape))
        print("{}")
    else:
        with tempfile.TemporaryDirectory() as temporary:
            folder = given.folder or Path(temporary)
            if not all((folder / name).exists() for name in FILES.values()):
                in_a_process("--make", "--folder", folder, "--shape", *given.shape)
            print(table(folder, given.rounds))


if __name__ == "__main__":
    main()
