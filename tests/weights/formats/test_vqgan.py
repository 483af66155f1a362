"""ReF-LDM's published first stage: the authors' outputs through it, in every form the file may have."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from limner.errors import WeightsError
from limner.nets.vqgan import VQGAN
from limner.weights.checkpoint import Checkpoint, read_checkpoint
from limner.weights.formats import vqgan as vqgan_format
from limner.weights.formats.vqgan import build_vqgan, vqgan_names

FILE = Path("published.ckpt")
TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "golden/refldm"


@pytest.fixture(scope="module")
def golden(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "tiny_io.safetensors")


@pytest.fixture(scope="module")
def manifest(folder: Path) -> dict:
    return list(json.loads((folder / "manifest.json").read_text()).values())[1]


@pytest.fixture(scope="module")
def vqgan(folder: Path) -> VQGAN:
    return vqgan_format.load(folder / "tiny_vqgan.safetensors", sample_size=64)


@torch.no_grad()
def test_encoding(golden, vqgan):
    for picture, latent in (
        ("in.lq_image", "encode_lq_prequant"),
        ("in.ref_image_2", "encode_ref_2_wide"),
        ("in.ref_image_3", "encode_ref_3_wide"),
    ):
        torch.testing.assert_close(vqgan.encode(golden[picture]), golden[f"vq.{latent}"], **TOLERANCE)
    each = vqgan.encode(torch.cat(golden["in.ref_image_3"].chunk(3, dim=3)))
    torch.testing.assert_close(each, golden["vq.encode_ref_each"], **TOLERANCE)


@torch.no_grad()
def test_quantising_and_decoding(golden, vqgan):
    latent = vqgan.encode(golden["in.lq_image"])
    codes, indices = vqgan.quantise(latent)
    assert torch.equal(indices.flatten(), golden["vq.indices_lq"])
    torch.testing.assert_close(codes, golden["vq.quantized_lq"], **TOLERANCE)
    torch.testing.assert_close(vqgan.decode(latent), golden["vq.decode_quantized_lq"], **TOLERANCE)
    plain = vqgan.decode(latent, quantise=False)
    torch.testing.assert_close(plain, golden["vq.decode_noquant_lq"], **TOLERANCE)


def test_vqgan_of_the_published_size(manifest):
    whole = {name: torch.empty(fact["shape"], device="meta") for name, fact in manifest["keys"].items()}
    net = vqgan_format.load(Checkpoint(FILE, whole))
    assert sum(parameter.numel() for parameter in net.parameters()) == 57_183_515
    assert vqgan_names(net).keys() == set(manifest["inference_needs"])
    with torch.device("meta"):
        defaults = VQGAN()
    settings = defaults.config.keys() - {"_use_default_values"}
    assert {key: net.config[key] for key in settings} == {key: defaults.config[key] for key in settings}


def test_vqgan_with_its_losses(folder, vqgan, tmp_path):
    tensors = load_file(folder / "tiny_vqgan.safetensors")
    tensors |= {
        "loss.discriminator.main.0.weight": torch.zeros(4),
        "loss.perceptual_loss.lin0.model.1.weight": torch.ones(2),
        "lpips.lin0.model.1.weight": torch.ones(2),
    }
    torch.save({"state_dict": tensors, "epoch": 3}, tmp_path / "vqgan.ckpt")
    checkpoint = read_checkpoint(tmp_path / "vqgan.ckpt")
    net = vqgan_format.load(checkpoint, sample_size=64)
    assert checkpoint.note().endswith(": epoch, loss.* (2 tensors), lpips.*.")
    expected = vqgan.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda tensors: tensors.pop("decoder.up.1.upsample.conv.weight"),
            r"published\.ckpt don't fit VQGAN: decoder\.up\.1\.upsample\.conv\.weight is missing\.",
        ),
        (
            lambda tensors: tensors.update(more=torch.zeros(2)),
            r"published\.ckpt don't fit VQGAN: more is not expected\.",
        ),
        (lambda tensors: tensors.pop("encoder.conv_in.weight"), r"encoder\.conv_in\.weight is missing"),
        (lambda tensors: tensors.pop("quantize.embedding.weight"), r"quantize\.embedding\.weight is missing"),
        (
            lambda tensors: tensors.update({"encoder.down.1.block.0.conv2.weight": torch.zeros(40, 40, 3, 3)}),
            r"its levels have \[32, 40\] channels of 32",
        ),
    ],
)
def test_a_fault_of_the_vqgan_is_named(folder, spoil, message):
    tensors = load_file(folder / "tiny_vqgan.safetensors")
    spoil(tensors)
    with pytest.raises(WeightsError, match=message):
        build_vqgan(tensors, FILE)
