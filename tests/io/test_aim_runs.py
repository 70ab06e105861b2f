import numpy as np
import pytest

from napari_vbmd.io import aim_runs
from napari_vbmd.io.aim_runs import binary_runs, char_runs, encode, expand, within_frame

NO_FRAME = (0, 0, 0)


def decode(stream: bytes, shape, frame) -> np.ndarray:
    return within_frame(*binary_runs(stream), shape, frame)


def row(*runs: int) -> np.ndarray:
    """A mask of one row: so many voxels of 0, then of 1, of 0 ..."""
    return np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8).reshape(1, 1, -1)


# A run of n is as many 255 as leave 1 to 254 for the last code: as AimIO writes it.
@pytest.mark.parametrize(
    ("run", "codes"),
    [
        (1, [1]),
        (253, [253]),
        (254, [254]),
        (255, [255, 1]),
        (508, [255, 254]),
        (509, [255, 255, 1]),
    ],
)
@pytest.mark.parametrize("first", [0, 1])
def test_a_run_is_counted_in_254s(run, codes, first):
    mask = row(*([0] * first), run, 2)
    stream = encode(mask)
    assert list(stream) == [*((127, 0) if first else (0, 127)), *codes, 2]
    np.testing.assert_array_equal(decode(stream, mask.shape, NO_FRAME), mask * 127)


def test_a_last_code_of_zero_ends_a_run_too():
    decoded = decode(bytes([0, 127, 255, 0, 2]), (1, 1, 256), NO_FRAME).ravel()
    assert not decoded[:254].any()
    assert decoded[254:].tolist() == [127, 127]


@pytest.mark.parametrize("label", [1, 2, 127])
def test_a_label_becomes_the_scanners_value(label):
    stream = encode(np.array([[[0, label, label, 0]]], np.uint8))
    assert decode(stream, (1, 1, 4), NO_FRAME).ravel().tolist() == [0, 127, 127, 0]


@pytest.mark.parametrize("value", [False, True])
def test_a_mask_of_one_value_returns(value):
    mask = np.full((3, 20, 30), value)
    np.testing.assert_array_equal(decode(encode(mask), mask.shape, NO_FRAME) == 127, mask)


@pytest.mark.parametrize("density", [0.001, 0.5, 0.999])
def test_any_mask_returns(density):
    mask = np.random.default_rng(1).random((9, 40, 50)) < density
    decoded = decode(encode(mask), mask.shape, NO_FRAME)
    assert decoded.dtype == np.int8
    np.testing.assert_array_equal(decoded == 127, mask)


@pytest.mark.parametrize("density", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(7, 9, 30), (4, 9, 20), (4, 5, 30), (4, 5, 20)])
def test_a_part_is_encoded_like_the_whole_image_that_holds_it(density, shape):
    part = np.random.default_rng(2).random((4, 5, 20)) < density
    for corner in {(0, 0, 0), tuple(n - m for n, m in zip(shape, part.shape, strict=True))}:
        whole = np.zeros(shape, bool)
        whole[tuple(slice(c, c + n) for c, n in zip(corner, part.shape, strict=True))] = part
        stream = encode(part, shape, corner)
        assert stream == encode(whole)
        np.testing.assert_array_equal(decode(stream, shape, NO_FRAME) == 127, whole)


def test_an_array_in_another_order_is_encoded_by_its_indices():
    mask = np.random.default_rng(3).random((4, 5, 6)) < 0.5
    assert encode(np.asfortranarray(mask)) == encode(mask)


def test_the_frame_is_zero_and_the_stream_covers_what_is_within():
    inner = np.random.default_rng(4).random((2, 3, 4)) < 0.5
    voxels = decode(encode(inner), (4, 7, 10), (1, 2, 3))
    np.testing.assert_array_equal(voxels[1:-1, 2:-2, 3:-3] == 127, inner)
    assert np.count_nonzero(voxels) == inner.sum()


@pytest.mark.parametrize("codes", [(2, 200, 9), (2, 3), (2, 2, 1)])
def test_more_voxels_than_there_are_is_refused(codes):
    with pytest.raises(ValueError, match="instead of 4"):
        decode(bytes([0, 127, *codes]), (1, 1, 4), NO_FRAME)


@pytest.mark.parametrize("density", [0.0, 0.001, 0.1, 0.2, 1.0])
@pytest.mark.parametrize("block", [1, 7, 1 << 14])
def test_sparse_and_dense_blocks_are_filled_alike(monkeypatch, density, block):
    monkeypatch.setattr(aim_runs, "_BLOCK", block)
    rng = np.random.default_rng(7)
    values = np.where(rng.random(300) < density, rng.integers(-128, 128, 300), 0).astype(np.int8)
    lengths = rng.integers(0, 256, 300).astype(np.uint8)
    expected = np.repeat(values, lengths)
    np.testing.assert_array_equal(expand(values, lengths, expected.size), expected)


def test_a_full_size_mask_takes_little_more_memory_than_itself(allocates_less_than):
    lengths = np.full(1_000_000, 200, np.uint8)
    values = (np.arange(lengths.size) % 20 == 0).astype(np.int8)
    with allocates_less_than(290_000_000):
        assert expand(values, lengths, 200_000_000).sum(dtype=np.int64) == 10_000_000


def test_char_runs_are_pairs_of_value_and_length():
    values, lengths = char_runs(bytes([0, 0, 200, 3, 5, 255]))
    assert values.tolist() == [0, -56, 5]
    assert lengths.tolist() == [0, 3, 255]


def test_half_a_pair_is_refused():
    with pytest.raises(ValueError, match="within a pair"):
        char_runs(b"\1\2\3")


@pytest.mark.parametrize("stream", [b"", b"\0", b"\0\x7f", b"\0\x7f\x03", b"\0\x7f\x01\x02"])
def test_a_stream_that_ends_early_is_refused(stream):
    with pytest.raises(ValueError, match="compressed voxels"):
        decode(stream, (1, 1, 4), NO_FRAME)


@pytest.mark.parametrize("frame", [(1, 0, 0), (0, -1, 0), (0, 0, 2), (2**40, 0, 0)])
def test_a_frame_that_leaves_nothing_is_refused(frame):
    with pytest.raises(ValueError, match="frame"):
        decode(bytes([0, 127, 255, 255]), (2, 3, 4), frame)


@pytest.mark.parametrize(
    ("shape", "frame"),
    [
        ((10**4,) * 3, NO_FRAME),
        ((2**21,) * 3, NO_FRAME),  # 2 ** 63
        ((2001,) * 3, (1000,) * 3),  # one voxel in a frame of 8e9
    ],
)
def test_a_size_that_the_stream_does_not_hold_is_refused_before_allocating(
    shape, frame, allocates_less_than
):
    with allocates_less_than(1 << 16), pytest.raises(ValueError, match="voxels"):
        decode(bytes([0, 127, 255, 255]), shape, frame)
