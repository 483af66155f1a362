"""The synthetic degradation of a strip as wide as the authors' picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from limner.degrade.degrade import Degradation, apply, degrade

from .drawn import picture, stream
from .published_streams import PublishedStreams

HEIGHT, WIDTH = 64, 512
KERNELS = {  # sigma_x, sigma_y, rotation
    "iso.0.1": (0.1, 0.1, 0.0),
    "iso.2.0": (2.0, 2.0, 0.0),
    "iso.8.0": (8.0, 8.0, 0.0),
    "iso.16.0": (16.0, 16.0, 0.0),
    "aniso.1.5.6.0.0.7": (1.5, 6.0, 0.7),
    "aniso.12.0.3.0.-2.5": (12.0, 3.0, -2.5),
    "aniso.0.1.15.0.0.0": (0.1, 15.0, 0.0),
}
CASES = {
    "c0": {"kernel": "iso.2.0", "downsample": 1.0, "noise_sigma": 0.0, "jpeg_q": 100},
    "c1": {"kernel": "iso.8.0", "downsample": 8.0, "noise_sigma": 10.0, "jpeg_q": 60},
    "c2": {"kernel": "aniso.1.5.6.0.0.7", "downsample": 4.3, "noise_sigma": 5.0, "jpeg_q": 80},
    "c3": {"kernel": "aniso.12.0.3.0.-2.5", "downsample": 20.7, "noise_sigma": 15.0, "jpeg_q": 30},
    "c4": {"kernel": "iso.16.0", "downsample": 32.0, "noise_sigma": 20.0, "jpeg_q": 50},
}


def gaussian(sigma_x: float, sigma_y: float, rotation: float) -> np.ndarray:
    """41 x 41 samples of a normal density with that covariance, summing to 1 (docs/evaluation.md)."""
    turn = np.array([[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]])
    inverse = np.linalg.inv(turn @ np.diag([sigma_x**2, sigma_y**2]) @ turn.T)
    place = np.stack(np.meshgrid(np.arange(-20, 21), np.arange(-20, 21)), axis=-1).astype(float)
    kernel = np.exp(-0.5 * np.einsum("hwi,ij,hwj->hw", place, inverse, place))
    return kernel / kernel.sum()


def inputs() -> dict[str, np.ndarray]:
    """The picture, and the noise of each case."""
    image = picture("degradation", 1, 3, HEIGHT, WIDTH)[0].permute(1, 2, 0).mul(255).round().byte().numpy()
    given = {"in.rgb_uint8": image}
    for name, case in CASES.items():
        low = int(HEIGHT / case["downsample"]), int(WIDTH / case["downsample"])
        noise = stream(f"degradation {name}").standard_normal((*low, 3)).astype(np.float32)
        given[f"{name}.noise"] = noise * np.float32(case["noise_sigma"] / 255)
    return given


def outputs(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The degraded pictures."""
    image, made = given["in.rgb_uint8"], {}
    for name, case in CASES.items():
        level = case["noise_sigma"]
        noise = given[f"{name}.noise"] * (255 / level if level else 0)
        settings = Degradation(*KERNELS[case["kernel"]], case["downsample"], noise, level, case["jpeg_q"])
        made[f"{name}.difface.final_rgb_uint8"] = apply(image, settings)
    noise = np.random.RandomState(5).standard_normal((HEIGHT // 8, WIDTH // 8, 3))
    tested = apply(image, Degradation(4, 2, 0.5, 8, noise, 10, 50))
    made["difface_testing.seed5.final_bgr_uint8"] = np.ascontiguousarray(tested[..., ::-1])
    for seed in range(4):
        made[f"refldm_random.seed{seed}.final_rgb_uint8"] = degrade(image, "refldm", PublishedStreams(seed))
    return made


def lay_out(recorded: dict[str, np.ndarray], folder: Path) -> None:
    """The recorded outputs with their inputs as the authors' two files."""
    folder.mkdir(parents=True)
    recorded |= {f"{name}.refldm.final_rgb_uint8": recorded[f"{name}.difface.final_rgb_uint8"] for name in CASES}
    kernels = {f"kernel.{name}": gaussian(*sizes) for name, sizes in KERNELS.items()}
    np.savez(folder / "degradation_golden.npz", **kernels, **inputs(), **recorded)
    (folder / "cases.json").write_text(json.dumps({"cases": CASES}), encoding="utf-8")
