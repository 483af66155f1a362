"""limner restores degraded photographs of faces with diffusion models.

The whole public API stands here; what it names is imported when first used, because torch and diffusers take
seconds to import and `limner --help` should not.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "restore": "limner.restorer",
    "Restorer": "limner.restorer",
    "Settings": "limner.restorer",
    "Photo": "limner.photo",
    "methods": "limner.methods",
    "LimnerError": "limner.errors",
    # Classes that saved pipelines name, looked up here by diffusers.
    "DifFacePipeline": "limner.methods.difface",
    "UNet": "limner.nets.unet",
    "SwinIR": "limner.nets.swinir",
    "Estimator": "limner.nets.estimator",
}

__all__ = ["LimnerError", "Photo", "Restorer", "Settings", "methods", "restore"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'limner' has no attribute '{name}'")
    module = import_module(_HOME[name])
    return module if module.__name__ == f"limner.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
