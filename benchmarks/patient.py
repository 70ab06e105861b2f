"""One patient, file to file, beside a straight port of the published pipeline: time and memory.

Every run is a process of its own, and the ways take turns. Seconds run from file names to files,
with the libraries already imported (given apart); memory is the peak beyond interpreter and
libraries, mapped pages of the scan included. The files are in the system's cache.

    python benchmarks/patient.py --scan HAND.ISQ --mask HAND_SEG.AIM [--rounds 3] [--growth]
    python benchmarks/patient.py --quick
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

# The parent imports nothing heavy: a child's peak would begin at its parent's size.

SAMPLE = Path(__file__).parent.parent / "sample_data"
PORT = "straight port"
SMALL = (16, 128, 128)  # what the port's network sees of a small phantom
STEPS = (
    "read",
    "sample",
    "network",
    "back to the scan's grid",
    "close holes",
    "measure",
    "mask file",
    "checksum",
    "figures",
)
# How the steps of a run are called by those who report its progress
OURS = {
    "segment: loading the network": "read",
    "segment: sampling the scan": "sample",
    "segment: back to the scan's grid": "back to the scan's grid",
    "post-process": "close holes",
}
GROWTH_SLICES, GROWTH_WIDTHS = (120, 240, 480), (512, 1024, 1536, 2304)
GROWTH_QUICK = (80, 160), (170, 340)


def ours(scan: Path, out: Path, method: str):
    """Import what is not timed; gives the run and its seconds by step."""
    import torch  # noqa: F401

    from napari_vbmd.pipeline import run_patient
    from napari_vbmd.segmentation import folding, networks  # noqa: F401

    def run() -> dict:
        told = [(time.perf_counter(), "read")]
        result = run_patient(
            scan, out, method, progress=lambda _, text: told.append((time.perf_counter(), text))
        )
        told.append((time.perf_counter(), ""))
        seconds = dict.fromkeys(STEPS, 0.0)
        for (start, text), (stop, _) in pairwise(told):
            seconds[_step(text)] += stop - start
        found = result.comparison.measurement
        return {
            "seconds": seconds,
            "tt_vbmd_mg_cm3": found.tt_vbmd_mg_cm3,
            "voxels": found.voxels,
        }

    return run


def _step(text: str) -> str:
    if text in OURS:
        return OURS[text]
    stage = text.split(":")[0]
    return stage if stage in STEPS else "network"


def limits(scan_path: Path, method: str, size: tuple[int, int, int]) -> dict:
    """What this machine can do at best, and what the networks and files ask of it."""
    import hashlib

    import numpy as np
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from napari_vbmd.io.files import read_scan
    from napari_vbmd.segmentation.configurations import CONFIGURATIONS
    from napari_vbmd.segmentation.methods import segment
    from napari_vbmd.segmentation.preprocessing import IMPROVED

    a, block = torch.randn(2048, 2048), bytes(1 << 26)
    with torch.inference_mode():
        matmul = 2 * 2048**3 / _best(lambda: a @ a)
    buffer = np.empty(1 << 28, np.uint8)
    size_of, depth = scan_path.stat().st_size, read_scan(scan_path).grid.spacing_mm[0]

    def read() -> None:
        with open(scan_path, "rb", buffering=0) as file:
            file.readinto(buffer)

    with FlopCounterMode(display=False) as counted:
        segment(read_scan(scan_path), method)
    network = CONFIGURATIONS["unet-2d"].build().eval()
    with FlopCounterMode(display=False) as of_port, torch.no_grad():
        network(torch.zeros(1, 1, *size[1:]))
    return {
        "flop_per_s": matmul,
        "read_bytes_per_s": min(buffer.size, size_of) / _best(read),
        "hash_bytes_per_s": len(block) / _best(lambda: hashlib.sha256(block).digest()),
        "bytes": size_of,
        "slices_read": min(1.0, depth / IMPROVED.spacing_mm[0]),
        "flop": {method: counted.get_total_flops(), PORT: size[0] * of_port.get_total_flops()},
    }


def _best(task) -> float:
    took = []
    for _ in range(5):
        start = time.perf_counter()
        task()
        took.append(time.perf_counter() - start)
    return min(took)


def grown(scan: Path, out: Path, slices: int, width: int) -> None:
    """The same hand with other slices (its own again and again) and voxels of another size."""
    import numpy as np

    from napari_vbmd.io.files import read_scan
    from napari_vbmd.io.isq import write_isq

    given = read_scan(scan)
    deep, high, wide = given.grid.shape
    rows, columns = (np.arange(width) * n // width for n in (high, wide))

    class Slices:
        shape = (slices, width, width)

        def __iter__(self):
            back_and_forth = np.r_[0:deep, deep - 1 : -1 : -1]
            for z in np.resize(back_and_forth, slices):
                yield given.voxels[z][np.ix_(rows, columns)]

    _, y, x = given.grid.spacing_mm
    spacing = (given.grid.spacing_mm[0], y * high / width, x * wide / width)
    write_isq(out, Slices(), spacing, given.calibration, given.header.get("Patient Name", ""))


def child(given: argparse.Namespace) -> dict:
    """Do one thing in this process."""
    if given.child == "limits":
        return limits(given.scan, given.method[0], given.size)
    if given.child == "grow":
        return grown(given.scan, given.folder / "GROWN.ISQ", *given.grow) or {}
    start = time.perf_counter()
    if given.child == PORT:
        from straight_port import port

        run = port(given.scan, given.mask, given.folder, given.size, given.holes)
    else:
        run = ours(given.scan, given.folder / "run", given.child)
    imports, before = time.perf_counter() - start, _peak_bytes()
    load = os.getloadavg()[0]
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = {"baseline": before, "peak": _peak_bytes()}
    return result | memory | {"wall": wall, "cpu": cpu, "imports": imports, "load": load}


def _peak_bytes() -> int:
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def start(what: str, given: argparse.Namespace, folder: Path, scan: Path, *more: object) -> dict:
    """Run one way in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--child", what, "--folder", str(folder)]
    command += ["--scan", str(scan), "--mask", str(given.mask), "--holes", given.holes]
    command += ["--method", *given.method, "--size", *map(str, given.size), *map(str, more)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    print(what, *more, file=sys.stderr, flush=True)
    return json.loads(done.stdout.splitlines()[-1])


def compared(given: argparse.Namespace, folder: Path) -> list[str]:
    """The ways in turns: each step's median seconds, the whole, and the peak."""
    ways = [*given.method, PORT]
    runs = {way: [] for way in ways}
    for i in range(given.rounds):
        for way in ways[i % len(ways) :] + ways[: i % len(ways)]:
            runs[way].append(start(way, given, folder, given.scan))
    facts = start("limits", given, folder, given.scan)
    rows = {
        step: {way: _median(runs[way], lambda run, s=step: run["seconds"].get(s)) for way in ways}
        for step in STEPS
    }
    whole = {
        "all, file to file": "wall",
        "CPU seconds of it": "cpu",
        "importing libraries (apart)": "imports",
    }
    rows |= {
        name: {w: _median(runs[w], lambda r, k=key: r[k]) for w in ways}
        for name, key in whole.items()
    }
    lines = _table(ways, "step, s", rows, "{:.2f}")
    beyond = {w: _median(runs[w], lambda r: r["peak"] - r["baseline"]) / 1e6 for w in ways}
    base = {w: _median(runs[w], lambda r: r["baseline"]) / 1e6 for w in ways}
    memory = {"peak beyond interpreter and libraries": beyond, "interpreter and libraries": base}
    lines += ["", *_table(ways, "memory, MB", memory, "{:.0f}")]
    loads = [run["load"] for of_way in runs.values() for run in of_way]
    busy = f"load average {min(loads):.1f} to {max(loads):.1f} before the runs"
    answers = ", ".join(
        f"{way} {runs[way][0]['tt_vbmd_mg_cm3']:.1f} mg HA/cm³ in {runs[way][0]['voxels']:,} voxels"
        for way in ways
    )
    lines += ["", f"{busy}. Found: {answers}.", "", *_limits_table(given.method[0], facts, rows)]
    return lines


def _median(runs: list[dict], of) -> float | None:
    values = [of(run) for run in runs]
    return None if None in values else statistics.median(values)


def _table(ways: list[str], head: str, rows: dict[str, dict], form: str) -> list[str]:
    """One row a step; the port's ratio to each of ours."""
    own = ways[:-1]
    titles = [head, *own, PORT, *(f"port / {way}" for way in own)]
    lines = [f"| {' | '.join(titles)} |", f"| --- |{' --: |' * (len(titles) - 1)}"]
    for name, values in rows.items():
        cells = [form.format(values[way]) if values[way] is not None else "–" for way in ways]
        for way in own:
            both = values[way] and values[PORT]
            cells.append(f"{values[PORT] / values[way]:.1f}" if both else "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _limits_table(method: str, facts: dict, rows: dict[str, dict]) -> list[str]:
    """How near each step is to what the machine can do at best."""
    some = facts["bytes"] * facts["slices_read"]
    asked = [
        ("sample", method, some, facts["read_bytes_per_s"], "the slices sampled, read"),
        ("network", method, facts["flop"][method], facts["flop_per_s"], "operations"),
        ("checksum", method, facts["bytes"], facts["hash_bytes_per_s"], "the scan, SHA-256"),
        ("read", PORT, facts["bytes"], facts["read_bytes_per_s"], "the scan, read"),
        ("network", PORT, facts["flop"][PORT], facts["flop_per_s"], "operations"),
    ]
    lines = [
        f"Limits: {facts['flop_per_s'] / 1e9:.0f} GFLOP/s (matrix product, single precision), "
        f"{facts['read_bytes_per_s'] / 1e9:.1f} GB/s (reading a cached file), "
        f"{facts['hash_bytes_per_s'] / 1e9:.1f} GB/s (SHA-256).",
        "",
        "| way | step | must do | at best, s | takes, s | share of the limit |",
        "| --- | --- | --- | --: | --: | --: |",
    ]
    for step, way, amount, rate, what in asked:
        takes, best = rows[step][way], amount / rate
        share = f"{best / takes:.0%}" if takes else "–"
        does = f"{what}: {amount / 1e9:.2f} G"
        lines.append(f"| {way} | {step} | {does} | {best:.2f} | {takes or 0:.2f} | {share} |")
    return lines


def growth(given: argparse.Namespace, folder: Path) -> list[str]:
    """Our run on the same hand with more slices, and with finer voxels."""
    shape = json.loads(
        subprocess.run(
            [sys.executable, "-m", "napari_vbmd", "info", str(given.scan), "--json"],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
    )["shape_zyx"]
    deep, wide = GROWTH_QUICK if given.quick else (GROWTH_SLICES, GROWTH_WIDTHS)
    sizes = [(n, shape[2]) for n in deep] + [(shape[0], n) for n in wide]
    lines = ["| slices | pixels across | s | CPU s | peak beyond libraries, MB |"]
    lines += ["| --: | --: | --: | --: | --: |"]
    for slices, width in dict.fromkeys(sizes):
        start("grow", given, folder, given.scan, "--grow", slices, width)
        runs = [
            start(given.method[0], given, folder, folder / "GROWN.ISQ") for _ in range(given.rounds)
        ]
        wall, cpu = (_median(runs, lambda r, k=key: r[k]) for key in ("wall", "cpu"))
        peak = _median(runs, lambda r: r["peak"] - r["baseline"]) / 1e6
        lines.append(f"| {slices} | {width} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |")
    return lines


def machine() -> str:
    """Cores, memory, processor and system, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{cores} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--scan", type=Path, help="an ISQ of a hand")
    parser.add_argument("--mask", type=Path, help="the expert's, for the port's later steps")
    parser.add_argument("--quick", action="store_true", help="the small sample hand instead")
    parser.add_argument("--method", nargs="+", default=["unet-2d-fine", "unet-3d"])
    parser.add_argument("--rounds", type=int, default=3, help="runs of each way (default 3)")
    parser.add_argument("--holes", choices=("none", "box"), default="none", help="of the port")
    parser.add_argument("--growth", action="store_true", help="only ours, on more and more voxels")
    parser.add_argument("--markdown", type=Path, metavar="OUT", help="write the tables there too")
    parser.add_argument("--folder", type=Path, help="where files go meanwhile")
    parser.add_argument("--size", type=int, nargs=3, default=(80, 512, 512), help=argparse.SUPPRESS)
    parser.add_argument("--grow", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.quick:
        given.scan = SAMPLE / "phantom_hand.isq"
        given.mask = SAMPLE / "phantom_hand_expert.aim"
        given.size = SMALL
    if not (given.scan and given.mask):
        parser.error("give --scan and --mask, or --quick")
    given.size = tuple(given.size)
    return given


def main() -> None:
    given = _arguments()
    if given.child:
        print(json.dumps(child(given)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        tables = (growth if given.growth else compared)(given, Path(name))
    text = "\n".join([f"{machine()}; medians of {given.rounds}.", "", *tables])
    print(text)
    if given.markdown:
        given.markdown.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
