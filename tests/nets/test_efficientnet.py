"""EfficientNet-Lite0 with its published weights, where they are installed: it knows a cat and a coffee."""

import pytest
import torch
import torch.nn.functional as F

from limner.errors import WeightsError
from limner.nets.efficientnet import CHANNELS, EfficientNetLite0
from limner.weights.formats import efficientnet


@pytest.fixture(scope="module")
def published():
    try:
        return efficientnet.load(efficientnet.installed())
    except WeightsError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("name", "expected"), [("chelsea", 285), ("coffee", 967)])
def test_it_names_what_it_sees(published, name, expected):
    data = pytest.importorskip("skimage.data")
    picture = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        logits = published(F.interpolate(picture, (224, 224), mode="area"))
    assert logits.shape == (1, 1000) and int(logits.argmax()) == expected  # Egyptian cat, espresso


def test_features_halve_from_level_to_level():
    net = EfficientNetLite0().eval()
    with torch.inference_mode():
        found = net.features(torch.rand(1, 3, 72, 144))
    assert [tuple(level.shape[1:]) for level in found] == [
        (channels, -(-72 // 2**n), -(-144 // 2**n)) for n, channels in enumerate(CHANNELS, start=1)
    ]
