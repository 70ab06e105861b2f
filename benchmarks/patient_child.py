"""What one process of `patient.py` does: one run, timed, with its peak memory.

    python benchmarks/patient_child.py WHAT '{"scan": "HAND.ISQ", ...}'

WHAT is a method of ours, "straight port", "limits" or "grow"; the last line printed is the result.
"""

import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

from patient_steps import OURS, PORT, STEPS


def ours(scan: Path, out: Path, method: str):
    """Import what is not timed; gives the run and its seconds by step."""
    import napari_vbmd.segmentation  # noqa: F401  before torch: it says how threads wait

    # isort: split
    import torch  # noqa: F401

    from napari_vbmd.pipeline import run_patient
    from napari_vbmd.segmentation import folding, networks  # noqa: F401
    from napari_vbmd.segmentation.onnx_network import is_installed

    if is_installed():
        import onnxruntime  # noqa: F401

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
            "device": result.record["device"],
            "tt_vbmd_mg_cm3": found.tt_vbmd_mg_cm3,
            "voxels": found.voxels,
        }

    return run


def _step(text: str) -> str:
    if text in OURS:
        return OURS[text]
    stage = text.split(":")[0]
    return stage if stage in STEPS else "network"


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


def measured(what: str, given: dict) -> dict:
    """Import what is not timed, run once, and say seconds and memory."""
    scan, folder = Path(given["scan"]), Path(given["folder"])
    start = time.perf_counter()
    if what == PORT:
        from straight_port import port

        run = port(scan, Path(given["mask"]), folder, tuple(given["size"]), given["holes"])
    else:
        run = ours(scan, folder / "run", what)
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


def main() -> None:
    what, given = sys.argv[1], json.loads(sys.argv[2])
    if what == "limits":
        from patient_limits import limits

        result = limits(Path(given["scan"]), given["method"], tuple(given["size"]))
    elif what == "grow":
        result = grown(Path(given["scan"]), Path(given["out"]), given["slices"], given["width"])
    else:
        result = measured(what, given)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
