"""What evaluation knows of the methods."""

import pytest
import torch

from limner.evaluate.abilities import (
    ceiling,
    ceiling_name,
    name_without_diffusion,
    pipeline_of,
    takes_references,
    with_masked_guidance,
)
from limner.methods import METHODS, load
from limner.methods.clrface import CLRFacePipeline
from limner.methods.difface import DifFacePipeline


@pytest.fixture(scope="module", params=METHODS)
def method(request):
    return request.param, load(request.param)


def test_the_questions(method):
    name, loaded = method
    assert name_without_diffusion(loaded) == {"difface": "estimator", "ldbfr": "stage A", "clrface": "IRN"}.get(name)
    assert ceiling_name(loaded) == {"refldm": "ceiling", "ldbfr": "ceiling", "clrface": "ceiling clrface"}.get(name)
    assert takes_references(loaded) is METHODS[name].references
    assert (with_masked_guidance(loaded) is not None) == (name == "clrface")
    picture = torch.full((3, 64, 64), 0.5)
    rebuilt = ceiling(loaded, picture)
    assert (rebuilt is None) == (ceiling_name(loaded) is None)
    if rebuilt is not None:
        assert rebuilt.shape == picture.shape and (rebuilt - picture).abs().mean() < 0.1


def test_the_pipeline_of_another_method(method):
    name, loaded = method
    assert pipeline_of(loaded, type(loaded.pipeline)) is loaded.pipeline
    with pytest.raises(TypeError, match="is no"):
        pipeline_of(loaded, CLRFacePipeline if name == "difface" else DifFacePipeline)
