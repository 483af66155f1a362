"""Every weight that limner knows: what it is for, where it comes from, its size and its licence.

`mini/...` lies in the package. `official/...` are files that others published: fetched once when asked for
(see `fetch.py`), or put by hand into the folder of models; limner never ships or fetches them on its own.
"""

import difflib
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from limner.errors import WeightsError

EMBEDDED = Path(__file__).parent / "mini"
OWN_LICENCE = "Apache-2.0"
S_LAB_LICENCE = "NTU S-Lab License 1.0, non-commercial"
REFLDM_LICENCE = "as the authors state it: non-commercial research only"


@dataclass(frozen=True)
class Embedded:
    """A net that this project trained: a folder in the package with config.json, weights and a model card.

    Attributes:
        name: `mini/` and the folder's name.
        purpose: one line on what it is for.
        licence: of the weights.
    """

    name: str
    purpose: str
    licence: str = OWN_LICENCE

    def path(self, models: Path | None = None) -> Path:
        """The folder; `models`, where fetched files lie, plays no part."""
        return EMBEDDED / self.name.removeprefix("mini/")

    def files(self) -> list[Path]:
        """The safetensors files in the folder, sorted by name."""
        return sorted(self.path().glob("*.safetensors"))

    def present(self, models: Path | None = None) -> bool:
        """Whether the weights are in the package; `models` plays no part."""
        return bool(self.files())

    def facts(self, models: Path | None = None) -> Iterator[tuple[str, str]]:
        """What a user should know, as pairs of label and text."""
        yield "name", self.name
        yield "purpose", self.purpose
        yield "licence", self.licence
        yield "place", str(self.path())
        for file in self.files():
            yield "size", megabytes(file.stat().st_size)
            yield "sha256", sha256(file)

    def card(self) -> str:
        """The model card: data, command, result, limits; without its head, which is for `ledger.py`."""
        return (self.path() / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]


@dataclass(frozen=True)
class Published:
    """A file that the authors of a paper, or of a detector, published.

    Attributes:
        name: `official/` and what limner calls it.
        purpose: one line on what it is for.
        licence: as its authors state it.
        format: the name of its layout in `formats/registry.py`; `fetch` loads it strictly as that before it accepts it.
            None is OpenCV's detector, which is no net of limner's own.
        file: its name.
        url: where it is fetched from.
        about: size in bytes, computed from the number of parameters where the authors state none.
        sha256: of the file, where it is known. Where it is not, `fetch` records what it got the first time.
    """

    name: str
    purpose: str
    licence: str
    format: str | None
    file: str
    url: str
    about: int
    sha256: str | None = None

    def path(self, models: Path | None = None) -> Path:
        """Where the file lies, or will lie.

        Args:
            models: the folder of fetched files; None is `models_dir()`.
        """
        return (models or models_dir()) / self.file

    def present(self, models: Path | None = None) -> bool:
        """Whether the file lies in the folder `models`, by default `models_dir()`."""
        return self.path(models).is_file()

    def record(self, models: Path | None = None) -> Path:
        """The file next to it that holds its sha256 as it was when it was fetched, in the form that `sha256sum --check`
        reads."""
        return self.path(models).with_name(self.file + ".sha256")

    def known_sha256(self, models: Path | None = None) -> str | None:
        """The published sha256, else the one recorded in the folder `models`, else None."""
        if self.sha256 or not self.record(models).is_file():
            return self.sha256
        recorded = self.record(models).read_text(encoding="utf-8").split()
        return recorded[0] if recorded else None

    def facts(self, models: Path | None = None) -> Iterator[tuple[str, str]]:
        """What a user should know before fetching, as pairs of label and text."""
        path = self.path(models)
        yield "name", self.name
        yield "purpose", self.purpose
        yield "licence", self.licence
        yield "source", self.url
        yield "place", str(path) + ("" if self.present(models) else " (not there yet)")
        size = path.stat().st_size if self.present(models) else None
        yield "size", f"about {megabytes(self.about)}" if size is None else megabytes(size)
        recorded = self.known_sha256(models)
        if self.sha256:
            yield "sha256", self.sha256
        elif recorded:
            yield "sha256", f"{recorded} (not published by the authors; recorded when it was fetched)"
        else:
            yield "sha256", "not published by the authors; checked by loading it strictly, and recorded then"


Weights = Embedded | Published

_DIFFACE = "https://github.com/zsyOAOA/DifFace/releases/download/V1.0"
_REFLDM = "https://github.com/ChiWeiHsiao/ref-ldm/releases/download/1.0.0"
_YUNET = "https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet"

WEIGHTS: tuple[Weights, ...] = (
    Embedded("mini/proposals", "says where faces may be in a photo (default detector)"),
    Embedded("mini/alignnet", "judges those, and finds the five points of a face (default detector)"),
    Embedded("mini/clean", "takes noise, blocks and mild blur off a photo at its own resolution"),
    Embedded("mini/enlarge", "makes a photo twice as large, sharper than an interpolation"),
    Embedded("mini/enlarge-face", "makes a restored face twice as large, with detail, where the photo shows it larger"),
    Embedded("mini/damage", "marks scratches, cracks, specks, folds, tears and stains of a photo"),
    Embedded("mini/fusion", "joins a restoration with its photo, each where it knows better"),
    Embedded("mini/difface-estimator", "DifFace at 256 px: the regressor f(y0)"),
    Embedded("mini/difface-prior", "DifFace at 256 px: the diffusion prior"),
    Embedded("mini/difface-inpainting", "DifFace at 256 px: the estimator for faces with holes"),
    Embedded("mini/identity", "tells whether two faces are the same person: identity loss and measurements"),
    Embedded("mini/discriminant", "joins it with a classical description of the face: who is who in the album"),
    Embedded("mini/vqgan", "ReF-LDM and LD-BFR at 256 px: the autoencoder"),
    Embedded("mini/refldm", "ReF-LDM at 256 px: the latent diffusion that attends to references"),
    Embedded("mini/ldbfr-stage-a", "LD-BFR at 256 px: the restoration in one step"),
    Embedded("mini/ldbfr-prior", "LD-BFR at 256 px: the unconditional latent diffusion"),
    Embedded("mini/ldbfr-injection", "LD-BFR at 256 px: what shows the diffusion the restoration"),
    Embedded("mini/clrface-vqgan", "CLR-Face at 256 px: the autoencoder"),
    Embedded("mini/clrface-encoder", "CLR-Face at 256 px: the twin of its encoder, for degraded faces"),
    Embedded("mini/clrface-irn", "CLR-Face at 256 px: the identity recovery network"),
    Embedded("mini/clrface-prior", "CLR-Face at 256 px: the latent diffusion beside the degraded latent"),
    Embedded("mini/clrface-mask", "CLR-Face at 256 px: where in the latent the guidance acts"),
    Published(
        name="official/difface-estimator",
        purpose="DifFace at 512 px: the authors' SwinIR regressor",
        licence=S_LAB_LICENCE,
        format="swinir",
        file="swinir_restoration512_L1.pth",
        url=f"{_DIFFACE}/swinir_restoration512_L1.pth",
        about=90_000_000,  # 15.8 M parameters and 27 MB of index and mask tables
    ),
    Published(
        name="official/difface-prior",
        purpose="DifFace at 512 px: the authors' diffusion prior",
        licence=S_LAB_LICENCE,
        format="adm",
        file="iddpm_ffhq512_ema500000.pth",
        url=f"{_DIFFACE}/iddpm_ffhq512_ema500000.pth",
        about=639_000_000,  # 159.8 M parameters
    ),
    Published(
        name="official/vqgan",
        purpose="ReF-LDM at 512 px: the authors' autoencoder",
        licence=REFLDM_LICENCE,
        format="vqgan",
        file="vqgan.ckpt",
        url=f"{_REFLDM}/vqgan.ckpt",
        about=299_000_000,  # 57.2 M parameters and, unless they were left out, 17.5 M of its losses
    ),
    Published(
        name="official/refldm",
        purpose="ReF-LDM at 512 px: the authors' latent diffusion",
        licence=REFLDM_LICENCE,
        format="refldm",
        file="refldm.ckpt",
        url=f"{_REFLDM}/refldm.ckpt",
        about=1_171_000_000,  # 117.8 M parameters, as many averaged ones, and perhaps the autoencoder
    ),
    Published(
        name="official/yunet",
        purpose="OpenCV's face detector (detector yunet)",
        licence="MIT",
        format=None,
        file="face_detection_yunet_2023mar.onnx",
        url=f"{_YUNET}/face_detection_yunet_2023mar.onnx",
        about=230_000,
    ),
)


def find(name: str) -> Weights:
    """The entry of the catalogue with a name.

    Args:
        name: such as `mini/vqgan`; a published one also answers to its file's name.

    Raises:
        WeightsError: there is none; names that look like it are listed.
    """
    for weights in WEIGHTS:
        if name == weights.name or (isinstance(weights, Published) and name == weights.file):
            return weights
    names = [weights.name for weights in WEIGHTS]
    near = difflib.get_close_matches(name, names, cutoff=0.5) or names
    raise WeightsError(f"limner knows no weights called {name!r}: did you mean {' or '.join(near)}?")


def models_dir() -> Path:
    """The folder of fetched models: $LIMNER_MODELS, else `limner` in the platform's cache folder."""
    chosen = os.environ.get("LIMNER_MODELS")
    return Path(chosen).expanduser() if chosen else cache_folder()


def cache_folder() -> Path:
    """`limner` in the platform's cache folder."""
    if sys.platform == "win32":
        cache = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        cache = "~/Library/Caches"
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "limner"


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def megabytes(size: int) -> str:
    """A number of bytes as a user reads it, in powers of ten as file managers and download pages show them."""
    return f"{size / 1e6:.0f} MB" if size >= 10e6 else f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
