"""What a number rests on is another thing when layers, places or constants are."""

from napari_vbmd.plugin.basis import basis
from napari_vbmd.plugin.layers import set_calibration


def test_it_holds_layers_places_and_calibration(scan_layer, mask_layer):
    before = basis(scan_layer, mask_layer, None)
    assert basis(scan_layer, mask_layer, None) == before
    assert before[-1].shape == scan_layer.data.shape
    assert basis(scan_layer, mask_layer, mask_layer) != before
    mask_layer.translate = (0.082, 0, 0)
    moved = basis(scan_layer, mask_layer, None)
    assert moved != before
    set_calibration(scan_layer, "density")
    assert basis(scan_layer, mask_layer, None) != moved


def test_nothing_rests_on_what_cannot_be_measured(scan_layer, mask_layer):
    assert basis(None, mask_layer, None) == basis(scan_layer, None, None) == ()
    mask_layer.rotate = 30
    assert basis(scan_layer, mask_layer, None) == ()
