"""The benchmark's networks: what each takes in a second, by batch, from weights never trained.

TFW_SPEED_DEVICE=cuda measures on a GPU, TFW_SPEED_THREADS=1 on one processor.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

from talkingface_wild.perception import i3d, inception, iresnet, recon3d, s3fd, syncnet

Row = tuple[str, str, str]
"""What was measured, the figure, the bound it is held against."""
DEVICE = os.environ.get("TFW_SPEED_DEVICE", "cpu")
BATCHES = (1, 2, 4, 8, 16) if DEVICE == "cpu" else (1, 8, 32, 64, 128)
LEAST_SECONDS = 2.0
"""A figure is the least of the runs that fit into so much time, two at least."""


@dataclass(frozen=True)
class Network:
    """How a network is built, fed and counted."""

    name: str
    unit: str
    module: ModuleType
    sizes: tuple[str, ...]
    """The module's constants that say how many are in work at a time."""
    build: Callable[[], nn.Module]
    open: Callable[[Path], Any]
    feed: Callable[[int], tuple[np.ndarray, ...]]
    """Made-up input of so many items."""
    work: Callable[[Any], Callable[..., object]]
    """The method of the opened network that is timed."""
    most: int = 128
    """Largest batch tried: a clip of sixteen frames weighs as much as sixteen pictures."""


def networks() -> Iterator[Row]:
    """Items a second of each network at each batch, preparation included; the best one marked."""
    if threads := os.environ.get("TFW_SPEED_THREADS"):
        torch.set_num_threads(int(threads))
    on = DEVICE if DEVICE != "cpu" else f"cpu, threads: {torch.get_num_threads()}"
    for network in NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "weights.pth"
            torch.save(network.build().state_dict(), path)
            perceiver = network.open(path)
        sizes = [batch for batch in BATCHES if batch <= network.most]
        speeds = {batch: _speed(network, perceiver, batch) for batch in sizes}
        best = max(speeds, key=lambda batch: speeds[batch])
        rest = ", ".join(f"{batch}: {speed:.2f}" for batch, speed in speeds.items())
        figure = f"{speeds[best]:.2f} {network.unit}/s at batch {best} ({rest})"
        yield f"{network.name}, {on}", figure, "–"


def _speed(network: Network, perceiver: Any, batch: int) -> float:
    """Items a second with ``batch`` of them in work at a time."""
    before = {name: getattr(network.module, name) for name in network.sizes}
    for name in network.sizes:
        setattr(network.module, name, batch)
    given, work = network.feed(batch), network.work(perceiver)
    try:
        work(*given)
        spent: list[float] = []
        while len(spent) < 2 or sum(spent) < LEAST_SECONDS:
            begun = time.perf_counter()
            work(*given)
            spent.append(time.perf_counter() - begun)
    finally:
        for name, value in before.items():
            setattr(network.module, name, value)
    return batch / min(spent)


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def _faces_are_rare() -> nn.Module:
    """S3FD with few sure boxes, as in a real frame: suppression has little to do."""
    network = s3fd.S3FD()
    for head in network.conf:
        nn.init.constant_(head.bias, 0.0)
        nn.init.constant_(head.bias[-1:], -6.0)
    return network


def _windows(count: int) -> tuple[np.ndarray, ...]:
    """Frames and sound of ``count`` windows."""
    frames = count + syncnet.WINDOW_FRAMES
    sound = np.random.default_rng(0).integers(-9000, 9000, frames * syncnet.SAMPLES_PER_FRAME)
    return _noise(frames, 224, 224, 3), sound.astype(np.int16)


NETWORKS = (
    Network(
        "Inception, 512² frames, resize clean",
        "images",
        inception,
        ("_BATCH",),
        inception.InceptionFid,
        lambda path: inception.InceptionPerceiver(path).open(DEVICE),
        lambda count: (_noise(count, 512, 512, 3),),
        lambda opened: opened.embed,
    ),
    Network(
        "I3D, windows of 16 frames of 512²",
        "windows",
        i3d,
        ("_BATCH",),
        i3d.InceptionI3d,
        lambda path: i3d.I3DPerceiver(path).open(DEVICE),
        lambda count: (_noise(count, 16, 512, 512, 3),),
        lambda opened: opened.embed,
        most=4 if DEVICE == "cpu" else 32,
    ),
    Network(
        "SyncNet, a window of lips and of sound",
        "windows",
        syncnet,
        ("_LIP_BATCH",),
        syncnet.SyncNet,
        lambda path: syncnet.SyncNetPerceiver(path).open(DEVICE),
        _windows,
        lambda opened: opened.embed,
    ),
    Network(
        "S3FD, 512² frames at scale 0.25",
        "frames",
        s3fd,
        ("_BATCH",),
        _faces_are_rare,
        lambda path: s3fd.S3FDPerceiver(path).open(DEVICE),
        lambda count: (_noise(count, 512, 512, 3),),
        lambda opened: opened.detect,
    ),
    Network(
        "Deep3DFaceRecon, aligned crops",
        "crops",
        recon3d,
        ("_BATCH",),
        recon3d.ReconNetResNet50,
        lambda path: recon3d.Recon3DPerceiver(path, np.zeros((5, 3))).open(DEVICE),
        lambda count: (_noise(count, 224, 224, 3),),
        lambda opened: opened.coefficients,
    ),
    Network(
        "ArcFace iResNet-100, aligned crops",
        "crops",
        iresnet,
        ("_BATCH",),
        lambda: iresnet.IResNet(100),
        lambda path: iresnet.ArcFaceTorchPerceiver(path).open(DEVICE),
        lambda count: (_noise(count, 112, 112, 3),),
        lambda opened: opened.embed,
    ),
)

MEASUREMENTS = {"networks": networks}
