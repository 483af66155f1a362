"""The classical description; `tests/evaluate/test_identity.py` holds it against people."""

import torch

from limner.faces.hog import HogIdentity


def test_what_the_mean_face_has_is_subtracted():
    hog = HogIdentity()
    crops = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    vectors = hog(crops)
    assert vectors.shape == (2, len(hog.mean)) and vectors.min() < 0
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
