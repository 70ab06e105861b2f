"""Removing a layer must not end the process."""

import subprocess
import sys

REMOVE_AFTER_PAINTING = """
import os
import napari
import numpy as np
from qtpy.QtWidgets import QApplication
from napari_vbmd.plugin.graphics import free_safely

viewer = napari.Viewer()
free_safely(viewer)
mask = np.zeros((4, 40, 40), np.uint8)

def draw():
    for _ in range(10):
        QApplication.processEvents()

for _ in range(2):
    viewer.add_image(mask.astype(float))
    viewer.add_labels(mask.copy()).mode = "paint"
    draw()
    while viewer.layers:
        viewer.layers.pop()
        draw()
print("lived", flush=True)
os._exit(0)
"""


def test_layers_may_be_removed_after_painting():
    done = subprocess.run(
        [sys.executable, "-c", REMOVE_AFTER_PAINTING], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "lived", done.stderr[-2000:]
