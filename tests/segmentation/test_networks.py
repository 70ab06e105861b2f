import pytest
import torch
from torch import nn

from napari_vbmd.segmentation.networks import UNet3D, load_imagenet_encoder, unet_2d


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def made_up_resnet34() -> dict[str, torch.Tensor]:
    """Random tensors under torchvision's names for a resnet34, written down from its layout."""
    shapes = {"conv1.weight": (64, 3, 7, 7), "fc.weight": (1000, 512), "fc.bias": (1000,)}

    def norm(name, width):
        shapes.update({f"{name}.{part}": (width,) for part in ("weight", "bias")})
        shapes.update({f"{name}.running_{part}": (width,) for part in ("mean", "var")})
        shapes[f"{name}.num_batches_tracked"] = ()

    norm("bn1", 64)
    before = 64
    for layer, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 1):
        for block in range(blocks):
            name = f"layer{layer}.{block}"
            shapes[f"{name}.conv1.weight"] = (width, before, 3, 3)
            shapes[f"{name}.conv2.weight"] = (width, width, 3, 3)
            norm(f"{name}.bn1", width)
            norm(f"{name}.bn2", width)
            if before != width:
                shapes[f"{name}.downsample.0.weight"] = (width, before, 1, 1)
                norm(f"{name}.downsample.1", width)
            before = width
    generator = torch.Generator().manual_seed(0)
    made = {key: torch.rand(shape, generator=generator) for key, shape in shapes.items()}
    return {k: v.long() if k.endswith("tracked") else v for k, v in made.items()}


@pytest.fixture(scope="module")
def flat() -> nn.Module:
    torch.manual_seed(0)
    return unet_2d().eval()


@pytest.fixture(scope="module")
def deep() -> nn.Module:
    torch.manual_seed(0)
    return UNet3D().eval()


def test_the_2d_network_has_the_published_number_of_parameters(flat):
    assert count(flat) == 24_430_097


def test_the_2d_encoder_alone_is_a_resnet34_for_one_channel(flat):
    assert count(flat.encoder) == 21_797_672 - 513_000 - 2 * 64 * 49  # torchvision's, less fc


def test_the_2d_network_gives_logits_of_the_inputs_size(flat):
    with torch.inference_mode():
        logits = flat(torch.randn(2, 1, 64, 96))
    assert logits.shape == (2, 1, 64, 96)
    assert logits.min() < 0  # no sigmoid yet


def test_norms_of_the_2d_network_are_the_published_ones(flat):
    norms = [m for m in flat.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {m.eps for m in norms} == {1e-5}
    assert {m.momentum for m in norms} == {0.1}


def test_the_gradient_passes_the_shortcuts(flat):
    shortcut = flat.encoder.layer4[0].downsample[0]
    assert shortcut.bias is None
    flat.zero_grad()
    flat(torch.randn(1, 1, 32, 32)).sum().backward()
    assert shortcut.weight.grad.abs().sum() > 0


def test_imagenet_weights_go_into_the_encoder():
    network, given = unet_2d(), made_up_resnet34()
    load_imagenet_encoder(network, given)
    held = network.encoder.state_dict()
    assert set(held) == {key for key in given if not key.startswith("fc.")}
    assert all(torch.equal(held[key], given[key]) for key in held if key != "conv1.weight")
    grey = torch.randn(1, 1, 16, 16)
    as_colour = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), given["conv1.weight"])
    assert torch.allclose(nn.functional.conv2d(grey, held["conv1.weight"]), as_colour, atol=1e-4)


@pytest.mark.parametrize("change", ["missing", "unknown", "shape", "no first"])
def test_what_is_no_resnet34_is_refused_on_one_line(flat, change):
    given = made_up_resnet34()
    if change == "missing":
        del given["layer2.0.downsample.0.weight"]
    elif change == "unknown":
        given["layer5.0.conv1.weight"] = torch.zeros(1)
    elif change == "shape":
        given["layer1.0.conv1.weight"] = torch.zeros(64, 64, 1, 1)
    else:
        del given["conv1.weight"]
    with pytest.raises(ValueError, match=r"no torchvision resnet34: .*(layer|conv1)") as caught:
        load_imagenet_encoder(flat, given)
    assert str(caught.value).isprintable()


def test_the_3d_network_has_the_published_number_of_parameters(deep):
    assert count(deep) == 111_386


def test_no_convolution_of_the_3d_network_has_a_bias_and_no_norm_a_parameter(deep):
    parameters = dict(deep.named_parameters())
    assert all(name.endswith("weight") and p.ndim == 5 for name, p in parameters.items())
    assert {p.shape[-1] for p in parameters.values()} == {1, 3}


def test_filters_double_from_stage_to_stage(deep):
    assert deep.first.enter.weight.shape[0] == 2
    assert [stage.halve.weight.shape[0] for stage in deep.down] == [4, 8, 16, 32]


def test_later_stages_apply_one_convolution_twice(deep):
    stage, calls = deep.down[1], []
    hook = stage.shared.register_forward_hook(lambda *_: calls.append(1))
    with torch.inference_mode():
        stage(torch.randn(1, 4, 8, 8, 8))
    hook.remove()
    assert len(calls) == 2


def test_dropout_is_in_the_first_stage_only(deep):
    dropouts = {name: m.p for name, m in deep.named_modules() if isinstance(m, nn.Dropout3d)}
    assert dropouts == {"first.dropout": 0.6}


@pytest.mark.parametrize("shape", [(16, 32, 48), (48, 32, 16), (32, 32, 32)])
def test_the_3d_network_gives_logits_of_the_inputs_size(deep, shape):
    with torch.inference_mode():
        assert deep(torch.randn(2, 1, *shape)).shape == (2, 1, *shape)


def test_every_head_of_the_3d_network_counts():
    torch.manual_seed(1)
    network, volume = UNet3D().eval(), torch.randn(1, 1, 32, 32, 32)
    with torch.inference_mode():
        before = network(volume)
        for head in (network.head, *network.early_heads):
            kept = head.weight.clone()
            head.weight.zero_()
            assert not torch.allclose(network(volume), before)
            head.weight.copy_(kept)


def test_more_classes_and_channels_can_be_had():
    with torch.inference_mode():
        assert UNet3D(2, 3)(torch.randn(1, 2, 32, 32, 32)).shape == (1, 3, 32, 32, 32)
