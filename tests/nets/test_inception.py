"""FID's Inception-v3: names, sizes and count of parameters as published, and how it pools."""

import torch

from limner.nets.inception import Forked, Inception, Mixed, small


def test_names_and_parameters():
    with torch.device("meta"):
        net = Inception().eval()
        assert net(torch.zeros(2, 3, 299, 299)).shape == (2, 2048)
    # torchvision's, 27,161,264 with 1,000 classes and the auxiliary branch, less those
    assert sum(parameter.numel() for parameter in net.parameters()) == 21_785_568
    names = {name.removesuffix(".conv.weight") for name in net.state_dict() if name.endswith(".conv.weight")}
    assert len(names) == 94
    assert {
        "Conv2d_1a_3x3",
        "Mixed_5b.branch5x5_2",
        "Mixed_5d.branch3x3dbl_3",
        "Mixed_6a.branch3x3",
        "Mixed_6a.branch3x3dbl_3",
        "Mixed_6c.branch7x7_3",
        "Mixed_6e.branch7x7dbl_5",
        "Mixed_7a.branch3x3_2",
        "Mixed_7a.branch7x7x3_4",
        "Mixed_7b.branch3x3_2a",
        "Mixed_7c.branch3x3dbl_3b",
        "Mixed_7c.branch_pool",
    } <= names
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    assert shapes["Mixed_6b.branch7x7_2.conv.weight"] == (128, 128, 1, 7)
    assert shapes["Mixed_6c.branch7x7dbl_2.conv.weight"] == (160, 160, 7, 1)
    assert shapes["Mixed_7c.branch1x1.bn.running_var"] == (320,)


def test_sizes_of_blocks():
    with torch.device("meta"):
        net = Inception().eval()
        seen: dict[str, torch.Size] = {}
        for name, block in net.named_children():
            block.register_forward_hook(lambda m, i, o, name=name: seen.__setitem__(name, o.shape[1:]))
        net(torch.zeros(1, 3, 299, 299))
    assert seen["Conv2d_4a_3x3"] == (192, 71, 71)
    assert [seen[f"Mixed_{name}"] for name in ("5b", "5d", "6a", "6e", "7a", "7c")] == [
        (256, 35, 35),
        (288, 35, 35),
        (768, 17, 17),
        (768, 17, 17),
        (1280, 8, 8),
        (2048, 8, 8),
    ]


def pooled_to(block: Mixed, x: torch.Tensor) -> torch.Tensor:
    return block._pooled(x)


def test_padding_does_not_count_and_the_last_block_takes_the_maximum():
    mean = small(3, 3).eval()
    flat = pooled_to(mean, torch.ones(1, 3, 5, 5))
    assert torch.allclose(flat, flat[..., 2:3, 2:3].expand_as(flat)), "a flat map stays flat to its border"
    spot = torch.zeros(1, 4, 7, 7)
    spot[..., 3, 3] = 1
    largest, other = Forked(4, largest=True).eval(), Forked(4, largest=False).eval()
    other.load_state_dict(largest.state_dict())
    assert torch.allclose(pooled_to(largest, spot)[..., 2, 2], pooled_to(largest, spot)[..., 4, 4])
    assert torch.allclose(pooled_to(other, spot)[..., 3, 3] * 9, pooled_to(largest, spot)[..., 3, 3], atol=1e-6)
