"""Each network in torch (batch norms folded, channels_last) and in ONNX Runtime, on the CPU.

    python benchmarks/runtimes.py [--rounds 7] [--threads 1 2]

The runtimes take turns in one process for each number of threads; CPU seconds of one pass (the
median and the least of the rounds), and the largest difference of two logits beside the largest
logit. Weights that are not shipped are random, which costs as much.
"""

import argparse
import importlib
import statistics
import subprocess
import sys
import time

# What each network sees of a hand: name, part, shape
CASES = (
    ("unet-2d", "", (4, 1, 352, 192)),
    ("unet-3d", "", (1, 1, 80, 352, 192)),
    ("unet-2d-fine", "ends", (1, 1, 80, 96, 96)),
    ("unet-2d-fine", "outline", (4, 3, 320, 320)),
)


def network_of(name: str, part: str):
    """The network and what tells it apart."""
    from napari_vbmd.segmentation import onnx_export
    from napari_vbmd.segmentation.configurations import CONFIGURATIONS
    from napari_vbmd.segmentation.weights import load_network

    configuration = CONFIGURATIONS[name]
    if configuration.weights_path:
        network = load_network(configuration)[0]
    else:
        network = configuration.build().eval()
    whole = onnx_export.SLICES if configuration.dims == 2 else onnx_export.VOLUME
    seen = {"ends": onnx_export.AROUND_BONE, "outline": onnx_export.NEIGHBOURS}.get(part, whole)
    return getattr(network, part) if part else network, seen


def measured(threads: int, rounds: int) -> None:
    """Print a line a network."""
    from napari_vbmd.segmentation.inference import placed
    from napari_vbmd.segmentation.onnx_export import exported
    from napari_vbmd.segmentation.onnx_network import OnnxNetwork

    torch = importlib.import_module("torch")  # after the package, which sets how threads wait
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    for name, part, shape in CASES:
        network, seen = network_of(name, part)
        layout = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
        ways = [
            placed(network, "cpu", layout),
            OnnxNetwork(exported(network, seen), threads),
        ]
        x = torch.randn(shape)
        with torch.inference_mode():
            ours, theirs = (way(x) for way in ways)
            seconds = _in_turns(ways, x, rounds)
        (torch_mid, torch_least), (onnx_mid, onnx_least) = seconds
        cells = [f"{name} {part}".strip(), threads, f"{torch_mid:.3f} ({torch_least:.3f})"]
        cells += [f"{onnx_mid:.3f} ({onnx_least:.3f})", f"{torch_mid / onnx_mid:.2f}"]
        apart = f"{(ours - theirs).abs().max():.1e} of {ours.abs().max():.1f}"
        print("|", " | ".join(map(str, [*cells, apart])), "|", flush=True)


def _in_turns(ways: list, x, rounds: int) -> list[tuple[float, float]]:
    took = [[] for _ in ways]
    for _ in range(rounds):
        for way, seconds in zip(ways, took, strict=True):
            start = time.process_time()
            way(x)
            seconds.append(time.process_time() - start)
    return [(statistics.median(seconds), min(seconds)) for seconds in took]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        return measured(given.threads[0], given.rounds)
    print("| network | threads | torch, CPU s | ONNX Runtime, CPU s | ratio | logits differ by |")
    print("| --- | --: | --: | --: | --: | --: |", flush=True)
    for threads in given.threads:
        words = ["--child", "--threads", str(threads), "--rounds", str(given.rounds)]
        subprocess.run([sys.executable, "-W", "ignore", __file__, *words], check=True)
    return None


if __name__ == "__main__":
    main()
