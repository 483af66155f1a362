"""The project's own golden data, laid out as `../shared/golden` is, so that the same tests run on both.

Weights and inputs are drawn anew by their names (`drawn.py`); outputs lie in `outputs/`, as `tests/make_data.py`
recorded them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file

from . import degradation, difface, full_width, ldbfr, nets, refldm

OUTPUTS = Path(__file__).parent / "outputs"
NAMES = OUTPUTS / "published.json"
FINGERPRINT = OUTPUTS / "fullwidth_blocks_fingerprint.json"


def lay_out_nets(folder: Path) -> None:
    """Weights and schedules of the three published methods below `folder`."""
    for method in ("difface", "refldm", "ldbfr"):
        (folder / method).mkdir(parents=True)
        getattr(nets, method)(folder / method)
    for module, name in ((difface, "difface"), (refldm, "refldm"), (ldbfr, "ldbfr")):
        module.schedule(folder / name)
    ldbfr.cross_attention(folder / "ldbfr")


def lay_out(folder: Path) -> None:
    """All of it below `folder`, which is made."""
    lay_out_nets(folder)
    recorded = {path.stem: path for path in OUTPUTS.glob("*.safetensors")}
    given = {"difface/tiny_io_restoration": difface.inputs(), "refldm/tiny_io": refldm.inputs()}
    given |= {"difface/tiny_io_inpainting": difface.inpainting_inputs()}
    given |= {f"ldbfr/{file}": tensors for file, tensors in ldbfr.inputs().items()}
    for file, tensors in given.items():
        save_file(tensors | load_file(recorded[file.split("/")[1]]), folder / f"{file}.safetensors")
    (folder / "ldbfr/fullwidth_blocks_fingerprint.json").write_bytes(FINGERPRINT.read_bytes())
    with np.load(OUTPUTS / "degradation.npz") as pictures:
        degradation.lay_out(dict(pictures), folder / "degradation")
    nets.lay_out_published(NAMES, folder)


def record(scratch: Path) -> None:
    """Computes all outputs with limner's exact fp32 code, and stores them.

    Args:
        scratch: an empty folder for weights.
    """
    lay_out_nets(scratch)
    made = {"tiny_io_restoration": difface.outputs(scratch / "difface", difface.inputs())}
    made["tiny_io_inpainting"] = difface.inpainting_outputs(scratch / "difface", difface.inpainting_inputs())
    made["tiny_io"] = refldm.outputs(scratch / "refldm", refldm.inputs())
    made |= ldbfr.outputs(scratch / "ldbfr", ldbfr.inputs())
    OUTPUTS.mkdir(exist_ok=True)
    for file, tensors in made.items():
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, OUTPUTS / f"{file}.safetensors")
    np.savez_compressed(OUTPUTS / "degradation.npz", **degradation.outputs(degradation.inputs()))
    NAMES.write_text(json.dumps(nets.published()), encoding="utf-8")
    blocks = {
        name: {
            key: {"shape": tuple(tensor.shape)} | full_width.fingerprint(tensor)
            for key, tensor in full_width.drawn(full_width.shapes(name)).items()
        }
        for name in full_width.BLOCKS
    }
    FINGERPRINT.write_text(json.dumps(blocks), encoding="utf-8")
