"""What two processes learn together is what one learns alone from the same samples."""

import faulthandler
import os
import socket
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from accelerate.state import AcceleratorState
from torch import multiprocessing

from limner.methods.schedules import difface_schedule, refldm_schedule
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.efficientnet import EfficientNetLite0
from limner.nets.estimator import Estimator
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.train.loop import fit
from limner.train.losses.adversary import Adversary
from limner.train.losses.projected import Projected
from limner.train.losses.reference import ReferenceLoss
from limner.train.recipe import Recipe, Training
from limner.train.recipes.decoder import SharpLoss as DecoderLoss
from limner.train.recipes.difface.estimator import root_mse
from limner.train.recipes.difface.prior_sharp import SharpLoss as PriorLoss
from limner.train.recipes.ldbfr.stage_a import StageALoss, around
from limner.train.recipes.refldm.vqgan import Objective, l1

STEPS, BATCH, SIDE = 3, 4, 32


class Samples:
    """Random pictures under every name that a loss asks for; `restored` is the first two rows of a batch."""

    def __getitem__(self, n):
        generator = torch.Generator().manual_seed(n)
        image = torch.rand(3, SIDE, SIDE, generator=generator)
        return {
            "image": image,
            "lq": F.avg_pool2d(image, 5, 1, 2),
            "entry": image,
            "restored": torch.tensor(float(n % BATCH < 2)),
            "mouth": torch.tensor([1, 2] if n % BATCH == 0 else [-1, -1]),
            "latent": torch.randn(4, SIDE // 2, SIDE // 2, generator=generator),
            "references": torch.rand(1, 3, SIDE, SIDE, generator=generator),
            "present": torch.tensor([n % 3 > 0]),
            "number": torch.tensor(n),
        }


def vqgan():
    torch.manual_seed(0)
    net = VQGAN(SIDE, 4, 16, 8, (1, 1), 1, middle=False, groups=0)
    torch.nn.init.normal_(net.codebook.weight)
    return net


def unet(channels, out):
    torch.manual_seed(1)
    net = UNet(SIDE // 2, channels, out, 16, (1, 1), (1, 1), (1,), 8, False, groups=0)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return net


def adversary(start=0):
    torch.manual_seed(2)
    return Adversary(start, 1.0, PatchDiscriminator(8, 2), lr=1e-3, r1=2.0)


class SampleBySample:
    """A loss with noise, which depends here on the sample and not on the process that sees it."""

    def __init__(self, loss):
        self.loss = loss

    def __call__(self, model, batch, generator):
        rows = [{key: value[row : row + 1] for key, value in batch.items()} for row in range(len(batch["number"]))]
        seeds = batch["number"].tolist()
        losses = [self.loss(model, row, torch.Generator().manual_seed(n)) for row, n in zip(rows, seeds, strict=True)]
        return torch.stack(losses).mean()


def projected():
    return Projected(EfficientNetLite0().eval(), torch.ones(5), start=1, rise=1, lr=1e-3)


def plain():
    torch.manual_seed(0)
    return Estimator(SIDE, 2, (8, 8), (1, 1)), root_mse


def latent():
    loss = ReferenceLoss(vqgan(), refldm_schedule("sample"), drop_references=0.3)
    return unet(8, 4), SampleBySample(loss)


def decoder():
    net = vqgan().requires_grad_(False)
    net.decoder.requires_grad_(True)
    return net, DecoderLoss(projected())


def autoencoder():
    return vqgan(), Objective(l1, adversary=adversary())


def stage_a():
    net = around(vqgan(), heads=2, head_channels=4)
    torch.nn.init.normal_(net.cross.out.weight, std=0.1)
    return net, StageALoss(l1, adversary=adversary())


def prior():
    torch.manual_seed(2)
    return unet(3, 3), PriorLoss(difface_schedule("sample"), projected(), {"mouth": projected()}, SIDE)


def train(kind, folder, steps=STEPS, resume=False) -> dict[str, torch.Tensor]:
    net, loss = kind()
    recipe = Recipe(kind.__name__, net, Samples(), loss, Training(steps, BATCH, 1e-3, 1e-3, clip=1.0))
    fit(recipe, folder / kind.__name__, every=100, cpu=True, resume=resume)
    return net.state_dict()


def work(rank, ports, folder):
    torch.set_num_threads(1)
    faulthandler.dump_traceback_later(90, exit=True)  # where it waits, should it wait
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    for kind, steps in [(each, until) for each in KINDS for until in PARTS[each]]:
        os.environ["MASTER_PORT"] = str(ports.pop())
        weights = train(kind, folder, steps, resume=steps != PARTS[kind][0])
        torch.save(weights, folder / f"{kind.__name__}-{rank}.pt")
        AcceleratorState._reset_state(reset_partial_state=True)  # the end of a training ends the group of processes


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


SAME_NOISE = (plain, latent, autoencoder, stage_a)
KINDS = (*SAME_NOISE, decoder, prior)
PARTS = {kind: (STEPS,) for kind in KINDS} | {decoder: (2, STEPS)}
"""Up to which steps a kind is trained by two processes: the decoder is stopped after two, and resumed."""


@pytest.fixture(scope="module")
def by_two(tmp_path_factory) -> Path:
    """A folder with what each of two processes learned of every kind of recipe."""
    folder = tmp_path_factory.mktemp("two")
    ports = [free_port() for parts in PARTS.values() for _ in parts]
    processes = multiprocessing.spawn(work, (ports, folder), nprocs=2, join=False)
    try:
        # it returns when the first has ended
        assert processes.join(timeout=100) or processes.join(timeout=20), "the processes wait for each other"
    finally:
        for process in processes.processes:
            process.kill()
    return folder


def learned(folder, kind, rank):
    return torch.load(folder / f"{kind.__name__}-{rank}.pt")


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAME_NOISE)
def test_two_processes_learn_what_one_does(by_two, tmp_path, kind):
    alone = train(kind, tmp_path)
    for rank in (0, 1):
        for name, weights in learned(by_two, kind, rank).items():
            torch.testing.assert_close(weights, alone[name], rtol=0, atol=2e-5, msg=lambda told, n=name: f"{n}: {told}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_processes_agree(by_two, kind):
    first, second = (learned(by_two, kind, rank) for rank in (0, 1))
    before = kind()[0].state_dict()
    assert any((first[name] - before[name]).abs().max() > 1e-3 for name in before), "something was learned"
    assert all(torch.equal(first[name], second[name]) for name in first)
