import struct

import pytest

from napari_vbmd.io import vax

# Worked out by hand: F has 1 sign, 8 exponent (excess 128) and 23 fraction bits, G has 11 exponent
# bits (excess 1024); the mantissa is 0.1..., and the 16-bit words stand with the highest first.
F_FLOATS = {0.0: "00000000", 1.0: "80400000", 3.5: "60410000", -0.5: "00c00000"}
G_FLOATS = {
    0.0: "0000000000000000",
    1.0: "1040000000000000",
    3.5: "2c40000000000000",
    -0.5: "00c0000000000000",
}


@pytest.mark.parametrize(("value", "stored"), F_FLOATS.items())
def test_f_floats_are_those_of_the_vax(value, stored):
    assert vax.encode_f(value).hex() == stored
    assert vax.decode_f(bytes.fromhex(stored)) == value


@pytest.mark.parametrize(("value", "stored"), G_FLOATS.items())
def test_g_floats_are_those_of_the_vax(value, stored):
    assert vax.encode_g(value).hex() == stored
    assert vax.decode_g(bytes.fromhex(stored)) == value


def test_the_element_size_of_a_real_file_is_decoded():
    assert vax.decode_f(struct.pack("<i", -1952956808)) == pytest.approx(0.06068, rel=1e-6)


@pytest.mark.parametrize("value", [1603.51904, -391.209015, 0.2409, 1e-30, -1e30])
def test_numbers_return_as_they_were(value):
    assert vax.decode_g(vax.encode_g(value)) == value
    assert vax.decode_f(vax.encode_f(value)) == pytest.approx(value, rel=1e-7)
