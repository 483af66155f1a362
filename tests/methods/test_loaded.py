"""A method joined with weights: where the schedule comes from, what suits the weights, and what can't be loaded."""

from importlib import import_module

import pytest
import torch

from limner.errors import LimnerError, WeightsError
from limner.methods import METHODS, find_method, load
from limner.methods.difface import DifFacePipeline
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.loaded import LoadedMethod
from limner.methods.pipeline import Restored
from limner.weights.load import WeightsInfo

from .tiny import PIPELINES, pictures, seeded

each = pytest.mark.parametrize("name", PIPELINES)


def method_of(name):
    module, method = find_method(name).home.split(":")
    return getattr(import_module(module), method)


def trained(name, folder):
    """The nets as training leaves them, each in its folder, without a schedule."""
    pipeline = PIPELINES[name]("sample")
    for part in method_of(name).nets:
        pipeline.components[part].save_pretrained(folder / part)
    return pipeline


@each
def test_a_folder_of_trained_nets_brings_its_own_schedule(name, tmp_path):
    """The paper's where there is none; the one beside the net that was trained; before it a saved pipeline's."""
    method, pipeline = method_of(name), trained(name, tmp_path)
    paper = load(name, str(tmp_path)).pipeline.scheduler
    assert paper.config["prediction_type"] == "epsilon"
    assert torch.equal(paper.alphas_cumprod, method.schedule().alphas_cumprod)
    pipeline.scheduler.save_pretrained(tmp_path / method.scheduled_by)
    assert load(name, str(tmp_path)).pipeline.scheduler.config["prediction_type"] == "sample"
    method.schedule().save_pretrained(tmp_path / "scheduler")
    assert load(name, str(tmp_path)).pipeline.scheduler.config["prediction_type"] == "epsilon"


@each
def test_a_folder_s_weights_are_run_as_the_paper_says_and_have_no_finish(name, tmp_path):
    trained(name, tmp_path)
    loaded = load(name, str(tmp_path), "unipc")
    assert (loaded.options, loaded.finish, loaded.finisher) == (METHODS[name](), 0, None)
    assert (loaded.info.name, loaded.info.size) == (str(tmp_path), loaded.pipeline.size)
    assert type(loaded.pipeline.scheduler).__name__ == "UniPCMultistepScheduler"
    assert {id(net) for net in loaded.nets} == {id(loaded.pipeline.components[part]) for part in method_of(name).nets}
    with pytest.raises(LimnerError, match=f"The weights {tmp_path} have no finish: leave it out, or give 0."):
        loaded.check(2)
    assert loaded.check(0) is None


@pytest.mark.slow
@each
def test_the_embedded_weights_bring_what_suits_them(name):
    method, loaded = method_of(name), load(name)
    assert (loaded.options, loaded.finish) == (method.mini, method.mini_finish)
    assert (loaded.finisher is not None) == (method.mini_finish > 0)
    assert (loaded.info.name, loaded.info.size) == ("mini", 256)


@each
def test_weights_that_are_not_there_are_told(name):
    nets = " and ".join(method_of(name).nets)
    with pytest.raises(WeightsError, match=f"There are no {name} weights 'nowhere': .* the folders {nets}."):
        load(name, "nowhere")
    if not method_of(name).published:
        given = "mini, a folder" + (", a checkpoint of their trainer." if name == "ldbfr" else ".")
        with pytest.raises(WeightsError, match=f"The authors of .* published no weights: give {given}"):
            load(name, "official")


def test_a_scheduler_that_there_is_not(tmp_path):
    trained("difface", tmp_path)
    with pytest.raises(LimnerError, match="There is no scheduler 'euler': choose one of ddim, dpmsolver"):
        load("difface", str(tmp_path), "euler")


def test_a_measurement_of_one_method_s_parts_refuses_another():
    loaded = LoadedMethod(PIPELINES["difface"](), WeightsInfo("tiny", "none", "here", 32))
    assert loaded.pipeline_of(DifFacePipeline) is loaded.pipeline
    with pytest.raises(LimnerError, match="The method 'difface' can't be measured so: measure ldbfr."):
        loaded.pipeline_of(LDBFRPipeline)


def test_a_loaded_method_restores_as_its_pipeline_does():
    pipeline, told = PIPELINES["difface"](), []
    loaded = LoadedMethod(pipeline, WeightsInfo("tiny", "none", "here", 32))
    faces = pictures(3, 5)
    out = loaded(faces, steps=2, samples=2, generator=seeded(), progress=lambda *done: told.append(done))
    assert torch.equal(out.images, pipeline(faces, steps=2, samples=2, generator=seeded()).images)
    assert told[-1] == (12, 12)


@each
def test_what_is_no_number_is_no_picture(name):
    """Rather an error than a black face."""
    pipeline = PIPELINES[name]()
    method = LoadedMethod(pipeline, WeightsInfo("random", "none", "here", pipeline.size))
    pipeline.sample = lambda batch, options: Restored(batch.crops * torch.nan)
    with pytest.raises(LimnerError, match=f"The method '{name}' gave no finite numbers"):
        method(pictures(1, 3, pipeline.size))
