"""Batch norms folded into convolutions change the time, not the mask."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_vbmd.segmentation.configurations import CONFIGURATIONS
from napari_vbmd.segmentation.fine_networks import OutlineNet
from napari_vbmd.segmentation.folding import folded
from napari_vbmd.segmentation.inference import LEVELS, predict_slices
from napari_vbmd.segmentation.weights import load_network


@pytest.fixture
def trained() -> OutlineNet:
    """Batch norms with means, variances and factors that are not 0 and 1."""
    torch.manual_seed(0)
    network = OutlineNet((8, 12, 16))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight, 1, 0.2)
            nn.init.normal_(module.bias, 0, 0.2)
    return network.eval()


def norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_the_logits_are_those_of_the_plain_network_to_rounding(trained):
    seen = torch.randn(2, 3, 48, 32)
    with torch.inference_mode():
        torch.testing.assert_close(folded(trained)(seen), trained(seen), rtol=1e-4, atol=1e-4)


def test_no_batch_norm_is_left_and_the_plain_network_keeps_its_own(trained):
    before = norms(trained)
    assert norms(folded(trained)) == 0 < before == norms(trained)


def test_a_norm_before_its_convolution_is_left_alone():
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 3, 3))
    assert norms(folded(network)) == 1


def test_the_fast_path_of_the_shipped_network_gives_the_mask_of_the_plain_path():
    """All slices at once, not folded, in float: against batches, folded, channels last."""
    network = load_network(CONFIGURATIONS["unet-2d-fine"])[0].outline
    z, y, x = np.mgrid[:11, :96, :80].astype(np.float32)
    radius = np.hypot(y - 48 + z, x - 40)
    noise = np.random.default_rng(1).normal(0, 0.2, radius.shape)
    volume = (np.select([radius < 20, radius < 30], [0.3, 3.0], -0.5) + noise).astype(np.float32)
    held = np.concatenate([volume[:1], volume, volume[-1:]])
    seen = np.stack([held[:-2], held[1:-1], held[2:]], axis=1)
    with torch.no_grad():
        plain = network(torch.from_numpy(seen))[:, 0].sigmoid().numpy()
    fast = predict_slices(network, volume)
    assert (plain > 0.5).mean() > 0.05
    unsure = np.abs(plain - 0.5) < 1 / LEVELS  # stored in 255 steps, 0.5 lies between two
    assert np.array_equal((fast > LEVELS * 0.5)[~unsure], (plain > 0.5)[~unsure])
    assert unsure.mean() < 0.01
    assert np.abs(fast - plain * LEVELS).max() <= 0.51
