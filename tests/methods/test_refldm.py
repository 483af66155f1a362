"""ReF-LDM against outputs of the authors' code (`../shared/golden/refldm`), and what is its own."""

import json
from itertools import pairwise

import pytest
import torch
from safetensors.torch import load_file

from limner.data.faces import FaceSet
from limner.data.pairs import fixed_pairs
from limner.errors import WeightsError
from limner.faces.hog import HogIdentity
from limner.methods import load
from limner.methods.options import RefLDMOptions
from limner.methods.pipeline import Batch
from limner.methods.refldm import RefLDMPipeline
from limner.methods.schedules import refldm_schedule
from limner.nets.unet import UNet
from limner.pixels import to_tensor
from limner.weights.formats import refldm, vqgan
from limner.weights.load import Nets, WeightsInfo

from ..golden.on_device import assert_golden, placed
from . import tiny
from .tiny import pictures, seeded

CLOSE = {"rtol": 1e-4, "atol": 1e-4}  # as the golden README suggests; images lie in [0, 1]

RUNS = [
    f"ddim.{spacing}.S{steps}.cfg{guidance}.ref{count}"
    for spacing in ("uniform", "uniform_trailing")
    for steps, counts in ((5, (2, 3)), (10, (2,)))
    for guidance in (1.0, 1.5)
    for count in counts
]
ETA_RUN = "ddim_eta0.5_seed7.uniform_trailing.S5.cfg1.0.ref2"
SPACINGS = {"uniform": "leading", "uniform_trailing": "trailing"}


@pytest.fixture(scope="module")
def golden(shared):
    return load_file(shared / "golden/refldm/tiny_io.safetensors")


@pytest.fixture(scope="module")
def published(shared, golden):
    folder = shared / "golden/refldm"
    first_stage = vqgan.load(folder / "tiny_vqgan.safetensors", sample_size=golden["in.lq_image"].shape[-1])
    unet = refldm.load(folder / "tiny_refldm.safetensors", head_channels=16, sample_size=golden["in.x_T"].shape[-1])
    return RefLDMPipeline(first_stage, unet, refldm_schedule(), encoding="wide")


def references_of(golden, count: int) -> torch.Tensor:
    return torch.cat(golden[f"in.ref_image_{count}"].chunk(count, dim=-1)) / 2 + 0.5


@pytest.mark.parametrize("run", [*RUNS, ETA_RUN])
def test_restoration(golden, published, compute, run):
    pipeline = placed(published, compute)
    name, spacing, steps, *guidance, references = run.replace("eta0.5", "eta").split(".")
    count = int(references.removeprefix("ref"))
    out = pipeline(
        golden["in.lq_image"] / 2 + 0.5,
        references=[references_of(golden, count)],
        guidance=float(".".join(guidance).removeprefix("cfg")),
        steps=int(steps[1:]),
        timestep_spacing=SPACINGS[spacing],
        eta=0.5 if "eta" in name else 0.0,
        noise=golden["in.x_T"],
        generator=torch.Generator().manual_seed(7),
    )
    assert_golden(out.latents, golden[f"{run}.latent"], compute, **CLOSE)
    if f"{run}.image" in golden and compute.dtype == torch.float32:  # a latent that bf16 moved has other codes
        assert_golden(out.images, golden[f"{run}.image"], compute, **CLOSE)
    if f"{run}.image_noquant" in golden:
        with torch.no_grad():
            free = pipeline.vqgan.decode(out.latents.to(compute.device), quantise=False).float().cpu()
        assert_golden(free, golden[f"{run}.image_noquant"], compute, **CLOSE)


def test_every_recorded_run_is_compared(golden):
    recorded = {name.removesuffix(".latent") for name in golden if name.startswith("ddim") and name.endswith(".latent")}
    assert recorded == {*RUNS, ETA_RUN}


def test_recorded_noise_is_the_generators(golden):
    generator = torch.Generator().manual_seed(7)
    noise = torch.stack([torch.randn(golden["in.x_T"].shape, generator=generator) for _ in range(5)])
    torch.testing.assert_close(noise, golden["ddim_eta0.5_seed7.noise"], rtol=0, atol=0)


@pytest.mark.parametrize("count", [2, 3])
def test_wide_and_separate_encoding(golden, published, count):
    pictures = references_of(golden, count)
    wide = torch.cat(golden[f"vq.encode_ref_{count}_wide"].chunk(count, dim=-1))
    torch.testing.assert_close(published.encode_references(pictures), wide, **CLOSE)
    each = published.encode_references(pictures, "separate", batch_size=2)
    torch.testing.assert_close(each, golden["vq.encode_ref_each"][:count], **CLOSE)
    assert (each - wide).abs().max() > 0.1


def test_the_schedule(golden):
    scheduler = refldm_schedule()
    torch.testing.assert_close(scheduler.alphas_cumprod, golden["buffers.alphas_cumprod"], rtol=5e-6, atol=0)
    for run, spacing in SPACINGS.items():
        scheduler = refldm_schedule(timestep_spacing=spacing)
        scheduler.set_timesteps(10)
        times = scheduler.timesteps.flip(0)
        assert times.tolist() == golden[f"sched.{run}.S10.timesteps"].tolist()
        before = torch.cat([scheduler.final_alpha_cumprod[None], scheduler.alphas_cumprod[times[:-1]]])
        torch.testing.assert_close(before.double(), golden[f"sched.{run}.S10.alphas_prev"], rtol=5e-6, atol=0)


def test_timesteps(shared):
    """The authors' wherever 1000 is a multiple of the steps; elsewhere as many steps as asked for, from theirs."""
    recorded = json.loads((shared / "golden/refldm/ddim_timesteps.json").read_text())
    pipeline, compared = tiny.refldm(), 0
    for name, theirs in recorded.items():
        run, steps = name.split(".")
        if int(steps) == 1000:
            continue
        ours = pipeline.scheduler_for(int(steps), SPACINGS[run]).timesteps.tolist()[::-1]
        if 1000 % int(steps) == 0:
            assert ours == theirs, name
            compared += 1
        else:
            assert len(ours) == int(steps) < len(theirs)
            assert ours == theirs[: len(ours)] if run == "uniform" else ours[-1] == theirs[-1] == 999
            assert max(b - a for a, b in pairwise(ours)) - min(b - a for a, b in pairwise(ours)) <= 1
    assert compared > 20


@pytest.fixture
def faces():
    return pictures(4, 5)


@pytest.fixture
def people():
    """References of four faces, of which one has none."""
    return [pictures(2, 10), pictures(0, 0), pictures(3, 12), pictures(1, 13)]


def test_separately_encoded_references_have_no_order(faces):
    pipeline, three = tiny.refldm(), pictures(3, 12)
    settings = {"steps": 3, "generator": None}
    for encoding, most in (("separate", 1e-4), ("wide", None)):
        one, other = (
            pipeline(faces[:1], references=[refs], encoding=encoding, **settings).latents
            for refs in (three, three.flip(0))
        )
        difference = (one - other).abs().max()
        assert difference < most if most else difference > 1e-3


def test_zero_references_weigh_like_as_many_zero_latents(faces):
    """The unconditional half with one zero latent for three, against three passes."""
    pipeline, three = tiny.refldm(), pictures(3, 12)
    guided = pipeline(faces[:1], references=[three], steps=1, guidance=0.0, generator=seeded()).latents
    query, zeros = pipeline.encode(faces[:1]), torch.zeros(1, 3, 4, 8, 8)
    noise = torch.randn(4, 8, 8, generator=seeded())[None]
    batch = Batch(faces[:1], [], [seeded()], lambda _: None, 1)
    with torch.no_grad():
        cache = pipeline.unet.read_references(zeros)
        plain = pipeline.denoise(noise, query, [cache], pipeline.scheduler_for(1), RefLDMOptions(guidance=1.0), batch)
    torch.testing.assert_close(guided, plain, rtol=1e-5, atol=1e-4)


def counted(monkeypatch, pipeline) -> dict[str, list[int]]:
    """Rows of every pass through the U-Net: of references, and of the chain (that leave it)."""
    seen: dict[str, list[int]] = {"read": [], "rows": []}
    read, forward = UNet.read_references, UNet.forward

    def read_references(self, references, *args, **kwargs):
        seen["read"].append(references.shape[1])
        return read(self, references, *args, **kwargs)

    def chain(self, *args, **kwargs):
        out = forward(self, *args, **kwargs)
        seen["rows"].append(len(out))
        return out

    monkeypatch.setattr(UNet, "read_references", read_references)
    monkeypatch.setattr(UNet, "forward", chain)
    return seen


def test_references_are_read_once(faces, monkeypatch):
    pipeline = tiny.refldm()
    seen, same = counted(monkeypatch, pipeline), pictures(3, 12)
    pipeline(faces, references=[same] * 4, steps=3, samples=2, batch_size=4)
    assert sorted(seen["read"]) == [1, 3], "three references, and one zero"
    assert seen["rows"] == [8] * 6
    known = pipeline.read(same)
    seen["read"].clear()
    pipeline(faces, references=[known, None, known, None], steps=3)
    assert seen["read"] == []


def test_no_references_and_no_guidance_take_half_the_time(faces, monkeypatch):
    pipeline = tiny.refldm()
    seen = counted(monkeypatch, pipeline)
    plain = pipeline(faces, steps=2, guidance=1.5, generator=seeded()).latents
    assert seen == {"read": [], "rows": [4, 4]}
    torch.testing.assert_close(pipeline(faces, steps=2, guidance=1.0, generator=seeded()).latents, plain)
    seen["rows"].clear()
    pipeline(faces, references=[pictures(2, i) for i in range(4)], steps=2, guidance=1.0)
    assert seen["rows"] == [4, 4]


def test_no_person_without_references_shares_a_batch_with_one_who_has_some(faces, people, monkeypatch):
    pipeline = tiny.refldm()
    seen = counted(monkeypatch, pipeline)
    pipeline(faces, references=people, steps=1, batch_size=2)
    assert seen["rows"] == [1, 4, 2], "none; then the one with 1 and the one with 2, both halves; then the one with 3"


def test_a_saved_pipeline_keeps_its_encoding(tmp_path):
    tiny.refldm(encoding="wide").save_pretrained(tmp_path)
    assert load("refldm", str(tmp_path)).pipeline.config["encoding"] == "wide"
    assert RefLDMPipeline.from_pretrained(tmp_path).config["encoding"] == "wide"
    (tmp_path / "model_index.json").unlink()
    assert load("refldm", str(tmp_path)).pipeline.config["encoding"] == "separate", "as training leaves it"
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(WeightsError, match=r"model_index.json can't be read as JSON: get a whole copy"):
        load("refldm", str(tmp_path))


def test_the_authors_files_bring_their_settings(shared, tmp_path, monkeypatch):
    """Judged by the tiny nets, which have the same names."""
    monkeypatch.setenv("LIMNER_MODELS", str(tmp_path))
    with pytest.raises(WeightsError, match="limner weights fetch official/vqgan"):
        load("refldm", "official")
    for tiny_file, file in (("tiny_vqgan.safetensors", "vqgan.ckpt"), ("tiny_refldm.safetensors", "refldm.ckpt")):
        (tmp_path / file).write_bytes((shared / "golden/refldm" / tiny_file).read_bytes())
    loaded = load("refldm", "official", "dpmsolver++")
    assert loaded.pipeline.config["encoding"] == "wide" and loaded.options == RefLDMOptions()
    assert loaded.info.name == "official" and "non-commercial" in loaded.info.licence
    assert type(loaded.pipeline.scheduler).__name__ == "DPMSolverMultistepScheduler"
    assert loaded.pipeline.scheduler.config["prediction_type"] == "epsilon"


def test_the_authors_files_in_a_folder_want_wide_references(tmp_path, monkeypatch):
    nets = tiny.refldm()
    info = WeightsInfo(str(tmp_path), "", "", 32)
    loaded = Nets("ReF-LDM", "mine", {"vqgan": nets.vqgan, "unet": nets.unet}), info
    for module in ("loaded", "refldm"):
        monkeypatch.setattr(f"limner.methods.{module}.load_parts", lambda *_: loaded)
    assert load("refldm", str(tmp_path)).pipeline.config["encoding"] == "separate"
    (tmp_path / "refldm.ckpt").touch()
    assert load("refldm", str(tmp_path)).pipeline.config["encoding"] == "wide"


@pytest.mark.slow
def test_the_embedded_weights_use_their_references(collection):
    """The person's other photograph makes the result more like the person, somebody else's less: by a measure that no
    training used, over people that no training saw."""
    faces = FaceSet.open(collection / "faces", "held-out")
    pairs = fixed_pairs(faces, 256, "ffhq-ref-severe")
    lq, truth = (torch.stack([to_tensor(pair[side]) for pair in pairs]) for side in (0, 1))
    shown = range(10)
    mates = [next(j for j, who in enumerate(faces.people) if who == faces.people[i] and j != i) for i in shown]
    strangers = [*mates[1:], mates[0]]
    pipeline, measure = load("refldm", "mini").pipeline, HogIdentity()
    alike = {}
    for name, chosen in (("none", None), ("right", mates), ("wrong", strangers)):
        references = None if chosen is None else [truth[[place]] for place in chosen]
        restored = pipeline(lq[: len(shown)], references=references, steps=8, generator=seeded()).images
        alike[name] = (measure(restored) * measure(truth[: len(shown)])).sum(dim=1).mean().item()
    assert alike["right"] > alike["none"] > alike["wrong"]
