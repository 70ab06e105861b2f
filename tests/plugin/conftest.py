"""A small bone in a scan file, a viewer, and hands that press its real buttons."""

import gc
import hashlib
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from napari.layers import Image, Labels, Layer
from napari.utils.notifications import notification_manager
from npe2 import PluginManager
from qtpy.QtCore import QCoreApplication, QEvent, Qt

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import read_scan
from napari_vbmd.io.isq import write_isq
from napari_vbmd.plugin.layers import add_mask, mask_to_layer, scan_to_layer
from napari_vbmd.scan import Mask

PLUGIN = "napari-vbmd"
SHAPE = (24, 64, 112)
SPACING_MM = (0.082,) * 3
CALIBRATION = Calibration(8192.0, 0.2409, 1603.51904, -391.209015, source="test")
SHELL, MARROW, TISSUE = 800.0, 100.0, 40.0  # mg HA/cm3
LONGEST_WAIT_MS = 30_000


class Tube(NamedTuple):
    """A scan file of two bones, tubes along z, and the mask of the larger one."""

    path: Path
    mask: np.ndarray
    small: np.ndarray
    grid: Grid
    density: np.ndarray

    @property
    def mean(self) -> float:
        """Mean density within the mask, as stored in whole native units."""
        return float(self.density[self.mask != 0].mean())


class Gate:
    """Holds work in its thread, at its report of progress, until the test lets it go on."""

    def __init__(self):
        self.entered, self.opened = threading.Event(), threading.Event()
        self.outcome = None

    def wait(self) -> None:
        """For the worker: say that it has come here, and wait."""
        self.entered.set()
        assert self.opened.wait(LONGEST_WAIT_MS / 1000)

    def around(self, function):
        """The function, held before its first report; how it ended is kept in ``outcome``."""

        def held(*args, **kwargs):
            try:
                self.wait()
                result = function(*args, **kwargs)
            except BaseException as error:
                self.outcome = type(error).__name__
                raise
            self.outcome = "returned"
            return result

        return held


def _tube(centre_x: float, outer: float, inner: float):
    _, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    radius = np.broadcast_to(np.hypot(y - 31.5, x - centre_x), SHAPE)
    return radius < outer, (radius < outer) & (radius >= inner)


@pytest.fixture(autouse=True)
def _no_needless_waiting(monkeypatch):
    """Spare every viewer a search for plugins, and a look through all of the imported libraries.

    napari's fixture collects garbage three times a test; what the first test has imported stays.
    """
    if PLUGIN in PluginManager.instance():
        monkeypatch.setattr(PluginManager, "discover", lambda *args, **kwargs: 0)
    yield
    if PLUGIN in PluginManager.instance() and not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True)
def rescue_folder(monkeypatch, tmp_path_factory) -> Path:
    """Edited masks are kept in a folder of the test's own, and no other test's are offered."""
    folder = tmp_path_factory.mktemp("rescue")
    monkeypatch.setenv("VBMD_RESCUE", str(folder))
    return folder / "rescue"


@pytest.fixture(autouse=True)
def _settings_folder(monkeypatch, tmp_path_factory) -> None:
    """What is remembered of the user is the test's own."""
    monkeypatch.setenv("VBMD_SETTINGS", str(tmp_path_factory.mktemp("settings")))


@pytest.fixture(scope="session")
def tube(tmp_path_factory) -> Tube:
    large, large_shell = _tube(32, 20, 15)
    small, small_shell = _tube(88, 13, 9)
    density = np.full(SHAPE, TISSUE)
    density[large | small] = MARROW
    density[large_shell | small_shell] = SHELL
    density += np.random.default_rng(0).normal(0, 20, SHAPE)
    native = np.rint(CALIBRATION.linear("density", "native")(density)).astype(np.int16)
    path = tmp_path_factory.mktemp("scan") / "tube.isq"
    write_isq(path, native, SPACING_MM, CALIBRATION)
    stored = CALIBRATION.linear("native", "density")(native.astype(float))
    masks = large.astype(np.uint8), small.astype(np.uint8)
    return Tube(path, *masks, Grid(SHAPE, SPACING_MM), stored)


@pytest.fixture
def digest():
    """The hash of a file, to see that nobody wrote to it."""
    return lambda path: hashlib.sha256(Path(path).read_bytes()).hexdigest()


@pytest.fixture
def scan_layer(tube) -> Image:
    """The scan as a layer, without a viewer; memory-mapped and calibrated."""
    return Layer.create(*scan_to_layer(read_scan(tube.path)))


@pytest.fixture
def plain_layer(tube) -> Image:
    """The same voxels as another plugin would show them: in mm, without any calibration."""
    voxels = np.asarray(read_scan(tube.path).voxels)
    return Image(voxels, name="plain", scale=SPACING_MM, units=("mm",) * 3)


@pytest.fixture
def mask_layer(tube) -> Labels:
    """The mask as a layer, without a viewer."""
    return Layer.create(*mask_to_layer(Mask(tube.mask.copy(), tube.grid), "mask"))


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def open_scan(tube):
    """Open the scan's file in a viewer, as dropping it would."""
    return lambda viewer: viewer.open(tube.path, plugin=PLUGIN)[0]


@pytest.fixture
def scan(viewer, open_scan) -> Image:
    return open_scan(viewer)


@pytest.fixture
def mask(viewer, scan, tube) -> Labels:
    """The larger bone's mask, above the scan in the viewer."""
    return add_mask(viewer, Mask(tube.mask.copy(), tube.grid), "mask")


@pytest.fixture
def dock(viewer):
    """Open a dock by its name, as the Plugins menu does."""
    return lambda name, of=viewer: of.window.add_plugin_dock_widget(PLUGIN, name)[1]


@pytest.fixture
def close_dock(viewer):
    """Press the cross in a dock's title bar."""

    def close(page) -> None:
        page.parent().title.close_button.click()
        for _ in range(2):
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            QCoreApplication.processEvents()

    return close


@pytest.fixture
def click(qtbot):
    """A click with the left mouse button on an enabled button."""

    def press(button) -> None:
        assert button.isEnabled(), button.toolTip()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return press


@pytest.fixture
def ended(qtbot):
    """Wait until a dock's work has ended, whichever way."""

    def wait(page) -> None:
        qtbot.waitUntil(lambda: not page.run_bar.running, timeout=LONGEST_WAIT_MS)

    return wait


@pytest.fixture
def run(click, ended):
    """Press a dock's primary button and wait for the end of its work."""

    def press(page) -> None:
        click(page.run_bar.button)
        ended(page)

    return press


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def entered(qtbot, gate):
    """Wait until the work has come to the gate."""
    return lambda: qtbot.waitUntil(gate.entered.is_set, timeout=LONGEST_WAIT_MS)


@pytest.fixture
def notes():
    """The texts of napari's notifications."""
    texts = []

    def keep(notification) -> None:
        texts.append(notification.message)

    notification_manager.notification_ready.connect(keep)
    yield texts
    notification_manager.notification_ready.disconnect(keep)
