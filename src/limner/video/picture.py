"""A frame as limner sees it, upright and in sRGB, and what was changed there back in the frame's own numbers.

Only differences go back: where nothing changed the frame keeps its numbers, bit for bit, however they are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np

from limner.video.layouts import numbers_of
from limner.video.pyav import pyav
from limner.video.read import ClipInfo

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

_UNSAID = 2
_HD = 720
"""Lines from which a clip whose colours nobody has described has those of high definition."""


@dataclass(frozen=True)
class View:
    """How the frames of a clip are looked at.

    Args:
        info: of the clip.
        pixels: FFmpeg's name of the layout in which frames go on, such as `yuv420p`; one that is `changeable`.
    """

    info: ClipInfo
    pixels: str

    def native(self, frame: VideoFrame) -> VideoFrame:
        """A frame in the layout in which it goes on; one that has it already is returned itself."""
        same_size = (frame.width, frame.height) == (self.info.width, self.info.height)
        if frame.format.name == self.pixels and same_size:
            return frame
        times = frame.pts, frame.time_base
        with_size = frame.reformat(self.info.width, self.info.height, self.pixels, threads=1, **self._colours(frame))
        with_size.pts, with_size.time_base = times
        return with_size

    def shown(self, native: VideoFrame) -> np.ndarray:
        """What limner sees of a frame: (H, W, 3) uint8 in sRGB, upright, its pixels square."""
        rgb = native.reformat(format="rgb24", threads=1, **self._colours(native)).to_ndarray()
        return self._squared(np.ascontiguousarray(np.rot90(rgb, self.info.turn // 90)), rgb.shape)

    def changed(self, native: VideoFrame, before: np.ndarray, after: np.ndarray) -> VideoFrame:
        """A frame in which something was restored.

        Args:
            native: the frame.
            before: what `shown` gave of it.
            after: likewise, restored.

        Returns:
            A frame of its own, with the time of the given one.
        """
        rgb = native.reformat(format="rgb24", threads=1, **self._colours(native)).to_ndarray()
        change = np.rot90(self._stored(after.astype(np.float32) - before), -self.info.turn // 90)
        wanted = np.clip(np.rint(rgb + change), 0, 255).astype(np.uint8)
        old, new = (self._numbers(native, np.ascontiguousarray(one)) for one in (rgb, wanted))
        result = pyav().VideoFrame(native.width, native.height, native.format.name)
        kind, most = numbers_of(native.format)
        for planes in zip(native.planes, old.planes, new.planes, result.planes, strict=True):
            width = min(plane.line_size for plane in planes)  # lines are padded, by each maker of frames otherwise
            own, was, becomes, to = (_lines(plane, kind, width) for plane in planes)
            to[:] = np.clip(own.astype(np.int32) + becomes.astype(np.int32) - was, 0, most)
        result.pts, result.time_base = native.pts, native.time_base
        result.color_range, result.colorspace = native.color_range, native.colorspace
        result.color_primaries, result.color_trc = native.color_primaries, native.color_trc
        return result

    def _numbers(self, native: VideoFrame, rgb: np.ndarray) -> VideoFrame:
        """A picture in a frame's own numbers."""
        colours = self._colours(native)
        back = {"dst_colorspace": colours.get("src_colorspace"), "dst_color_range": colours.get("src_color_range")}
        frame = pyav().VideoFrame.from_ndarray(rgb, "rgb24")
        return frame.reformat(
            format=native.format.name, interpolation=colours["interpolation"], threads=1, src_color_range=2, **back
        )

    def _colours(self, frame: VideoFrame) -> dict[str, int]:
        """How swscale is to understand a frame's numbers."""
        flags = pyav().video.reformatter.Interpolation
        careful = flags.BICUBIC | flags.ACCURATE_RND | flags.FULL_CHR_H_INT
        how = {"interpolation": int(careful | flags.BITEXACT)}
        if frame.format.is_rgb:
            return how
        if frame.colorspace == _UNSAID:
            how["src_colorspace"] = 1 if self.info.height >= _HD else 5
        if frame.color_range in (1, 2):
            how["src_color_range"] = frame.color_range
        return how

    def _squared(self, upright: np.ndarray, stored: tuple[int, ...]) -> np.ndarray:
        """An upright picture with square pixels."""
        height, width = upright.shape[:2]
        wide = self.info.aspect if self.info.turn % 180 == 0 else 1 / self.info.aspect
        if wide == 1:
            return upright
        return cv2.resize(upright, (round(width * wide), height), interpolation=cv2.INTER_CUBIC)

    def _stored(self, change: np.ndarray) -> np.ndarray:
        """A change of an upright picture, in float, with the pixels as they are stored."""
        turned = self.info.turn % 180 != 0
        width, height = (self.info.height, self.info.width) if turned else (self.info.width, self.info.height)
        if change.shape[:2] == (height, width):
            return change
        return cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR)


def square_size(info: ClipInfo) -> tuple[int, int]:
    """Width and height in pixels of a clip's frames as `View.shown` gives them."""
    width, height, wide = info.width, info.height, info.aspect
    if info.turn % 180:
        width, height, wide = height, width, Fraction(1) / wide
    return round(width * wide), height


def _lines(plane: VideoPlane, kind: np.dtype, width: int) -> np.ndarray:
    """A plane's own numbers, a row for each line, of which `width` bytes are looked at."""
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]  # it is a buffer
    return lines[:, :width].view(kind)
