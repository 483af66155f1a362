"""Training: one loop (`loop.py`), and one recipe for each stage of each method."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from limner.errors import LimnerError

if TYPE_CHECKING:
    from limner.train.recipe import Recipe

_HOME = {
    "alignnet": "limner.train.recipes.alignnet:alignnet",
    "alignnet-fine": "limner.train.recipes.alignnet_fine:alignnet_fine",
    "clean": "limner.train.recipes.clean:clean",
    "fusion": "limner.train.recipes.fusion:fusion",
    "difface-estimator": "limner.train.recipes.difface.estimator:difface_estimator",
    "difface-prior": "limner.train.recipes.difface.prior:difface_prior",
    "difface-prior-sharp": "limner.train.recipes.difface.prior_sharp:difface_prior_sharp",
    "identity": "limner.train.recipes.identity:identity",
    "vqgan": "limner.train.recipes.refldm.vqgan:vqgan",
    "vqgan-decoder": "limner.train.recipes.decoder:vqgan_decoder",
    "ldm": "limner.train.recipes.refldm.refldm:ldm",
    "refldm": "limner.train.recipes.refldm.refldm:refldm",
    "ldbfr-dictionary": "limner.train.recipes.ldbfr.vq:ldbfr_dictionary",
    "ldbfr-vqgan": "limner.train.recipes.ldbfr.vq:ldbfr_vqgan",
    "ldbfr-stage-a": "limner.train.recipes.ldbfr.stage_a:ldbfr_stage_a",
    "ldbfr-prior": "limner.train.recipes.ldbfr.prior:ldbfr_prior",
    "ldbfr-injection": "limner.train.recipes.ldbfr.injection:ldbfr_injection",
    "clrface-vqgan": "limner.train.recipes.clrface.vqgan:clrface_vqgan",
    "clrface-encoder": "limner.train.recipes.clrface.encoder:clrface_encoder",
    "clrface-prior": "limner.train.recipes.clrface.prior:clrface_prior",
    "clrface-irn": "limner.train.recipes.clrface.irn:clrface_irn",
    "clrface-mask": "limner.train.recipes.clrface.mask:clrface_mask",
    "clrface-decoder": "limner.train.recipes.decoder:clrface_decoder",
}
RECIPES = tuple(_HOME)
BUILDS_ON = {
    "alignnet-fine": {"start"},
    "clean": {"start"},
    "fusion": {"start"},
    "difface-estimator": {"start"},
    "difface-prior-sharp": {"start"},
    "ldm": {"first_stage"},
    "refldm": {"first_stage", "start"},
    "ldbfr-vqgan": {"start"},
    "ldbfr-stage-a": {"first_stage"},
    "ldbfr-prior": {"first_stage", "start"},
    "ldbfr-injection": {"first_stage", "stage_a", "prior"},
    "clrface-encoder": {"first_stage"},
    "clrface-prior": {"first_stage", "encoder", "start"},
    "clrface-mask": {"first_stage", "encoder", "prior", "irn", "judge"},
    "vqgan-decoder": {"first_stage", "stage_a", "prior"},
    "clrface-decoder": {"first_stage", "encoder", "prior"},
}
"""Other nets that a recipe can be given."""


def make_recipe(
    name: str,
    data: Path,
    preset: str = "mini",
    seed: int = 0,
    *,
    first_stage: Path | None = None,
    start: Path | None = None,
    stage_a: Path | None = None,
    prior: Path | None = None,
    encoder: Path | None = None,
    irn: Path | None = None,
    judge: Path | None = None,
) -> Recipe:
    """The recipe of that name.

    Args:
        name: one of `RECIPES`.
        data: folder of aligned faces with its tables.
        preset: `mini`, or `paper` for the published settings.
        seed: of initialisation, data order and noise.
        first_stage: folder of the VQGAN of a latent diffusion; None is the embedded one.
        start: folder of a net that the recipe goes on from; None begins anew.
        stage_a, prior, encoder, irn, judge: folders of other nets that LD-BFR's injection or CLR-Face's parts build on;
            None are the embedded ones.

    Raises:
        LimnerError: if there is no such recipe or preset, the recipe builds on no such net, or the data lacks its
            tables.
        WeightsError: if a net that it builds on is missing or doesn't fit.
    """
    if name not in RECIPES:
        raise LimnerError(f"There is no recipe '{name}': choose one of {', '.join(RECIPES)}.")
    if preset not in ("mini", "paper"):
        raise LimnerError(f"There is no preset '{preset}': choose mini or paper.")
    built_on = {
        "first_stage": first_stage,
        "start": start,
        "stage_a": stage_a,
        "prior": prior,
        "encoder": encoder,
        "irn": irn,
        "judge": judge,
    }
    given = {key: path for key, path in built_on.items() if path is not None}
    for key in given.keys() - BUILDS_ON.get(name, set()):
        raise LimnerError(f"The recipe '{name}' takes no --{key.replace('_', '-')}: leave it out.")
    module, function = _HOME[name].split(":")
    return getattr(import_module(module), function)(data, preset, seed, **given)
