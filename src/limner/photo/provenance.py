"""What a restored photograph says about itself, in XMP.

A restored face is partly invented. The IPTC has a word for such a picture, and viewers and archives look
for it: `DigitalSourceType` compositeWithTrainedAlgorithmicMedia. Beside it stand the method, the weights
and the seed.
"""

import hashlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from xml.dom import XMLNS_NAMESPACE, minidom
from xml.sax.saxutils import quoteattr

from limner.photo.read import opened_container
from limner.photo.xmp import RDF, parsed

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

_XMP = "http://ns.adobe.com/xap/1.0/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_LIMNER = "urn:x-limner:provenance:1.0/"
_HOW = ("filled", "mask", "source", "strength", "steps", "finish", "scheduler", "options", "precision", "quality")
"""What it takes to make a result again, beside method, weights, seed and version."""


@dataclass(frozen=True)
class Provenance:
    """How a photograph was restored.

    Attributes:
        method: name of the method, for example "difface".
        weights: name of the weights, for example "mini/difface".
        seed: of the noise, or None where the method draws none.
        faces: how many faces were restored.
        version: of limner.
        references: how many other photographs of the person the method was given.
        invented: how much of the restored faces is made up, 0 (all of it the photo's own) to 1; None where it is not
            known.
        source: SHA-256 of the photograph's file.
        strength: `auto`, or the share of the restoration in a plain blend.
        steps, finish, scheduler: of the method; see `limner.Settings`.
        options: what else was asked, as JSON.
        precision: of the nets, `fp32` or `bf16`.
        filled: the part of the photograph that lay in holes and was filled, 0 to 1; None where there was no mask.
        mask: SHA-256 of the mask that said so, or `auto-black`.
        quality: that the file was asked to be stored with, 1 to 100; None for the source's own or the format's usual.
    """

    method: str
    weights: str
    seed: int | None
    faces: int
    version: str
    references: int = 0
    invented: float | None = None
    source: str | None = None
    strength: str | None = None
    steps: int | None = None
    finish: int | None = None
    scheduler: str | None = None
    options: str | None = None
    precision: str | None = None
    quality: int | None = None
    filled: float | None = None
    mask: str | None = None

    def xmp(self) -> str:
        """This as a complete XMP packet."""
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
            f"{self._description(creator=True)}"
            '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
        )

    def merged(self, packet: bytes | None) -> bytes:
        """An existing XMP packet with this added; what it said of these matters before is replaced.

        Args:
            packet: UTF-8 XMP, or None. A packet that isn't well formed is replaced by `xmp()`.

        Returns:
            UTF-8 XMP.
        """
        document = parsed(packet)
        if document is None:
            return self.xmp().encode()
        rdf = document.getElementsByTagNameNS(RDF, "RDF")[0]
        for description in _descriptions(document):
            _forget(description)
            if _says_nothing(description):
                rdf.removeChild(description)
        # CreatorTool names the first tool that made the picture: a camera or a scanner keeps that honour.
        creator = not any(_value(d, _XMP, "CreatorTool") for d in _descriptions(document))
        ours = minidom.parseString(f'<rdf:RDF xmlns:rdf="{RDF}">{self._description(creator)}</rdf:RDF>')
        added = document.importNode(_descriptions(ours)[0], True)
        # The packet may know this namespace by another prefix, or not at this depth.
        added.setAttribute("xmlns:rdf", RDF)
        rdf.appendChild(added)
        return "".join(node.toxml() for node in document.childNodes).encode()

    def _description(self, creator: bool) -> str:
        values: dict[str, object] = {
            "method": self.method,
            "weights": self.weights,
            "faces": self.faces,
            "version": self.version,
        }
        if self.seed is not None:
            values["seed"] = self.seed
        if self.references:
            values["references"] = self.references
        if self.invented is not None:
            values["invented"] = f"{self.invented:.3f}"
        values |= {name: value for name in _HOW if (value := getattr(self, name)) is not None}
        tool = f' xmlns:xmp="{_XMP}" xmp:CreatorTool={quoteattr(f"limner {self.version}")}' if creator else ""
        return (
            f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_IPTC}" xmlns:limner="{_LIMNER}"{tool}'
            f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"'
            + "".join(f" limner:{name}={quoteattr(str(value))}" for name, value in values.items())
            + "/>"
        )


def read(path: str | PathLike[str]) -> Provenance | None:
    """What a file says of its restoration by limner; None if nothing.

    Raises:
        PhotoError: the file is missing, unreadable or no picture.
    """
    document = parsed(opened_container(Path(path)).xmp)
    found: dict[str, str] = {}
    for description in _descriptions(document) if document else []:
        for name in ("method", "weights", "seed", "faces", "version", "references", "invented", *_HOW):
            if value := _value(description, _LIMNER, name):
                found[name] = value
    try:
        return Provenance(
            method=found["method"],
            weights=found["weights"],
            seed=int(found["seed"]) if "seed" in found else None,
            faces=int(found["faces"]),
            version=found["version"],
            references=int(found.get("references", 0)),
            invented=float(found["invented"]) if "invented" in found else None,
            source=found.get("source"),
            strength=found.get("strength"),
            steps=int(found["steps"]) if "steps" in found else None,
            finish=int(found["finish"]) if "finish" in found else None,
            scheduler=found.get("scheduler"),
            options=found.get("options"),
            precision=found.get("precision"),
            quality=int(found["quality"]) if "quality" in found else None,
            filled=float(found["filled"]) if "filled" in found else None,
            mask=found.get("mask"),
        )
    except (KeyError, ValueError):
        return None


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _descriptions(document: minidom.Document) -> list[minidom.Element]:
    rdf = document.getElementsByTagNameNS(RDF, "RDF")[0]
    return [node for node in rdf.childNodes if isinstance(node, minidom.Element)]


def _value(description: minidom.Element, namespace: str, name: str) -> str:
    """A simple XMP property, which may stand as an attribute or as an element."""
    if description.hasAttributeNS(namespace, name):
        return description.getAttributeNS(namespace, name)
    for node in description.childNodes:
        if isinstance(node, minidom.Element) and (node.namespaceURI, node.localName) == (namespace, name):
            return "".join(child.data for child in node.childNodes if isinstance(child, minidom.Text)).strip()
    return ""


def _says_nothing(description: minidom.Element) -> bool:
    attributes = {a.namespaceURI for a in description.attributes.values()} - {XMLNS_NAMESPACE, RDF}
    return not attributes and not any(isinstance(node, minidom.Element) for node in description.childNodes)


def _forget(description: minidom.Element) -> None:
    """Take away what a packet said of the source type and of an earlier restoration by limner."""

    def stale(namespace: str | None, name: str | None) -> bool:
        return namespace == _LIMNER or (namespace, name) == (_IPTC, "DigitalSourceType")

    for attribute in list(description.attributes.values()):
        if stale(attribute.namespaceURI, attribute.localName):
            description.removeAttributeNode(attribute)
    for node in list(description.childNodes):
        if isinstance(node, minidom.Element) and stale(node.namespaceURI, node.localName):
            description.removeChild(node)
