"""Processes of a benchmark: each run in one of its own.

The parent imports nothing heavy: a child's peak memory would begin at its parent's size.
"""

import json
import subprocess
import sys
from pathlib import Path

CHILD = Path(__file__).with_name("patient_child.py")


def start(what: str, **given: object) -> dict:
    """Run one way, or make something, in a process; gives what it found."""
    words = json.dumps(given, default=str)
    command = [sys.executable, "-W", "ignore", str(CHILD), what, words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    print(what, words, file=sys.stderr, flush=True)
    return json.loads(done.stdout.splitlines()[-1])


def read_once(file: Path) -> None:
    """Bring a file into the system's cache, or the first run alone would wait for the disk."""
    with open(file, "rb", buffering=0) as opened:
        while opened.read(1 << 24):
            pass


def shape_of(scan: Path) -> list[int]:
    """Voxels along z, y and x, as `napari-vbmd info` says."""
    command = [sys.executable, "-m", "napari_vbmd", "info", str(scan), "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)[
        "shape_zyx"
    ]
