"""What is no face though it was proposed."""

import cv2
import numpy as np
import torch

from limner.data.false_finds import false_finds
from limner.data.scenes import Scene, Scenes
from limner.nets.alignnet import upright_points
from limner.nets.proposals import ProposalNet, centres


class Everywhere(ProposalNet):
    """Sees a face of 24 px in two places of every picture: its quarters upper left and lower right."""

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        h, w = pictures.shape[2] // 8, pictures.shape[3] // 8
        heat = torch.full((1, h, w), -9.0)
        heat[0, h // 4, w // 4], heat[0, 3 * h // 4, 3 * w // 4] = 3.0, 2.0
        points = torch.from_numpy(upright_points(32) - 16).float()[None, ..., None, None] / 24
        return heat, torch.full((1, h, w), 24 / 16).log(), points.expand(1, 5, 2, h, w)


class OneScene(Scenes):
    """A scene whose only face lies where the net sees its first one."""

    def __init__(self):
        pass

    def __getitem__(self, n: int) -> Scene:
        picture = np.full((192, 192, 3), 60, np.uint8)
        picture[100:] = 200
        points = upright_points(32) - 16 + centres(24, 24)[:, 6, 6].numpy()
        return Scene(picture, points[None].astype(np.float32), np.array([24.0]), np.ones(1))


def test_photographs_are_looked_at_in_three_sizes_and_scenes_away_from_their_faces(tmp_path):
    photo = np.full((256, 256, 3), 60, np.uint8)
    photo[128:] = 200
    cv2.imwrite(str(tmp_path / "photo.png"), photo)
    found = false_finds(Everywhere(), [tmp_path / "photo.png"], OneScene(), 1, 48, 6)
    assert len(found) == 3 * 2 + 1 and all(patch.shape == (48, 48, 3) for patch in found)
    assert [round(float(patch.mean()), -1) for patch in found[:2]] == [60, 200]
    assert found[-1].mean() > 180  # of the scene, the one that lies on no face
    assert len(false_finds(Everywhere(), [tmp_path / "photo.png"], OneScene(), 0, 48, 1)) == 3
