"""A network in ONNX Runtime gives what it gives in torch, and torch steps in where it cannot."""

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_vbmd.errors import ParameterError
from napari_vbmd.grid import place
from napari_vbmd.io.files import read_scan
from napari_vbmd.segmentation import onnx_cache, onnx_export, runtimes
from napari_vbmd.segmentation.configurations import CONFIGURATIONS
from napari_vbmd.segmentation.methods import segment
from napari_vbmd.segmentation.network_method import NetworkParameters
from napari_vbmd.segmentation.onnx_export import AROUND_BONE, NEIGHBOURS, SLICES, VOLUME
from napari_vbmd.segmentation.onnx_network import OnnxNetwork
from napari_vbmd.segmentation.runtimes import ready
from napari_vbmd.segmentation.weights import load_network

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnx", reason="the extra onnx is not installed")
SAMPLE = Path(__file__).parents[2] / "sample_data" / "phantom_hand.isq"


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty one, and no network kept from before."""
    monkeypatch.setenv("VBMD_CACHE", str(tmp_path))
    runtimes._in_onnx.cache_clear()
    return tmp_path / "networks"


def shipped(name: str, part: str = ""):
    network, weights = load_network(CONFIGURATIONS[name])
    return (getattr(network, part) if part else network), weights.sha256


def untrained():
    torch.manual_seed(0)
    return CONFIGURATIONS["unet-2d"].build().eval(), "0" * 64


# The largest difference of two logits, where the largest logits are 5 to 15. unet-3d divides by
# the standard deviation of nearly even channels, which magnifies the rounding of either.
@pytest.mark.parametrize(
    ("made", "seen", "shape", "logits_apart"),
    [
        (untrained, SLICES, (3, 1, 96, 64), 1e-5),
        (lambda: shipped("unet-3d"), VOLUME, (1, 1, 48, 64, 32), 0.03),
        (lambda: shipped("unet-2d-fine", "ends"), AROUND_BONE, (1, 1, 40, 96, 96), 1e-4),
        (lambda: shipped("unet-2d-fine", "outline"), NEIGHBOURS, (3, 3, 80, 48), 1e-4),
    ],
)
def test_logits_are_those_of_torch_at_any_size(own_cache, made, seen, shape, logits_apart):
    network, sha256 = made()
    in_onnx = ready(network, seen, sha256, choice="onnx")
    assert in_onnx.note == f"ONNX Runtime {onnxruntime.__version__}"
    batch = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        difference = (in_onnx.network(batch) - network(batch)).abs().max()
    assert difference < logits_apart
    assert not network.training, "the export must not touch the network"


def test_the_mask_of_the_sample_hand_is_the_same():
    masks, scan = {}, read_scan(SAMPLE)
    for runtime, said in (("torch", ", torch"), ("onnx", ", ONNX Runtime ")):
        found = segment(scan, "unet-3d", NetworkParameters(runtime=runtime))
        assert said in found.facts["device"]
        masks[runtime] = place(found.mask.grid, scan.grid).paste(found.mask.voxels) != 0
    a, b = masks.values()
    assert 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)) >= 0.9999


def test_it_is_exported_once_and_again_when_the_file_is_damaged(own_cache, monkeypatch):
    network, sha256 = shipped("unet-3d")
    exports, real = [], onnx_export.exported
    monkeypatch.setattr(
        onnx_export, "exported", lambda *given: exports.append(given) or real(*given)
    )

    def again():
        runtimes._in_onnx.cache_clear()  # as in another process
        assert isinstance(ready(network, VOLUME, sha256).network, OnnxNetwork)
        return len(exports)

    assert (again(), again()) == (1, 1)
    [file] = own_cache.iterdir()
    assert file.name.startswith(sha256)
    file.write_bytes(file.read_bytes()[:1000])
    assert (again(), again()) == (2, 2)


def test_a_model_of_a_whole_file_that_onnx_runtime_refuses_is_left_to_torch(own_cache):
    network, sha256 = shipped("unet-3d")
    onnx_cache.write(onnx_export._key(network, VOLUME, sha256), b"no model")
    assert ready(network, VOLUME, sha256).network is network


def test_an_export_that_fails_is_said_and_left_to_torch(own_cache, monkeypatch):
    network, sha256 = shipped("unet-3d")

    def fails(*_):
        raise RuntimeError("no such operator:\n  aten::new")

    monkeypatch.setattr(onnx_export, "exported", fails)
    found = ready(network, VOLUME, sha256)
    assert found.network is network
    assert found.note.startswith("torch, for ONNX Runtime did not take the network: no such oper")
    with pytest.raises(ParameterError, match="runtime onnx: this network cannot be run so"):
        ready(network, VOLUME, sha256, choice="onnx")
    assert not own_cache.exists()


def test_where_torch_is_faster_it_is_torch_unless_asked_for(own_cache):
    network, sha256 = shipped("unet-2d-fine", "ends")
    assert ready(network, AROUND_BONE, sha256).note == "torch"
    assert ready(network, AROUND_BONE, sha256, choice="onnx").note.startswith("ONNX Runtime")


def test_without_the_extra_it_is_torch_and_asking_for_it_is_refused(monkeypatch):
    monkeypatch.setattr(runtimes, "is_installed", lambda: False)
    network, sha256 = shipped("unet-3d")
    assert ready(network, VOLUME, sha256).note == "torch"
    with pytest.raises(ParameterError, match="pip install 'napari-vbmd"):
        NetworkParameters(runtime="onnx")
    with pytest.raises(ParameterError, match="runtime 'tensor' is not known"):
        NetworkParameters(runtime="tensor")


def test_on_a_gpu_and_when_chosen_it_is_torch():
    network, sha256 = shipped("unet-3d")
    assert ready(network, VOLUME, sha256, "cuda").network is network
    assert ready(network, VOLUME, sha256, choice="torch").network is network
