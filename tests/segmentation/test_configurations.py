import dataclasses
import subprocess
import sys

import pytest
from torch import nn

from napari_vbmd.segmentation.configurations import CONFIGURATIONS, WEIGHTS_FOLDER


def test_the_published_networks_are_there_and_the_fine_stage():
    assert list(CONFIGURATIONS) == ["unet-2d", "unet-2d-pretrained", "unet-3d", "unet-2d-fine"]
    assert all(name == each.name for name, each in CONFIGURATIONS.items())
    assert all(each.summary.endswith(".") for each in CONFIGURATIONS.values())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("unet-2d", 24_430_097),
        ("unet-2d-pretrained", 24_430_097),
        ("unet-3d", 111_386),
        ("unet-2d-fine", 758_577),
    ],
)
def test_each_builds_its_network(name, parameters):
    network = CONFIGURATIONS[name].build()
    assert isinstance(network, nn.Module)
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_two_networks_of_a_configuration_share_nothing():
    one, two = (CONFIGURATIONS["unet-3d"].build() for _ in range(2))
    assert not {id(p) for p in one.parameters()} & {id(p) for p in two.parameters()}


@pytest.mark.parametrize(
    ("name", "dims", "rate", "batch"),
    [("unet-2d", 2, 1e-5, 4), ("unet-2d-pretrained", 2, 1e-5, 4), ("unet-3d", 3, 1e-4, 1)],
)
def test_training_is_recorded_as_published(name, dims, rate, batch):
    it = CONFIGURATIONS[name]
    assert (it.dims, it.learning_rate, it.batch_size) == (dims, rate, batch)
    assert (it.loss, it.optimiser) == ("Dice", "Adam")
    assert it.pretrained_encoder == (name == "unet-2d-pretrained")


def test_a_configuration_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONFIGURATIONS["unet-2d"].dims = 3


def test_without_shipped_weights_there_is_no_path():
    bare = dataclasses.replace(CONFIGURATIONS["unet-3d"], weights_file="")
    assert bare.weights_path is None
    assert dataclasses.replace(bare, weights_file="none-such.pt").weights_path is None


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_shipped_weights_have_a_hash_and_are_there(name):
    it = CONFIGURATIONS[name]
    if it.weights_file:
        assert (WEIGHTS_FOLDER / it.weights_file).is_file()
        assert len(it.weights_sha256) == 64
        assert it.normalisation is not None


def test_neither_torch_nor_monai_is_imported_before_a_network_is_needed():
    code = (
        "import sys; from napari_vbmd.segmentation import configurations, methods, network_method;"
        "assert not {'torch', 'monai'} & set(sys.modules), 'imported too early'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
