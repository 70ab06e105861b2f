"""ImageNet weights for the encoder."""

import hashlib

import pytest
import torch

from napari_vbmd.errors import FileFormatError, ParameterError
from napari_vbmd.study.encoder import encoder_weights, put_encoder


@pytest.fixture(scope="module")
def network():
    from napari_vbmd.segmentation.networks import unet_2d

    return unet_2d()


@pytest.fixture
def torchvisions(network):
    """As torchvision writes a ResNet34, with three colours and a classifier."""
    torch.manual_seed(0)
    state = {key: torch.rand_like(value) if value.is_floating_point() else value
             for key, value in network.encoder.state_dict().items()}  # fmt: skip
    state["conv1.weight"] = torch.rand(64, 3, 7, 7)
    return state | {"fc.weight": torch.rand(1000, 512), "fc.bias": torch.rand(1000)}


def test_a_file_of_torchvision_goes_into_the_encoder(tmp_path, network, torchvisions):
    torch.save(torchvisions, tmp_path / "resnet34.pth")
    put_encoder(network, encoder_weights(tmp_path / "resnet34.pth"), "resnet34.pth")
    inside = network.encoder.state_dict()
    torch.testing.assert_close(
        inside["layer4.2.conv2.weight"], torchvisions["layer4.2.conv2.weight"]
    )
    torch.testing.assert_close(inside["conv1.weight"], torchvisions["conv1.weight"].sum(1, True))


def test_files_that_are_something_else_are_refused(tmp_path, network, refused):
    missing, broken, other = (tmp_path / name for name in ("none.pth", "broken.pth", "other.pth"))
    broken.write_bytes(b"no weights")
    torch.save({"a": torch.zeros(2)}, other)
    for path, said in (
        (missing, "no such file; get https"),
        (broken, "damaged"),
        (other, "no ResNet34"),
    ):
        with refused(FileFormatError, path, said):
            encoder_weights(path)
    with refused(FileFormatError, other, "no torchvision resnet34"):
        put_encoder(network, {"conv1.weight": torch.zeros(64, 3, 7, 7)}, str(other))


def test_a_download_is_compared_with_the_hash_in_its_name(tmp_path, monkeypatch, torchvisions):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    torch.save(torchvisions, tmp_path / "weights.pth")
    digest = hashlib.sha256((tmp_path / "weights.pth").read_bytes()).hexdigest()
    right = tmp_path / f"resnet34-{digest[:8]}.pth"
    wrong = tmp_path / "resnet34-00000000.pth"
    for path in (right, wrong):
        path.write_bytes((tmp_path / "weights.pth").read_bytes())
    assert encoder_weights(None, right.as_uri()).keys() == torchvisions.keys()
    with pytest.raises(ParameterError, match="invalid hash value"):
        encoder_weights(None, wrong.as_uri())


def test_offline_it_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    with pytest.raises(ParameterError, match="give the file with --encoder") as caught:
        encoder_weights(None, (tmp_path / "resnet34-b627a593.pth").as_uri())
    assert str(caught.value).isprintable()
