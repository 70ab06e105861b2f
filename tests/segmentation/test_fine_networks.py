import torch

from napari_vbmd.segmentation.fine_networks import FineStage, OutlineNet, RangeNet


def count(network) -> int:
    return sum(p.numel() for p in network.parameters())


def test_they_are_small():
    assert count(OutlineNet()) == 512_260
    assert count(RangeNet()) == 246_317
    assert count(FineStage()) == 512_260 + 246_317


def test_an_outline_has_the_pixels_of_its_slice():
    network = OutlineNet().eval()
    assert network(torch.randn(2, 3, 48, 80)).shape == (2, 1, 48, 80)
    assert FineStage().eval()(torch.randn(1, 3, 32, 32)).shape == (1, 1, 32, 32)


def test_an_outline_moves_with_the_bone():
    """By whole blocks of 16 pixels nothing but the place changes, far from the edges."""
    network = OutlineNet().eval()
    slices = torch.randn(1, 3, 224, 224)
    moved = torch.roll(slices, 16, dims=2)
    one, other = network(slices), network(moved)
    middle = slice(96, 128)
    torch.testing.assert_close(one[..., middle, middle], other[..., 112:144, middle])


def test_every_slice_has_a_score_whatever_their_number():
    network = RangeNet().eval()
    for slices in (1, 7, 80):
        assert network(torch.randn(2, 1, slices, 96, 96)).shape == (2, slices)


def test_upside_down_is_another_scan():
    torch.manual_seed(0)
    network, block = RangeNet().eval(), torch.randn(1, 1, 20, 96, 96)
    assert not torch.allclose(network(block).flip(1), network(block.flip(2)))
