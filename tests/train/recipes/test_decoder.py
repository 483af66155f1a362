"""A first stage's decoder made sharp: what it is shown, what it is held to, and that nothing else moves."""

import pytest
import torch
import torch.nn.functional as F

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.nets.efficientnet import EfficientNetLite0
from limner.nets.vqgan import VQGAN
from limner.train.loop import fit
from limner.train.losses.projected import Projected
from limner.train.recipe import Recipe, Training
from limner.train.recipes.decoder import (
    Latents,
    SharpLoss,
    decoded,
    faces_as_latents,
    frozen_copy,
    psnr_and_detail,
    with_tail,
)


class Shrinks:
    """Stands for a VQGAN whose latent is the picture, eight times smaller."""

    factor = 8

    def encode(self, image):
        return F.avg_pool2d(image, 8)


@pytest.fixture(scope="module")
def pairs(shared):
    return RestorationPairs(FaceSet.open(shared / "faces", "val").first(4), 64, 3, {"ffhq-ref-severe": 1})


def tiny_net(**settings):
    return VQGAN(
        sample_size=64,
        latent_channels=3,
        codebook_size=16,
        width=8,
        multipliers=(1, 1),
        depth=1,
        middle=False,
        groups=0,
        **settings,
    )


def darkened(lq, generator):
    return F.avg_pool2d(lq, 8) * 0 - 1 + torch.rand((), generator=generator) * 1e-3


def test_windows_of_latents_and_pictures_belong_together(pairs):
    stream = Latents(pairs, Shrinks(), {"dark": darkened}, window=4)  # type: ignore[arg-type]
    restored = 0
    for n in range(16):
        sample = stream[n]
        assert sample["latent"].shape == (3, 4, 4) and sample["image"].shape == (3, 32, 32)
        if (sample["latent"] + 1).abs().max() < 2e-3:
            restored += 1
        else:
            torch.testing.assert_close(sample["latent"], F.avg_pool2d(sample["image"] * 2 - 1, 8), atol=1e-3, rtol=0)
    assert 2 < restored < 14


def test_a_sample_is_fixed_and_its_latent_made_once(pairs):
    asked = []

    def restorer(lq, generator):
        asked.append(len(lq))
        return darkened(lq, generator)

    one, two = (Latents(pairs, Shrinks(), {"dark": restorer}, window=4) for _ in range(2))  # type: ignore[arg-type]
    for n in (5, 0, 13):
        for key, value in one[n].items():
            assert torch.equal(value, two[n][key])
    made = len(asked)
    for n in (5, 0, 13, 5 + 8, 0 + 8):  # of 4 faces two epochs are 8 samples: the same faces, other windows
        assert one[n]["latent"].shape == (3, 4, 4)
    assert len(asked) == made


class Shows(torch.nn.Module):
    """Decodes every latent to one picture."""

    def __init__(self, picture):
        super().__init__()
        self.picture = picture

    def decode(self, latent):
        return self.picture


@pytest.fixture(scope="module")
def judge():
    """The projected terms with an untrained net and few steps before they count."""
    torch.manual_seed(0)
    return lambda: Projected(EfficientNetLite0(), torch.ones(5), start=2, rise=1)


def test_what_is_decoded_is_held_to_the_truth(judge):
    truth = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.25
    batch = {"latent": torch.zeros(2, 3, 4, 4), "image": truth}
    same, off = (SharpLoss(judge())(Shows(truth * 2 - 1 + d), batch, torch.Generator()) for d in (0, 0.2))
    assert same.item() == 0
    assert off.item() > 0.4


def test_only_the_decoder_moves(pairs, tmp_path, judge):
    torch.manual_seed(0)
    net = tiny_net(normalise_latent=True)
    before = frozen_copy(net)
    net.requires_grad_(False)
    net.decoder.requires_grad_(True)
    loss = SharpLoss(judge())
    recipe = Recipe(
        name="decoder",
        model=net,
        data=Latents(pairs, before, {"none": lambda lq, generator: before.encode(lq * 2 - 1)}, window=16),
        loss=loss,
        training=Training(steps=4, batch=2, lr=1e-3, final_lr=1e-3, ema=0.5),
    )
    weights = VQGAN.from_pretrained(fit(recipe, tmp_path / "run", cpu=True))
    old = before.state_dict()
    moved = {name.split(".")[0] for name, value in weights.state_dict().items() if not torch.equal(value, old[name])}
    assert moved == {"decoder"}
    assert loss.step == 4


def test_a_tail_changes_nothing_until_it_learns():
    torch.manual_seed(0)
    net = VQGAN(
        sample_size=64, latent_channels=3, codebook_size=16, width=8, multipliers=(1,), depth=1, middle=False,
        groups=0, patch_size=4,
    )  # fmt: skip
    grown = with_tail(net)
    latent = torch.randn(1, 3, 16, 16)
    assert grown.tail is not None and with_tail(grown) is grown
    torch.testing.assert_close(grown.decode(latent), net.decode(latent))
    torch.nn.init.normal_(grown.tail.out.weight, std=0.1)
    assert (grown.decode(latent) - net.decode(latent)).abs().max() > 1e-3
    published = tiny_net()
    assert with_tail(published) is published


def test_measures_by_name(shared):
    faces = FaceSet.open(shared / "faces", "val")
    net = tiny_net()
    with torch.no_grad():
        cases = faces_as_latents(faces.first(2), 64, net, {"blurred": lambda lq, generator: net.encode(lq * 2 - 1)})
        trials = [(case, decoded(net, case)) for case in cases]
    assert set(psnr_and_detail(trials)) == {"clean psnr", "clean detail", "blurred psnr", "blurred detail"}
    assert trials[0][1]["blurred"].shape == (64, 64, 3)
