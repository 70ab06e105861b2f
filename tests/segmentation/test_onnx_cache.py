import pytest

from napari_vbmd.segmentation import onnx_cache


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VBMD_CACHE", str(tmp_path))
    return tmp_path / "networks"


def test_what_was_kept_comes_back_and_nothing_else_is_left(cache):
    assert onnx_cache.read("a") is None
    onnx_cache.write("a", b"model")
    assert onnx_cache.read("a") == b"model"
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("harm", [lambda c: c[:-1], lambda c: b"M" + c[1:], lambda _: b""])
def test_a_damaged_file_is_as_none(cache, harm):
    onnx_cache.write("a", b"model")
    [file] = cache.iterdir()
    file.write_bytes(harm(file.read_bytes()))
    assert onnx_cache.read("a") is None


def test_of_many_the_oldest_go(cache):
    for i in range(10):
        onnx_cache.write(f"model {i}", b"")
    assert len(list(cache.iterdir())) == 8
    assert onnx_cache.read("model 9") == b""


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VBMD_CACHE", str(tmp_path / "file"))
    onnx_cache.write("a", b"model")
    assert onnx_cache.read("a") is None


def test_a_cancelled_writing_leaves_nothing(cache, monkeypatch):
    def cancel(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", cancel)
    with pytest.raises(KeyboardInterrupt):
        onnx_cache.write("a", b"model")
    assert not list(cache.iterdir())
