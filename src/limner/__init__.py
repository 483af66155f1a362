"""limner restores degraded photographs of faces with diffusion models.

The whole public API stands here; what it names is imported when first used, because torch and diffusers take
seconds to import and `limner --help` should not.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from limner.version import __version__ as __version__

if TYPE_CHECKING:
    from limner.damage.find import find_damage
    from limner.errors import Cancelled, LimnerError, PhotoError, WeightsError
    from limner.faces.find import Face, find_faces
    from limner.faces.seen import SeenFace
    from limner.methods import list_methods
    from limner.one_photo import restore
    from limner.photo.photo import Photo
    from limner.restoration import Restoration, RestoredCrop
    from limner.restorer import Restorer
    from limner.settings import Settings

_HOME = {
    "restore": "limner.one_photo",
    "list_methods": "limner.methods",
    "find_damage": "limner.damage.find",
    "find_faces": "limner.faces.find",
    "Restorer": "limner.restorer",
    "Restoration": "limner.restoration",
    "RestoredCrop": "limner.restoration",
    "Face": "limner.faces.find",
    "SeenFace": "limner.faces.seen",
    "Settings": "limner.settings",
    "Photo": "limner.photo.photo",
    "LimnerError": "limner.errors",
    "PhotoError": "limner.errors",
    "WeightsError": "limner.errors",
    "Cancelled": "limner.errors",
    # Classes that saved pipelines name, looked up here by diffusers.
    "DifFacePipeline": "limner.methods.difface",
    "DifFaceInpaintPipeline": "limner.methods.difface_inpainting",
    "RefLDMPipeline": "limner.methods.refldm",
    "UNet": "limner.nets.unet",
    "SwinIR": "limner.nets.swinir",
    "VQGAN": "limner.nets.vqgan",
    "Estimator": "limner.nets.estimator",
    "HoleEstimator": "limner.nets.hole_estimator",
    "LaMa": "limner.nets.lama",
}

__all__ = [
    "Cancelled",
    "Face",
    "LimnerError",
    "Photo",
    "PhotoError",
    "Restoration",
    "RestoredCrop",
    "Restorer",
    "SeenFace",
    "Settings",
    "WeightsError",
    "find_damage",
    "find_faces",
    "list_methods",
    "restore",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'limner' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
