"""A case made ready, and nets that are compiled."""

from dataclasses import replace

import pytest
import torch

import restoring
from cases import PATHS, Case
from limner.methods.loaded import LoadedMethod
from limner.weights.load import WeightsInfo
from restoring import compile_nets, ready

from ..methods.tiny import PIPELINES, pictures, seeded

CASE = Case("refldm", "mini", 32, 2, "fp32", 3, 0, 1, "eager", "cpu")


@pytest.fixture
def tiny_weights(monkeypatch):
    """Tiny nets in the place of the embedded ones."""

    def tiny(name: str, weights: str) -> LoadedMethod:
        return LoadedMethod(PIPELINES[name](), WeightsInfo(weights, "none", "random", 32))

    monkeypatch.setattr(restoring, "load", tiny)
    restoring.method_of.cache_clear()
    yield
    restoring.method_of.cache_clear()


def test_a_case_gives_its_pictures_the_same_each_time(tiny_weights):
    call = ready(CASE)
    pictures = call()
    assert pictures.shape == (2, 3, 32, 32) and torch.equal(call(), pictures)


@pytest.mark.parametrize(
    "change", [{"batch": 1}, {"steps": 1}, {"references": 2}, {"dtype": "bf16"}, {"method": "ldbfr"}], ids=str
)
def test_every_property_counts(tiny_weights, change):
    one, other = ready(CASE)(), ready(replace(CASE, **change))()
    assert one.shape != other.shape or not torch.equal(one, other)


@pytest.mark.parametrize("path", [path for path in PATHS if path != "graphs"])
def test_every_path_gives_the_same_picture(tiny_weights, monkeypatch, path):
    compiled = torch.compile
    monkeypatch.setattr(torch, "compile", lambda forward: compiled(forward, backend="eager"))  # seconds, not minutes
    torch.testing.assert_close(ready(replace(CASE, path=path))(), ready(CASE)(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("how", ["compile", "graphs"])
def test_compiled_is_what_the_chain_calls(monkeypatch, name, how):
    calls, modes = [], []

    def compiled(forward, mode=None):
        modes.append(mode)

        def call(*given, **named):
            calls.append(forward.__self__)
            return forward(*given, **named)

        return call

    monkeypatch.setattr(torch, "compile", compiled)
    pipeline = PIPELINES[name]()
    faces = pictures(1, 5, pipeline.size)
    expected = pipeline(faces, steps=2, generator=seeded()).images
    compile_nets(LoadedMethod(pipeline, WeightsInfo("tiny", "none", "random", pipeline.size)), how)
    assert torch.equal(pipeline(faces, steps=2, generator=seeded()).images, expected)
    assert calls.count(pipeline.unet) == 2
    assert set(modes) == ({"reduce-overhead"} if how == "graphs" else {None})
    assert how == "compile" or set(calls) == {pipeline.unet}
