"""From case to case in the worklist, full size, in the real window: waits and stalls.

    sh tools/with_display.sh python benchmarks/worklist.py [--rounds 3] [--scan FILE --mask FILE]

Prints a Markdown table: seconds from the key until the next case can be painted on, and the longest
time in which the window did not answer meanwhile, medians over the rounds. Without a scan one is
made; the cases are links to it, in the system's cache as after loading ahead.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from annotate import Stalls, settle
from measure_full_scan import MASK, SCAN, make

CASES = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scan", type=Path)
    parser.add_argument("--mask", type=Path)
    args = parser.parse_args()
    beside = args.scan.parent if args.scan else None  # links stay on one disk
    with tempfile.TemporaryDirectory(dir=beside) as name:
        folder = Path(name)
        os.environ |= {"VBMD_RESCUE": name, "VBMD_SETTINGS": name}
        if args.scan is None:
            make(folder, (240, 1536, 1536))
            args.scan, args.mask = folder / SCAN, folder / MASK
        run(study(folder, args.scan, args.mask), args.rounds)


def study(folder: Path, scan: Path, mask: Path) -> Path:
    """A manifest of links to one scan, each with a mask and an expert's mask."""
    rows = ["scan,mask,expert"]
    for number in range(CASES):
        link = folder / f"case{number}{scan.suffix}"
        os.link(scan, link)
        rows.append(f"{link.name},{mask.absolute()},{mask.absolute()}")
    path = folder / "cases.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


class Waits(Stalls):
    """Until another case is in view, and the window has come to rest."""

    def __init__(self, desk):
        super().__init__()
        self._desk, self._shown = desk, []
        desk.shown.connect(lambda: self._shown.append(time.perf_counter()))

    def until_shown(self, start) -> tuple[float, float]:
        from qtpy.QtWidgets import QApplication

        self._shown.clear()
        self.longest, self._last = 0.0, time.perf_counter()
        self._timer.start()
        began = time.perf_counter()
        start()
        rest = began + 120
        while time.perf_counter() < rest:
            QApplication.processEvents()
            time.sleep(0.001)
            if self._shown and not self._desk.busy:
                rest = min(rest, self._shown[-1] + 0.3)
        self._timer.stop()
        return self._shown[-1] - began, self.longest


def run(manifest: Path, rounds: int) -> None:
    import napari

    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1366, 768)
    for name in ("Correct", "Measure", "Worklist"):
        _, page = viewer.window.add_plugin_dock_widget("napari-vbmd", name, tabify=True)
    page.annotator.setText("A")
    page.annotator.editingFinished.emit()
    desk = page.desk
    timed = Waits(desk).until_shown
    rows = {"open the manifest, first case": [timed(lambda: page.open_manifest(str(manifest)))]}
    for _ in range(rounds):
        for name, edited, step in (
            ("next, loaded ahead", False, +1),
            ("next, with edits to save", True, +1),
            ("back, not loaded", False, -1),
            ("back again", False, -1),
        ):
            loaded(desk)
            if edited:
                stroke(page.mask.layer)
                settle(viewer)
            rows.setdefault(name, []).append(timed(lambda step=step: desk.step(step)))
    print("| step | seconds | longest stall, s |\n| --- | --: | --: |")
    for name, times in rows.items():
        seconds, stall = (statistics.median(one) for one in zip(*times, strict=True))
        print(f"| {name} | {seconds:.2f} | {stall:.2f} |")
    settle(viewer)
    viewer.close()


def loaded(desk) -> None:
    """Wait until the next case is loaded ahead."""
    from qtpy.QtWidgets import QApplication

    while desk.ahead.busy:
        QApplication.processEvents()
        time.sleep(0.01)


def stroke(mask) -> None:
    z = int(np.flatnonzero(mask.data.any(axis=(1, 2))).mean())
    y, x = (int(n.mean()) for n in np.nonzero(mask.data[z]))
    mask.brush_size = 40
    mask.paint((z, y, x), 0 if mask.data[z, y, x] else 1)


if __name__ == "__main__":
    main()
