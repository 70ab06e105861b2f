import time

import pytest
import torch

from napari_vbmd.segmentation.configurations import CONFIGURATIONS
from napari_vbmd.segmentation.onnx_export import VOLUME, model_of
from napari_vbmd.segmentation.onnx_network import OnnxNetwork
from napari_vbmd.segmentation.weights import load_network

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnx", reason="the extra onnx is not installed")


def test_a_long_run_asks_whether_to_go_on_and_stops_when_not():
    network, weights = load_network(CONFIGURATIONS["unet-3d"])
    it = OnnxNetwork(model_of(network, VOLUME, weights.sha256), threads=1)
    seen, asked = torch.zeros(1, 1, 64, 192, 192), []

    def tick():
        asked.append(time.monotonic())
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        it.watched(seen, tick)
    assert len(asked) == 1
    stopped = time.monotonic() - start
    start = time.monotonic()
    assert it.watched(seen, lambda: None).shape == seen.shape
    assert stopped < time.monotonic() - start, "a run that is stopped is not waited for to its end"
