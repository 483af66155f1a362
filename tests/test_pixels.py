"""Between pictures and tensors."""

import numpy as np
import torch

from limner.pixels import to_picture, to_tensor, without_colour


def test_a_picture_becomes_a_tensor_and_comes_back_bit_for_bit():
    picture = np.arange(256 * 3).reshape(16, 16, 3).astype(np.uint8)
    image = to_tensor(picture[:, ::-1])
    assert image.shape == (3, 16, 16) and image.dtype == torch.float32
    assert image[2, 3, 0] == picture[3, 15, 2] / 255
    np.testing.assert_array_equal(to_picture(image), picture[:, ::-1])


def test_values_are_clipped_and_rounded_to_the_nearest():
    values = torch.tensor([-0.5, 0.4 / 255, 0.6 / 255, 1.7]).expand(3, 1, 4)
    assert to_picture(values)[0, :, 0].tolist() == [0, 0, 1, 255]


def test_without_colour_is_the_luma_in_all_channels():
    rgb = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    grey = without_colour(rgb)
    assert np.ptp(grey, axis=2).max() == 0
    assert np.abs(grey[..., 0] - rgb @ np.array([0.299, 0.587, 0.114])).max() <= 0.51
    np.testing.assert_array_equal(without_colour(grey), grey)
