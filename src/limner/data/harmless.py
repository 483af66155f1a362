"""What looks like damage and is none: an engraver's lines, a printer's dots, cloth, writing, mounts, buttons, pearls.

Each function makes such a picture of a clean one, of the same size, (H, W, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from limner.data.wear import texture
from limner.degrade.damage_layer import clouds, filled, grey, log_uniform, soft
from limner.degrade.print_wear import Halftone, screened

Picture = np.ndarray


def engraved(clean: Picture, rng: np.random.Generator) -> Picture:
    """Lines that swell where the picture is dark, in one to three directions, bent as an engraver bends them."""
    height, width = clean.shape[:2]
    tone = cv2.GaussianBlur(cv2.cvtColor(clean, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255, (0, 0), 1.0)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    period, angle = log_uniform(rng, 3, 9), rng.uniform(0, np.pi)
    bent = clouds(height, width, 50, rng) * rng.uniform(0, 2) * period + tone * rng.uniform(0, 3) * period
    ink = np.zeros_like(tone)
    for layer in range(int(rng.integers(1, 4))):
        phase = (np.cos(angle) * x + np.sin(angle) * y + bent) * np.float32(2 * np.pi / period)
        dark = np.clip(1 - tone * rng.uniform(1, 1.4) - 0.25 * layer, 0, 1)  # crossed only in the shadows
        ink = np.maximum(ink, np.clip((np.cos(phase) - 1 + 2 * dark) * period / 4 + 0.5 * (dark > 0), 0, 1))
        angle += rng.uniform(0.4, 1.6)
    paper, black = grey(rng.uniform(0.75, 1), rng.uniform(0, 1)), grey(rng.uniform(0, 0.25))
    return _picture(paper + ink[..., None] * (black - paper))


def printed(clean: Picture, rng: np.random.Generator) -> Picture:
    """The dots of a newspaper."""
    screen = Halftone(rng.uniform(2.5, 8), rng.uniform(0, np.pi), rng.uniform(1.5, 6), rng.uniform(0.7, 2))
    return _picture(screened(clean.astype(np.float32) / 255, screen, 1.0))


def woven(clean: Picture, rng: np.random.Generator) -> Picture:
    """Cloth, or a print on structured paper: threads in two directions over the picture."""
    height, width = clean.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle, period, fall = rng.uniform(0, np.pi), log_uniform(rng, 2.5, 10), clouds(height, width, 40, rng) * 6
    across, along = np.cos(angle) * x + np.sin(angle) * y + fall, -np.sin(angle) * x + np.cos(angle) * y + fall
    turn = np.float32(2 * np.pi / period)
    threads = np.sin(across * turn) * rng.uniform(0.2, 1) + np.sin(along * turn * rng.uniform(0.4, 1)) * rng.uniform(
        0, 1
    )
    if rng.random() < 0.4:
        threads = np.tanh(4 * threads)  # stripes and checks
    return _picture(clean / np.float32(255) * (1 + rng.uniform(0.05, 0.4) * threads[..., None]))


def written(clean: Picture, rng: np.random.Generator) -> Picture:
    """A caption, a page, a photographer's name; on the picture or on paper."""
    height, width = clean.shape[:2]
    picture = clean.copy()
    if rng.random() < 0.6:
        picture[:] = _picture(grey(rng.uniform(0.6, 1), rng.uniform(0, 1)) + 0 * clean.astype(np.float32))
    ink = (255 * grey(rng.uniform(0, 0.3) if rng.random() < 0.75 else rng.uniform(0.8, 1))).tolist()
    font, scale, thick = int(rng.integers(8)), rng.uniform(0.3, 1.4), int(rng.integers(1, 3))
    step, top = int(30 * scale) + 3, int(rng.integers(0, height))
    for line in range(int(rng.integers(1, 7))):
        letters = "".join(chr(code) for code in rng.choice([*range(65, 91), *range(97, 123), 32, 32, 32, 46], 24))
        place = (int(rng.integers(-30, width // 2)), top + line * step)
        cv2.putText(picture, letters, place, font, scale, ink, thick, cv2.LINE_AA)
    return picture


def mounted(clean: Picture, rng: np.random.Generator) -> Picture:
    """The picture in a board's window, oval or square, with a rule or a bevel around it."""
    height, width = clean.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    if rng.random() < 0.5:
        centre, reach = rng.uniform(0.2, 0.8, 2) * (width, height), log_uniform(rng, 0.4, 2) * width
        inside = reach - np.hypot(x - centre[0], (y - centre[1]) * rng.uniform(0.7, 0.9))
    else:
        angle = rng.normal(0, 0.02)
        inside = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(0, 0.7) * width
        if rng.random() < 0.5:  # a corner
            inside = np.minimum(inside, np.cos(angle) * y - np.sin(angle) * x - rng.uniform(0, 0.7) * height)
        inside = np.rot90(inside, int(rng.integers(4))) if height == width else inside
    board = grey(rng.uniform(0.55, 1) if rng.random() < 0.7 else rng.uniform(0, 0.5), rng.uniform(0, 1))
    paper = board + 0.02 * rng.random() * clouds(height, width, 2, rng, 2)[..., None]
    shown = np.clip(inside / rng.uniform(0.8, 4) + 0.5, 0, 1)[..., None]
    image = paper + shown * (clean / np.float32(255) - paper)
    for _ in range(int(3 * rng.random() ** 2)):  # rules, light or dark; few, or every straight scratch is taken for one
        rule = np.clip(rng.uniform(0.5, 3) - np.abs(inside + rng.uniform(-2, 14)), 0, 1)[..., None]
        image += rule * (grey(rng.uniform(0, 1)) - image)
    return _picture(image)


def dressed(clean: Picture, rng: np.random.Generator) -> Picture:
    """Collars, cuffs and shirt fronts: one to three bright or dark wedges with clean edges, often upon a dark coat."""
    height, width = clean.shape[:2]
    image = clean.astype(np.float32) / 255
    if rng.random() < 0.6:
        image = image * rng.uniform(0.2, 0.6)
    for _ in range(int(rng.integers(1, 4))):
        centre, size = rng.uniform(0, 1, 2) * (width, height), log_uniform(rng, 8, 60)
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 6))))
        far = size * rng.uniform(0.3, 1.5, len(angles))
        corners = centre + np.stack([np.cos(angles), np.sin(angles)], axis=1) * far[:, None]
        cover = soft(filled(height, width, [corners]), rng.uniform(0.3, 1.2))[..., None]
        shade = 1 + rng.uniform(0, 0.15) * clouds(height, width, rng.uniform(5, 40), rng)[..., None]
        cloth = grey(rng.uniform(0.7, 1) if rng.random() < 0.7 else rng.uniform(0, 0.4), rng.uniform(0, 1)) * shade
        image += cover * (cloth - image)
    return _picture(image)


def buttoned(clean: Picture, rng: np.random.Generator) -> Picture:
    """Rows of buttons, pearls or studs, all of one size and evenly apart, each with its light and its shadow."""
    height, width = clean.shape[:2]
    image, (y, x) = clean.astype(np.float32) / 255, np.mgrid[:height, :width].astype(np.float32)
    radius, colour = log_uniform(rng, 1.5, 8), grey(rng.uniform(0, 1), rng.uniform(0, 1))
    start, turn = rng.uniform(0.1, 0.9, 2) * (width, height), rng.uniform(0, np.pi)
    step = radius * rng.uniform(2.1, 8) * np.array([np.cos(turn), np.sin(turn)])
    bend, light = rng.normal(0, 0.1), rng.uniform(-0.6, 0.6, 2)
    for _ in range(int(rng.integers(3, 12))):
        across, down = (x - start[0]) / radius, (y - start[1]) / radius
        away = np.hypot(across, down)
        lit = np.exp(-4 * ((across - light[0]) ** 2 + (down - light[1]) ** 2)) * 0.6 - 0.3 * away * away
        disc = np.clip((1 - away) * radius + 0.5, 0, 1)[..., None]
        shadow = np.clip(1 - np.hypot(across + light[0], down + light[1]) / 1.4, 0, 1)[..., None]
        image = image * (1 - 0.5 * shadow)
        image += disc * (colour * (1 + lit[..., None]) - image)
        start = start + step
        step = np.array([[np.cos(bend), -np.sin(bend)], [np.sin(bend), np.cos(bend)]]) @ step
    return _picture(image)


def made_up(clean: Picture, rng: np.random.Generator) -> Picture:
    """Stripes, shapes, writing or clouds that the finder learns from as well."""
    height, width = clean.shape[:2]
    return cv2.resize(texture(rng), (width, height), interpolation=cv2.INTER_CUBIC)


HARMLESS: tuple[tuple[Callable[[Picture, np.random.Generator], Picture], float], ...] = (
    (engraved, 0.06),
    (printed, 0.03),
    (woven, 0.04),
    (written, 0.04),
    (mounted, 0.06),
    (dressed, 0.06),
    (buttoned, 0.03),
    (made_up, 0.02),
)
"""Each with the share of windows that it is made of."""


def perhaps_harmless(clean: Picture, rng: np.random.Generator) -> Picture:
    """The picture itself, or, with the chances of `HARMLESS`, what one of those makes of it."""
    drawn = rng.random()
    for make, share in HARMLESS:
        if drawn < share:
            return make(clean, rng)
        drawn -= share
    return clean


def _picture(image: np.ndarray) -> Picture:
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
