"""Training: one loop (`loop.py`), and one recipe for each stage of each method. This module stays light."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from limner.errors import LimnerError
from limner.weights.catalogue import WEIGHTS

if TYPE_CHECKING:
    from limner.train.recipe import Recipe

RECIPES = {
    "proposals": "proposals:proposals",
    "alignnet": "alignnet:alignnet",
    "clean": "clean:clean",
    "damage": "damage:damage",
    "enlarge": "enlarge:enlarge",
    "enlarge-face": "enlarge_face:enlarge_face",
    "fusion": "fusion:fusion",
    "difface-estimator": "difface.estimator:difface_estimator",
    "difface-prior": "difface.prior:difface_prior",
    "difface-inpainting": "difface.inpainting:difface_inpainting",
    "difface-prior-sharp": "difface.prior_sharp:difface_prior_sharp",
    "identity": "identity:identity",
    "vqgan": "refldm.vqgan:vqgan",
    "vqgan-decoder": "decoder:vqgan_decoder",
    "ldm": "refldm.refldm:ldm",
    "refldm": "refldm.refldm:refldm",
    "ldbfr-dictionary": "ldbfr.vq:ldbfr_dictionary",
    "ldbfr-vqgan": "ldbfr.vq:ldbfr_vqgan",
    "ldbfr-stage-a": "ldbfr.stage_a:ldbfr_stage_a",
    "ldbfr-prior": "ldbfr.prior:ldbfr_prior",
    "ldbfr-injection": "ldbfr.injection:ldbfr_injection",
    "clrface-vqgan": "clrface.vqgan:clrface_vqgan",
    "clrface-encoder": "clrface.encoder:clrface_encoder",
    "clrface-prior": "clrface.prior:clrface_prior",
    "clrface-irn": "clrface.irn:clrface_irn",
    "clrface-mask": "clrface.mask:clrface_mask",
    "clrface-decoder": "decoder:clrface_decoder",
}
"""Every recipe: the module in `limner.train.recipes` and the function. What it asks for beside `data`, `preset` and
`seed` are nets that it builds on."""


@cache
def builds_on(name: str) -> dict[str, str | None]:
    """The nets that a recipe builds on, by parameter, with what each is by default; None begins anew.

    It is read off the function in its source, so that the help of the command line needs no torch.
    """
    module, function = RECIPES[name].split(":")
    source = Path(__file__).parent.joinpath("recipes", *module.split(".")).with_suffix(".py").read_text("utf-8")
    start = source.index(f"def {function}(")
    (definition,) = ast.parse(source[start : source.index('"""', start)] + "...").body  # as far as its docstring
    assert isinstance(definition, ast.FunctionDef)
    parameters, defaults = definition.args.args, definition.args.defaults
    pairs = zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True)
    return {p.arg: ast.literal_eval(default) for p, default in pairs if p.arg not in ("preset", "seed")}


def make_recipe(name: str, data: Path, preset: str = "mini", seed: int = 0, **nets: str | Path | None) -> Recipe:
    """The recipe of that name.

    Args:
        name: one of `RECIPES`.
        data: folder of aligned faces with its tables.
        preset: `mini`, or `paper` for the published settings.
        seed: of initialisation, data order and noise.
        nets: those of `builds_on(name)`, each a name of the catalogue or a folder; None is the default.

    Raises:
        LimnerError: if there is no such recipe or preset, the recipe builds on no such net, or the data lacks its
            tables.
        WeightsError: if a net that it builds on is missing or doesn't fit.
    """
    if name not in RECIPES:
        raise LimnerError(f"There is no recipe '{name}': choose one of {', '.join(RECIPES)}.")
    if preset not in ("mini", "paper"):
        raise LimnerError(f"There is no preset '{preset}': choose mini or paper.")
    given = {parameter: _source(net) for parameter, net in nets.items() if net is not None}
    for parameter in given.keys() - builds_on(name).keys():
        raise LimnerError(f"The recipe '{name}' takes no --{parameter.replace('_', '-')}: leave it out.")
    module, function = RECIPES[name].split(":")
    return getattr(import_module(f"limner.train.recipes.{module}"), function)(data, preset, seed, **given)


def _source(net: str | Path) -> str | Path:
    """A name of the catalogue as it is, anything else as the path of a folder."""
    return str(net) if any(str(net) == weights.name for weights in WEIGHTS) else Path(net)
