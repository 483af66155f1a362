import numpy as np
from PIL import Image

from limner.evaluate.report import contact_sheet, save_sheet


def test_pictures_stand_in_their_places():
    rows = [[np.full((30, 40, 3), 10 * (3 * r + c), np.uint8) for c in range(3)] for r in range(2)]
    sheet = contact_sheet(rows, ["input", "method", "truth"], gap=4)
    assert sheet.shape == (22 + 2 * 34, 3 * 44 - 4, 3)
    assert (sheet[22 + 15, 20 + 44] == 10).all() and (sheet[22 + 34 + 15, 20 + 88] == 50).all()
    assert (sheet[22 + 15, 41] == 255).all()


def test_saves_faces_spread_over_all(tmp_path):
    pictures = [[np.full((8, 8, 3), i, np.uint8)] for i in range(100)]
    save_sheet(tmp_path / "docs" / "sheet.png", pictures, ["x"], most=3)
    sheet = np.asarray(Image.open(tmp_path / "docs" / "sheet.png"))
    assert [sheet[22 + 4 + row * 12, 4, 0] for row in range(3)] == [0, 50, 99]
