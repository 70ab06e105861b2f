"""Where a training stands."""

import pytest
import torch

from napari_vbmd.errors import FileFormatError, WriteError
from napari_vbmd.study.checkpoint import Standing, read_checkpoint, save_checkpoint


@pytest.fixture
def work():
    """A network and an optimiser that have made a step."""
    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    return network, optimiser


STANDING = Standing(7, 1.5, 0.75, 5, [{"step": 5, "loss": 1.0}], [0.5, 0.25])


def test_what_is_kept_is_read(tmp_path, work):
    path = tmp_path / "last.ckpt"
    assert read_checkpoint(path) is None
    save_checkpoint(path, *work, STANDING, {"seed": 3})
    kept = read_checkpoint(path)
    assert kept["standing"] == STANDING
    assert kept["settings"] == {"seed": 3}
    network = torch.nn.Linear(3, 2)
    network.load_state_dict(kept["network"])
    assert torch.equal(network.weight, work[0].weight)
    optimiser = torch.optim.AdamW(network.parameters())
    optimiser.load_state_dict(kept["optimiser"])
    assert optimiser.state_dict()["state"][0]["step"] == 1


def test_damage_is_noticed(tmp_path, work, refused):
    path = tmp_path / "last.ckpt"
    save_checkpoint(path, *work, STANDING, {})
    whole = path.read_bytes()
    weights = work[0].weight.detach().numpy().tobytes()
    for broken in (b"", whole[: len(whole) // 2], whole.replace(weights, weights[::-1])):
        path.write_bytes(broken)
        with refused(FileFormatError, path, "move it away"):
            read_checkpoint(path)
    torch.save({"format": "of another program"}, path)
    with refused(FileFormatError, path):
        read_checkpoint(path)


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, work, monkeypatch):
    path = tmp_path / "last.ckpt"
    save_checkpoint(path, *work, STANDING, {"seed": 1})
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(WriteError, match="the disk is full"):
        save_checkpoint(path, *work, STANDING, {"seed": 2})
    assert path.read_bytes() == before
