"""The plain path gives what the fast one gives."""

import pytest
import torch

from limner.nets.swinir import SwinIR
from plain import nothing_fused

from ..methods.tiny import PIPELINES, filled, pictures, seeded


@pytest.mark.parametrize("name", PIPELINES)
def test_every_method_gives_the_same_picture(name, monkeypatch):
    pipeline = PIPELINES[name]()
    faces = pictures(2, 5, pipeline.size)
    references = [pictures(3, 6, pipeline.size)] * 2 if pipeline.paper.info.references else None

    def restored() -> torch.Tensor:
        return pipeline(faces, references=references, steps=3, generator=seeded()).images

    fast, kernel = restored(), torch.nn.functional.scaled_dot_product_attention
    with nothing_fused():
        assert torch.nn.functional.scaled_dot_product_attention is not kernel
        plain = restored()
    torch.testing.assert_close(plain, fast, rtol=0, atol=1e-4)
    assert torch.nn.functional.scaled_dot_product_attention is kernel


@torch.no_grad()
def test_attention_with_a_bias_and_a_scale_of_its_own():
    net = SwinIR(channels=24, depths=(2, 2), heads=(2, 2)).eval()
    filled(net)
    picture = pictures(1, 3, 64)
    fast = net(picture)
    with nothing_fused():
        torch.testing.assert_close(net(picture), fast, rtol=0, atol=1e-5)
