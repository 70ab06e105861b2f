import dataclasses
import json
import os

import numpy as np
import pytest
import torch

from napari_vbmd.errors import FileFormatError, ParameterError, WriteError
from napari_vbmd.segmentation import weights_file
from napari_vbmd.segmentation.configurations import CONFIGURATIONS
from napari_vbmd.segmentation.weights import find_weights, load_network
from napari_vbmd.segmentation.weights_file import WeightsInfo, read_weights, save_weights

DEEP = CONFIGURATIONS["unet-3d"]
INFO = WeightsInfo("unet-3d", 0.2, 0.3, held_out_dice=0.97, trained_on="two phantoms")


@pytest.fixture
def bare():
    """The configuration as it is without shipped weights."""
    return dataclasses.replace(DEEP, weights_file="", weights_sha256=None)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return DEEP.build()


@pytest.fixture
def file(tmp_path, network):
    path = tmp_path / "own.pt"
    save_weights(path, network, INFO, half=False)
    return path


def test_what_was_saved_comes_back(file, network):
    loaded, weights = load_network(DEEP, file)
    assert not loaded.training
    assert weights.info == INFO
    assert (weights.info.normalisation.mean, weights.info.normalisation.sd) == (0.2, 0.3)
    for key, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)


def test_one_flipped_byte_is_found(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(FileFormatError, match="damaged"):
        load_network(DEEP, file)


def test_a_file_that_is_replaced_while_it_is_read_is_refused(file, monkeypatch, refused):
    whole = weights_file._hash

    def replaced(path):
        found = whole(path)
        os.utime(path, ns=(0, 0))
        return found

    monkeypatch.setattr(weights_file, "_hash", replaced)
    with refused(FileFormatError, file, "was replaced while it was read"):
        load_network(DEEP, file)


@pytest.mark.parametrize("value", [None, 3])
def test_what_is_no_tensor_is_refused(file, value):
    content = torch.load(file, weights_only=True)
    content["tensors"][next(iter(content["tensors"]))] = value
    torch.save(content, file)
    with pytest.raises(FileFormatError, match="no tensor"):
        load_network(DEEP, file)


def test_half_precision_is_half_the_size_and_almost_the_same(tmp_path, file, network):
    path = tmp_path / "half.pt"
    save_weights(path, network, INFO)
    assert path.stat().st_size < 0.6 * file.stat().st_size
    loaded, _ = load_network(DEEP, path)
    for key, value in loaded.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.allclose(value, network.state_dict()[key], atol=1e-3)


def test_saving_gives_the_files_hash_and_leaves_nothing_else(tmp_path, network):
    digest = save_weights(tmp_path / "a.pt", network, INFO)
    assert read_weights(tmp_path / "a.pt", digest).sha256 == digest
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_saving_changes_nothing_of_the_network(tmp_path, network):
    save_weights(tmp_path / "a.pt", network, INFO)
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_a_folder_that_is_not_there_is_refused(tmp_path, network, refused):
    with refused(WriteError, tmp_path / "none" / "a.pt"):
        save_weights(tmp_path / "none" / "a.pt", network, INFO)


# what is wrong with a file


def test_a_missing_file(tmp_path, refused):
    with refused(FileFormatError, tmp_path / "none.pt", "no such weights file"):
        load_network(DEEP, tmp_path / "none.pt")


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04 and then nothing"])
def test_a_file_of_something_else(tmp_path, refused, content):
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    with refused(FileFormatError, path):
        load_network(DEEP, path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_that_was_cut_short(file, refused, share):
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with refused(FileFormatError, file):
        load_network(DEEP, file)


@pytest.mark.parametrize(
    "content", [[1, 2], {"a": 1}, {"format": "napari-vbmd weights 1"}, {"format": 1, "info": {}}]
)
def test_a_torch_file_of_another_kind(tmp_path, refused, content):
    path = tmp_path / "a.pt"
    torch.save(content, path)
    with refused(FileFormatError, path):
        load_network(DEEP, path)


def test_a_file_with_code_in_it_is_not_run(tmp_path, refused):
    class Trap:
        def __reduce__(self):
            return (exec, ("raise SystemExit",))

    path = tmp_path / "a.pt"
    torch.save({"format": "napari-vbmd weights 1", "info": {}, "tensors": Trap()}, path)
    with refused(FileFormatError, path):
        load_network(DEEP, path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean": float("nan")},
        {"sd": 0.0},
        {"threshold": 2.0},
        {"preset": "other"},
        {"held_out_dice": float("nan")},
    ],
)
def test_facts_that_make_no_sense(tmp_path, network, refused, wrong):
    path = tmp_path / "a.pt"
    content = {
        "format": "napari-vbmd weights 1",
        "info": dataclasses.asdict(INFO) | wrong,
        "tensors": network.state_dict(),
    }
    torch.save(content, path)
    with refused(FileFormatError, path):
        load_network(DEEP, path)


def test_weights_of_another_configuration(file, refused):
    with refused(FileFormatError, file, r"weights of unet-3d, not of unet-2d"):
        load_network(CONFIGURATIONS["unet-2d"], file)


def test_tensors_that_do_not_fit(tmp_path, network, refused):
    path = tmp_path / "a.pt"
    network.head.weight = torch.nn.Parameter(torch.zeros(2, 4, 1, 1, 1))
    save_weights(path, network, INFO)
    with refused(FileFormatError, path, "1 of 26 tensors differ, the first is head.weight"):
        load_network(DEEP, path)


def test_tensors_that_hold_no_numbers(tmp_path, network, refused):
    path = tmp_path / "a.pt"
    network.head.weight.data[0, 0] = np.nan
    save_weights(path, network, INFO)
    with refused(FileFormatError, path, "not finite"):
        load_network(DEEP, path)


def test_another_hash(file, refused):
    with refused(FileFormatError, file, "damaged or replaced"):
        read_weights(file, "0" * 64)


def test_a_network_without_weights_says_how_to_get_some(bare):
    with pytest.raises(ParameterError, match=r"no weights .*train it .*weights file") as caught:
        find_weights(bare)
    assert "unet-3d" in str(caught.value)


def test_shipped_weights_are_found_and_checked(tmp_path, network, bare, monkeypatch):
    monkeypatch.setattr("napari_vbmd.segmentation.configurations.WEIGHTS_FOLDER", tmp_path)
    digest = save_weights(tmp_path / "w.pt", network, INFO)
    shipped = dataclasses.replace(bare, weights_file="w.pt", weights_sha256=digest)
    assert load_network(shipped)[1].sha256 == digest
    with pytest.raises(FileFormatError, match="install napari-vbmd anew"):
        load_network(dataclasses.replace(shipped, weights_sha256="1" * 64))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_weights_that_are_shipped_load(name):
    if CONFIGURATIONS[name].weights_path is None:
        pytest.skip("none are shipped")
    _, weights = load_network(CONFIGURATIONS[name])
    assert weights.info.normalisation == CONFIGURATIONS[name].normalisation
    assert weights.info.held_out_dice > 0.9


def test_safetensors_are_read_where_they_can_be(tmp_path, network, refused):
    path = tmp_path / "a.safetensors"
    try:
        from safetensors.torch import save_file
    except ImportError:
        path.write_bytes(b"\0" * 64)
        with refused(FileFormatError, path, "needs the package safetensors"):
            read_weights(path)
        return
    facts = {"format": "napari-vbmd weights 1", "info": json.dumps(dataclasses.asdict(INFO))}
    save_file(network.state_dict(), path, facts)
    assert load_network(DEEP, path)[1].info == INFO


def test_a_network_is_kept_until_its_file_changes(file):
    first, _ = load_network(DEEP, file)
    assert load_network(DEEP, file)[0] is first
    save_weights(file, DEEP.build(), INFO, half=True)
    assert load_network(DEEP, file)[0] is not first
