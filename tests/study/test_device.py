"""Where a training runs."""

import builtins

import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.study.device import describe, is_first_process, make_fabric


def test_the_cpu_is_one_process_at_32_bits():
    fabric = make_fabric("cpu")
    assert fabric.world_size == 1
    assert fabric.device.type == "cpu"
    assert describe(fabric).startswith("CPU, 1 process, ")
    assert describe(fabric).endswith("precision 32-true")


def test_flags_are_passed_on():
    assert "bf16-mixed" in describe(make_fabric("cpu", precision="bf16-mixed"))
    fabric = make_fabric("cpu", devices="2")
    assert type(fabric.strategy).__name__ == "DDPStrategy"
    assert fabric.world_size == 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"device": "cuda"}, "no GPU"),
        ({"device": "tpu"}, "not known"),
        ({"strategy": "nonsense"}, "nonsense"),
        ({"strategy": "ddp_spawn", "devices": "2"}, "use auto or ddp"),
        ({"precision": "7"}, "7"),
        ({"devices": "none"}, "devices"),
    ],
)
def test_what_cannot_be_done_is_one_line(flags, said, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ParameterError, match=said) as caught:
        make_fabric(**{"device": "cpu"} | flags)
    assert str(caught.value).isprintable()


def test_without_lightning_it_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("lightning_fabric"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ParameterError, match="pip install"):
        make_fabric("cpu")


def test_the_first_process_speaks(monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert is_first_process()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not is_first_process()
