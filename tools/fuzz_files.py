"""Read thousands of broken files: none may crash, hang, fill memory or invent voxels.

    python tools/fuzz_files.py [--count N] [--formats ISQ AIM ...] [--first N] [--json]

Every case follows from its format and number, so that a finding can be repeated: `--formats AIM
--first 1234 --count 1`. The readers run in a process of their own, which is watched; a crash or a
hang costs one case.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from pathlib import Path

from fuzz_mutations import mutated
from fuzz_oracle import check
from fuzz_seeds import make_seeds

FORMATS = ("ISQ", "AIM", "NIfTI", "NRRD", "MetaImage", "DICOM")
TEXT = ("NRRD", "MetaImage")
HANGS_AFTER = 30  # seconds without a new case
MEMORY = 1 << 30  # bytes that the reading process may take beyond what it begins with
JUSTIFIED, LITTLE = 32, 8 << 20  # what may be allocated: times the file, and bytes besides


def main() -> int:
    """Run, print a summary, and say by the exit status whether something was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, default=20_000, help="cases of each format")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--worker", nargs=2, metavar=("FOLDER", "FORMAT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(Path(given.worker[0]), given.worker[1], given.first, given.count)
        return 0
    results = {kind: watch(kind, given.first, given.count) for kind in given.formats}
    print(json.dumps(results) if given.json else summary(results), flush=True)
    return 1 if any(result["findings"] for result in results.values()) else 0


def watch(kind: str, first: int, count: int) -> dict:
    """Run the cases of one format in watched processes."""
    start, seen, findings, next_case = time.monotonic(), Counter(), [], first
    with tempfile.TemporaryDirectory() as folder:
        while next_case < first + count:
            log = Path(folder) / "log"
            log.write_text("")
            words = ["--worker", folder, kind, "--first", next_case]
            words += ["--count", first + count - next_case]
            status = _run([sys.executable, __file__, *map(str, words)], log)
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            seen.update(line["outcome"] for line in lines)
            findings += [line for line in lines if line["finding"]]
            next_case += len(lines)
            if next_case < first + count:  # it did not come to its end
                findings.append({"case": next_case, "finding": status})
                next_case += 1
    seconds = round(time.monotonic() - start, 1)
    return {"cases": count, **seen, "findings": findings, "seconds": seconds}


def _run(command: list[str], log: Path) -> str:
    """Run a worker to its end, or until it says nothing more."""
    with open(log.with_name("errors"), "w+") as errors:
        process = subprocess.Popen(command, stdout=errors, stderr=errors)
        size, since = -1, time.monotonic()
        while process.poll() is None:
            time.sleep(0.05)
            if log.stat().st_size != size:
                size, since = log.stat().st_size, time.monotonic()
            elif time.monotonic() - since > HANGS_AFTER:
                process.kill()
                process.wait()
                return f"hangs for {HANGS_AFTER} s"
        errors.seek(0)
        return f"crash, status {process.returncode}: {errors.read()[-300:]}"


def work(folder: Path, kind: str, first: int, count: int) -> None:
    """Read the cases one after the other; one line of the log for each."""
    from napari_vbmd.io.files import read_scan

    seeds_folder = Path(tempfile.mkdtemp(dir=folder))
    seeds = make_seeds(seeds_folder)[kind]
    read_scan(seeds[0].parent if kind == "DICOM" else seeds[0])  # imports and caches come first
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    with open(folder / "log", "w") as log:
        for case in range(first, first + count):
            outcome, finding = _one(kind, case, seeds, read_scan)
            log.write(json.dumps({"case": case, "outcome": outcome, "finding": finding}) + "\n")
            log.flush()


def _one(kind: str, case: int, seeds: list[Path], read_scan) -> tuple[str, str]:
    from napari_vbmd.errors import FileFormatError

    rng = random.Random(f"{kind} {case}")
    seed = rng.choice(seeds)
    whole = seed.read_bytes()
    data = mutated(whole, rng, kind in TEXT)
    path = seed if kind == "DICOM" else seed.with_name(f"broken{''.join(seed.suffixes)}")
    path.write_bytes(data)
    tracemalloc.start()
    try:
        scan = read_scan(path.parent if kind == "DICOM" else path)
        peak = tracemalloc.get_traced_memory()[1]
        wrong = check(kind, path, scan)
        del scan
        return "read", wrong or _memory(peak, len(data))
    except FileFormatError as error:
        peak = tracemalloc.get_traced_memory()[1]
        one_line = str(error).isprintable() and len(str(error)) < 1000
        if "memory" in str(error):
            return "refused", f"tries to allocate too much: {error}"
        return "refused", _memory(peak, len(data)) if one_line else f"message: {error!r}"
    except BaseException as error:
        return "raised", f"{type(error).__name__}: {error}"
    finally:
        tracemalloc.stop()
        if kind == "DICOM":
            seed.write_bytes(whole)


def _memory(peak: int, size: int) -> str:
    return f"{peak} bytes allocated for {size}" if peak > JUSTIFIED * size + LITTLE else ""


def summary(results: dict) -> str:
    """A table for people, and every finding."""
    lines = ["| format | cases | read | refused | findings | seconds |", "|" + " --- |" * 6]
    for kind, r in results.items():
        row = kind, r["cases"], r.get("read", 0), r.get("refused", 0), len(r["findings"])
        lines.append("| " + " | ".join(map(str, (*row, r["seconds"]))) + " |")
    for kind, r in results.items():
        lines += [f"{kind} {f['case']}: {f['finding']}" for f in r["findings"][:20]]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
