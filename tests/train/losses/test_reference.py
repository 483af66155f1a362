import pytest
import torch
from torch import nn

from limner.methods.schedules import refldm_schedule
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.train.losses.identity import IdentityLoss
from limner.train.losses.reference import ReferenceLoss


@pytest.fixture
def vqgan():
    torch.manual_seed(0)
    net = VQGAN(
        sample_size=32,
        latent_channels=4,
        codebook_size=16,
        width=8,
        multipliers=(1, 1),
        depth=1,
        middle=False,
        groups=0,
    )
    nn.init.normal_(net.codebook.weight)
    nn.init.normal_(net.decoder.head.weight, std=0.1)
    return net.eval()


@pytest.fixture
def unet():
    torch.manual_seed(1)
    net = UNet(
        sample_size=16,
        in_channels=8,
        out_channels=4,
        width=16,
        multipliers=(1, 1),
        depths=(1, 1),
        attention_levels=(1,),
        head_channels=8,
        scale_shift=False,
        groups=0,
    )
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.1)
    return net


def batch(rows=4, references=0):
    generator = torch.Generator().manual_seed(2)
    made = {key: torch.rand(rows, 3, 32, 32, generator=generator) for key in ("lq", "image")}
    if references:
        made["references"] = torch.rand(rows, references, 3, 32, 32, generator=generator)
        made["present"] = torch.ones(rows, references, dtype=torch.bool)
    return made


class Knows(nn.Module):
    """Predicts as the loss wants it, off by `error`; keeps what it was shown."""

    def __init__(self, vqgan, schedule, image, error=0.0):
        super().__init__()
        self.vqgan, self.schedule, self.image, self.error = vqgan, schedule, image, error
        self.seen = []

    def forward(self, x, t, cache=None):
        self.seen.append((x, t, cache))
        clean = self.vqgan.encode(self.image * 2 - 1)
        if self.schedule.config["prediction_type"] == "sample":
            return clean + self.error
        abar = self.schedule.alphas_cumprod[t][:, None, None, None]
        return (x[:, :4] - abar.sqrt() * clean) / (1 - abar).sqrt() + self.error


@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
@pytest.mark.parametrize(("norm", "paid"), [("l2", 0.25), ("l1", 0.5)])
def test_it_asks_for_what_the_schedule_says(vqgan, prediction, norm, paid):
    schedule = refldm_schedule(prediction)
    given = batch()
    loss = ReferenceLoss(vqgan, schedule, norm=norm)
    right = loss(Knows(vqgan, schedule, given["image"]), given, torch.Generator().manual_seed(0))
    wrong = loss(Knows(vqgan, schedule, given["image"], 0.5), given, torch.Generator().manual_seed(0))
    assert right < 1e-6
    assert wrong.item() == pytest.approx(paid, rel=1e-3)


def test_balanced_errors_cost_by_their_noise_level(vqgan):
    schedule, given = refldm_schedule("sample"), batch(1)
    loss = ReferenceLoss(vqgan, schedule, balance=True)
    net = Knows(vqgan, schedule, given["image"], 0.5)
    for seed in range(5):
        paid = loss(net, given, torch.Generator().manual_seed(seed)).item()
        sigma = (1 - schedule.alphas_cumprod[net.seen[-1][1]]).sqrt().item()
        assert paid == pytest.approx(0.25 / (sigma + 0.05), rel=1e-3)


def test_the_degraded_latent_is_dropped_as_often_as_asked(vqgan):
    schedule, given = refldm_schedule("sample"), batch(64)
    net = Knows(vqgan, schedule, given["image"])
    ReferenceLoss(vqgan, schedule, drop_lq=0.3)(net, given, torch.Generator().manual_seed(0))
    shown = net.seen[0][0][:, 4:]
    dropped = shown.flatten(1).abs().sum(dim=1) == 0
    assert 8 < dropped.sum() < 32
    torch.testing.assert_close(shown[~dropped], vqgan.encode(given["lq"] * 2 - 1)[~dropped])


def test_references_reach_the_net_with_gradient(vqgan, unet):
    schedule, given = refldm_schedule("sample"), batch(2, references=2)
    loss = ReferenceLoss(vqgan, schedule, drop_lq=0, drop_references=0)
    first = loss(unet, given, torch.Generator().manual_seed(0))
    given["references"] = given["references"].flip(0)
    assert first != loss(unet, given, torch.Generator().manual_seed(0))
    del given["references"], given["present"]
    assert first != loss(unet, given, torch.Generator().manual_seed(0))
    first.backward()
    assert all(p.grad is not None for p in unet.parameters())
    assert all(p.grad is None for p in vqgan.parameters())


def test_zeroed_references_are_alike_and_absent_ones_are_none(vqgan, unet):
    schedule, given = refldm_schedule("sample"), batch(2, references=2)
    other = given | {"references": given["references"].flip(0)}

    def paid(batch, **drops):
        loss = ReferenceLoss(vqgan, schedule, **({"drop_lq": 0, "drop_references": 0} | drops))
        return loss(unet, batch, torch.Generator().manual_seed(0)).item()

    assert paid(given, drop_references=1) == paid(other, drop_references=1)
    absent = given | {"present": torch.zeros(2, 2, dtype=torch.bool)}
    dropped, missing = paid(given, drop_all_references=1), paid(absent)
    assert dropped == pytest.approx(missing, rel=1e-5)
    net = Knows(vqgan, schedule, given["image"])
    ReferenceLoss(vqgan, schedule, drop_all_references=1)(net, given, torch.Generator().manual_seed(0))
    assert net.seen[0][2] is None
    assert paid(given, drop_references=1) != pytest.approx(dropped, rel=1e-4)


def test_repeats_of_a_sample_share_its_references(vqgan, unet):
    """Two repeats cost what the same samples twice in a batch would."""
    schedule, given = refldm_schedule("sample"), batch(2, references=2)
    given["present"][0, 1] = False
    settings = {"drop_lq": 0, "drop_references": 0}
    twice = {key: torch.cat([part, part]) for key, part in given.items()}

    class Still(ReferenceLoss):
        def kept(self, rows, chance, generator):
            return torch.ones(rows)

    repeated = Still(vqgan, schedule, repeats=2, **settings)(unet, given, torch.Generator().manual_seed(0))
    plain = Still(vqgan, schedule, **settings)(unet, twice, torch.Generator().manual_seed(0))
    torch.testing.assert_close(repeated, plain)


class Corner(nn.Module):
    """An identity that is told by the colour of one corner, as a unit vector."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, crops):
        self.seen.append(crops)
        return nn.functional.normalize(crops[:, :, 0, 0] + 0.01, dim=1)


def identity_terms(vqgan, loss, rows=3):
    given = batch(rows)
    clean = vqgan.encode(given["image"] * 2 - 1).detach()
    guess = clean.flip(0).requires_grad_()
    abar = torch.tensor([0.9, 0.5, 0.1])[:rows]
    timesteps = torch.tensor([50, 400, 900])[:rows]
    return loss(vqgan, guess, clean, given["image"], timesteps, abar), guess, given


def test_the_identity_term_is_scaled_by_the_noise_level(vqgan):
    def term(**settings):
        net = Corner()
        value, _, _ = identity_terms(vqgan, IdentityLoss(net, **settings))
        target, guess = (nn.functional.normalize(crops[:, :, 0, 0] + 0.01, dim=1) for crops in net.seen)
        return value.item(), (1 - (target * guess).sum(dim=1)).tolist()

    value, apart = term()
    expected = sum(d * a**0.5 for d, a in zip(apart, (0.9, 0.5, 0.1), strict=True)) / 3
    assert value == pytest.approx(0.1 * expected, rel=1e-4)
    assert term(scale="constant")[0] == pytest.approx(0.1 * sum(apart) / 3, rel=1e-4)
    assert term(below=500, scale="constant")[0] == pytest.approx(0.1 * sum(apart[:2]) / 3, rel=1e-4)
    assert term(weight=1.0)[0] == pytest.approx(expected, rel=1e-4)


def test_the_target_is_the_reconstruction_or_the_truth(vqgan):
    for target in ("reconstruction", "truth"):
        net = Corner()
        _, _, given = identity_terms(vqgan, IdentityLoss(net, target=target))
        clean = vqgan.encode(given["image"] * 2 - 1)
        wanted = given["image"] if target == "truth" else vqgan.decode(clean) / 2 + 0.5
        torch.testing.assert_close(net.seen[0], wanted)


def test_the_identity_gradient_passes_the_quantiser_and_decodes_only_some(vqgan):
    net = Corner()
    value, guess, _ = identity_terms(vqgan, IdentityLoss(net, samples=2))
    value.backward()
    assert len(net.seen[0]) == 2
    assert guess.grad is not None
    assert guess.grad[:2].abs().sum() > 0 and guess.grad[2:].abs().sum() == 0


@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
def test_the_identity_term_sees_the_predicted_clean_latent(vqgan, prediction):
    """Where the net is right it costs nothing, whatever it predicts."""
    schedule, given = refldm_schedule(prediction), batch()
    loss = ReferenceLoss(vqgan, schedule, identity=IdentityLoss(Corner(), weight=10.0))
    assert loss(Knows(vqgan, schedule, given["image"]), given, torch.Generator().manual_seed(0)) < 1e-3
    far = loss(Knows(vqgan, schedule, given["image"].flip(0)), given, torch.Generator().manual_seed(0))
    plain = ReferenceLoss(vqgan, schedule)
    assert far > plain(Knows(vqgan, schedule, given["image"].flip(0)), given, torch.Generator().manual_seed(0)) + 1e-3
