"""How near each step is to what this machine can do at best."""

import time
from pathlib import Path

from patient_steps import PORT


def limits(scan_path: Path, method: str, size: tuple[int, int, int]) -> dict:
    """What this machine can do at best, and what the networks and files ask of it."""
    import hashlib

    import numpy as np
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from napari_vbmd.io.files import read_scan
    from napari_vbmd.segmentation.configurations import CONFIGURATIONS
    from napari_vbmd.segmentation.methods import segment
    from napari_vbmd.segmentation.network_method import NetworkParameters
    from napari_vbmd.segmentation.preprocessing import IMPROVED

    a, block = torch.randn(2048, 2048), bytes(1 << 26)
    with torch.inference_mode():
        matmul = 2 * 2048**3 / _best(lambda: a @ a)
    buffer = np.empty(1 << 28, np.uint8)
    size_of, depth = scan_path.stat().st_size, read_scan(scan_path).grid.spacing_mm[0]

    def read() -> None:
        with open(scan_path, "rb", buffering=0) as file:
            file.readinto(buffer)

    with FlopCounterMode(display=False) as counted:
        # in torch, where operations can be counted
        segment(read_scan(scan_path), method, NetworkParameters(runtime="torch"))
    network = CONFIGURATIONS["unet-2d"].build().eval()
    with FlopCounterMode(display=False) as of_port, torch.no_grad():
        network(torch.zeros(1, 1, *size[1:]))
    return {
        "flop_per_s": matmul,
        "read_bytes_per_s": min(buffer.size, size_of) / _best(read),
        "hash_bytes_per_s": len(block) / _best(lambda: hashlib.sha256(block).digest()),
        "bytes": size_of,
        "slices_read": min(1.0, depth / IMPROVED.spacing_mm[0]),
        "flop": {method: counted.get_total_flops(), PORT: size[0] * of_port.get_total_flops()},
    }


def _best(task) -> float:
    took = []
    for _ in range(5):
        start = time.perf_counter()
        task()
        took.append(time.perf_counter() - start)
    return min(took)


def _best(task) -> float:
    took = []
    for _ in range(5):
        start = time.perf_counter()
        task()
        took.append(time.perf_counter() - start)
    return min(took)


def limits_table(method: str, facts: dict, rows: dict[str, dict]) -> list[str]:
    """How near each step is to what the machine can do at best."""
    some = facts["bytes"] * facts["slices_read"]
    asked = [
        ("sample", method, some, facts["read_bytes_per_s"], "the slices sampled, read"),
        ("network", method, facts["flop"][method], facts["flop_per_s"], "operations"),
        ("checksum", method, facts["bytes"], facts["hash_bytes_per_s"], "the scan, SHA-256"),
        ("read", PORT, facts["bytes"], facts["read_bytes_per_s"], "the scan, read"),
        ("network", PORT, facts["flop"][PORT], facts["flop_per_s"], "operations"),
    ]
    lines = [
        f"Limits: {facts['flop_per_s'] / 1e9:.0f} GFLOP/s (matrix product, single precision), "
        f"{facts['read_bytes_per_s'] / 1e9:.1f} GB/s (reading a cached file), "
        f"{facts['hash_bytes_per_s'] / 1e9:.1f} GB/s (SHA-256).",
        "",
        "| way | step | must do | at best, s | takes, s | share of the limit |",
        "| --- | --- | --- | --: | --: | --: |",
    ]
    for step, way, amount, rate, what in asked:
        takes, best = rows[step][way], amount / rate
        beside = not takes or takes < best  # in a thread while another step goes on
        share = "beside other work" if beside else f"{best / takes:.0%}"
        does = f"{what}: {amount / 1e9:.2f} G"
        lines.append(f"| {way} | {step} | {does} | {best:.2f} | {takes or 0:.2f} | {share} |")
    return lines
