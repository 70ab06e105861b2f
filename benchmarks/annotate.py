"""An annotator's waits on a full-size scan in the real window.

From a stroke to the new number, each tool, and the longest time in which the window did not answer.

    sh tools/with_display.sh python benchmarks/annotate.py [--strokes 300] [--shape 240 1536 1536]

Prints Markdown tables. The number's time is that spent in following the stroke, painting itself
excluded; the table and the plot follow when the hand rests and are not in it.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from measure_full_scan import EXPERT, SCAN, WHOLE, make


class Stalls:
    """The longest time between two ticks of the window's clock."""

    def __init__(self):
        from qtpy.QtCore import QTimer

        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._tick)
        self.longest, self._last = 0.0, time.perf_counter()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def during(self, page, start) -> tuple[float, float]:
        """Seconds until a page's work has ended, and the longest stall meanwhile."""
        from qtpy.QtWidgets import QApplication

        self.longest, self._last = 0.0, time.perf_counter()
        self._timer.start()
        began = time.perf_counter()
        start()
        self._tick()
        while page.run_bar.running:
            QApplication.processEvents()
            time.sleep(0.001)
        seconds = time.perf_counter() - began
        QApplication.processEvents()
        self._tick()
        self._timer.stop()
        return seconds, self.longest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=300)
    parser.add_argument("--shape", type=int, nargs=3, default=(240, 1536, 1536))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["VBMD_RESCUE"] = name
        make(Path(name), tuple(args.shape))
        run(Path(name), args)


def run(folder: Path, args) -> None:
    import napari

    from napari_vbmd.plugin.live_mask import LiveMask

    spent = []
    notice = LiveMask._notice

    def timed(self, event):
        began = time.perf_counter()
        notice(self, event)
        spent[-1] += time.perf_counter() - began

    LiveMask._notice = timed
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1366, 768)
    spent.append(0.0)
    scan, mask, expert = (
        viewer.open(folder / one, plugin="napari-vbmd")[0] for one in (SCAN, WHOLE, EXPERT)
    )
    measure = viewer.window.add_plugin_dock_widget("napari-vbmd", "Measure")[1]
    correct = viewer.window.add_plugin_dock_widget("napari-vbmd", "Correct", tabify=True)[1]
    measure.mask.pick(mask)
    measure.expert.pick(expert)
    correct.mask.pick(mask)
    correct.scan.pick(scan)
    stalls = Stalls()
    rows = [("measure", *stalls.during(measure, measure.run_bar.button.click))]
    strokes(viewer, mask, spent, args.strokes)
    rows += tools(correct, stalls)
    rows += reviewed(measure, stalls)
    print("\n| step | seconds | longest stall, s |\n| --- | --: | --: |")
    for name, seconds, stall in rows:
        print(f"| {name} | {seconds:.2f} | {stall:.2f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\n{peak:.2f} GB at the peak, with the scan's mapped pages and two masks.")
    settle(viewer)
    viewer.close()


def settle(viewer) -> None:
    """Let the last copy of the edited mask be kept: its folder goes afterwards."""
    from qtpy.QtWidgets import QApplication

    from napari_vbmd.plugin import autosave

    while autosave._guards[viewer].busy:
        QApplication.processEvents()
        time.sleep(0.01)


def strokes(viewer, mask, spent, count: int) -> None:
    """Paint and erase at random on the bone, undo now and then."""
    from qtpy.QtWidgets import QApplication

    random = np.random.default_rng(0)
    slices = np.flatnonzero(mask.data.any(axis=(1, 2)))
    y, x = (int(n.mean()) for n in np.nonzero(mask.data[slices[len(slices) // 2]]))
    whole = []
    for _ in range(count):
        z = int(random.choice(slices))
        viewer.dims.set_point(0, z * mask.scale[0])
        QApplication.processEvents()
        mask.brush_size = int(random.choice([5, 20, 60]))
        at = (z, y + int(random.integers(-90, 90)), x + int(random.integers(-90, 90)))
        spent.append(0.0)
        began = time.perf_counter()
        if random.random() < 0.15:
            mask.undo()
        else:
            mask.paint(at, int(random.integers(0, 2)))
        whole.append(time.perf_counter() - began)
    following = np.array(spent[-count:]) * 1000
    print("| from stroke to number, ms | median | 99th percentile | longest |")
    print("| --- | --: | --: | --: |")
    for name, times in (("following", following), ("with painting", np.array(whole) * 1000)):
        median, high = np.percentile(times, [50, 99])
        print(f"| {name} | {median:.1f} | {high:.1f} | {times.max():.1f} |")


def tools(correct, stalls):
    """Every tool by its button, undone afterwards."""
    layer = correct.mask.layer
    for (group, name), button in correct.buttons.items():
        if name.startswith("Copy"):
            continue
        yield f"{name}, {group.lower()}", *stalls.during(correct, button.click)
        layer.undo()

    z, y, x = (int(n.mean()) for n in np.nonzero(layer.data))
    at = layer.data_to_world((z, y, x))
    correct.viewer.dims.set_point(0, at[0])
    yield "Contour from a click", *stalls.during(correct, lambda: correct.contour._clicked(at))
    layer.undo()


def reviewed(measure, stalls):
    """The comparison with the expert's mask, and steps to the next worst slices."""
    review = measure.open_dock("Review")
    yield "review: compare", *stalls.during(review, review.run_bar.button.click)
    for _ in range(3):
        yield "review: next worst", *stalls.during(review, review.next)


if __name__ == "__main__":
    main()
