import time
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from limner.data.reference_set import embeddings
from limner.data.reference_set.embeddings import Embeddings, embed, fingerprint
from limner.errors import LimnerError


class Means(nn.Module):
    """The mean colour above and below, of unit length; counts what it is shown."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def forward(self, crops):
        assert crops.ndim == 4 and crops.shape[1] == 3 and crops.min() >= 0 and crops.max() <= 1
        self.shapes.append(tuple(crops.shape))
        halves = nn.functional.adaptive_avg_pool2d(crops, (2, 1)).flatten(1) - 0.3
        return nn.functional.normalize(halves)


def picture(path, seed, side=16, height=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    tone = generator.integers(0, 256, (2, 1, 3))
    pixels = np.repeat(np.repeat(tone, (height or side) // 2, axis=0), side, axis=1).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def faces(tmp_path):
    return {f"{n}.png": picture(tmp_path / "faces" / f"{n}.png", n) for n in range(10)}


def test_vectors_are_the_nets_whatever_the_batch(faces, tmp_path):
    net = Means()
    found, left_out = embed(faces, net, tmp_path / "e.npz", name="means", batch=4)
    assert left_out == {} and found.files == list(faces) and found.vectors.dtype == np.float32
    assert [shape[0] for shape in net.shapes] == [4, 4, 2]
    for file, vector in zip(found.files, found.vectors, strict=True):
        pixels = np.asarray(Image.open(faces[file]))
        crop = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
        np.testing.assert_allclose(vector, net(crop)[0], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)
    kept = Embeddings.load(tmp_path / "e.npz")
    assert kept.files == found.files and kept.embedder == "means"
    np.testing.assert_array_equal(kept.vectors, found.vectors)
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["e.npz"], "a temporary file was left"


def test_pictures_of_one_size_share_batches(tmp_path):
    sizes = [16, 32, 16, 32, 16]
    faces = {f"{n}.png": picture(tmp_path / f"{n}.png", n, side) for n, side in enumerate(sizes)}
    net = Means()
    found, _ = embed(faces, net, tmp_path / "e.npz", name="means", batch=8)
    assert net.shapes == [(3, 3, 16, 16), (2, 3, 32, 32)] and found.files == list(faces)


def test_large_pictures_come_in_small_batches(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(embeddings, "MOST_PIXELS", 3 * 16**2)
    net = Means()
    embed(faces, net, tmp_path / "e.npz", name="means", batch=8)
    assert max(shape[0] for shape in net.shapes) == 3


def test_pictures_of_many_sizes_do_not_pile_up(tmp_path, monkeypatch):
    monkeypatch.setattr(embeddings, "MOST_PIXELS", 2 * 32**2)
    faces = {f"{n}.png": picture(tmp_path / f"{n}.png", n, 10 + 2 * n) for n in range(12)}
    net, seen = Means(), []
    embed(faces, lambda crops: (seen.append(len(seen)), net(crops))[1], tmp_path / "e.npz", name="means", batch=8)
    assert [s[-1] for s in net.shapes] != sorted(s[-1] for s in net.shapes), "one was embedded before the end came"
    assert len(net.shapes) == 12


def test_only_what_is_new_or_changed_is_embedded(faces, tmp_path):
    store = tmp_path / "e.npz"
    first, _ = embed(dict(list(faces.items())[:6]), Means(), store, name="means")
    picture(faces["2.png"], 77, side=32)
    net = Means()
    again, _ = embed(
        {**dict(list(faces.items())[1:]), "new.png": picture(tmp_path / "new.png", 5)}, net, store, name="means"
    )
    assert sum(shape[0] for shape in net.shapes) == 6, "2 changed, 6 to 9 and new.png"
    assert again.files == [f"{n}.png" for n in range(1, 10)] + ["new.png"], "0 is gone from the folder"
    np.testing.assert_array_equal(again.vectors[0], first.vectors[1])
    assert np.abs(again.vectors[1] - first.vectors[2]).max() > 0.01
    np.testing.assert_array_equal(again.vectors[-1], again.vectors[4])
    net, before = Means(), store.stat().st_mtime_ns
    same, _ = embed({f: p for f, p in faces.items() if f != "0.png"}, net, store, name="means")
    assert net.shapes == [] and len(same.files) == 9 and store.stat().st_mtime_ns == before


def test_an_interrupted_run_keeps_what_it_had(faces, tmp_path):
    net = Means()

    def tired(crops):
        if len(net.shapes) == 2:
            raise KeyboardInterrupt
        return net(crops)

    with pytest.raises(KeyboardInterrupt):
        embed(faces, tired, tmp_path / "e.npz", name="means", batch=3)
    assert len(Embeddings.load(tmp_path / "e.npz").files) == 6
    net.shapes.clear()
    found, _ = embed(faces, net, tmp_path / "e.npz", name="means", batch=3)
    assert sum(shape[0] for shape in net.shapes) == 4
    whole, _ = embed(faces, Means(), tmp_path / "whole.npz", name="means")
    np.testing.assert_allclose(found.vectors, whole.vectors, atol=1e-6)


def test_a_long_run_saves_on_the_way(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(embeddings, "SAVE_EVERY", 0.0)
    store, seen = tmp_path / "e.npz", []

    def watched(crops):
        seen.append(len(Embeddings.load(store).files) if store.exists() else 0)
        time.sleep(0.001)
        return Means()(crops)

    embed(faces, watched, store, name="means", batch=5)
    assert seen == [0, 5]


def test_broken_pictures_are_listed_and_left_out(faces, tmp_path):
    faces["3.png"].write_bytes(faces["3.png"].read_bytes()[:60])
    faces["5.png"].write_text("Dear Anna")
    picture(faces["7.png"], 7, side=16, height=32)
    faces["gone.png"] = tmp_path / "gone.png"

    def blind(crops):
        is_first = (crops.mean((1, 2, 3)) - first).abs() < 1e-5
        return torch.where(is_first[:, None], float("nan"), Means()(crops))

    first = np.asarray(Image.open(faces["0.png"])).mean() / 255
    told = []
    found, left_out = embed(faces, blind, tmp_path / "e.npz", name="means", progress=lambda *step: told.append(step))
    assert found.files == ["1.png", "2.png", "4.png", "6.png", "8.png", "9.png"] and told[-1] == (11, 11)
    assert set(left_out) == {"0.png", "3.png", "5.png", "7.png", "gone.png"}
    assert "is a damaged or truncated PNG" in left_out["3.png"] and "is not a picture" in left_out["5.png"]
    assert "7.png is 16x32 px and so no aligned crop, which is square: align it first" in left_out["7.png"]
    assert "has no finite embedding" in left_out["0.png"] and "does not exist" in left_out["gone.png"]
    # A picture that was put right is taken the next time.
    picture(faces["3.png"], 3)
    assert "3.png" in embed(faces, Means(), tmp_path / "e.npz", name="means")[0].files


def test_names_of_any_kind(tmp_path):
    faces = {name: picture(tmp_path / "in" / name, n) for n, name in enumerate(["ü/a b.png", "c,d;.png", "Фото.png"])}
    embed(faces, Means(), tmp_path / "e.npz", name="means")
    assert Embeddings.load(tmp_path / "e.npz").files == list(faces)


def test_messages(faces, tmp_path):
    store = tmp_path / "e.npz"
    embed(faces, Means(), store, name="means")
    with pytest.raises(LimnerError, match=r"e.npz were made by means, not by other: delete the file or choose another"):
        embed(faces, Means(), store, name="other")
    store.write_bytes(store.read_bytes()[:300])
    with pytest.raises(LimnerError, match=r"e.npz are damaged: delete the file, and they are made anew"):
        embed(faces, Means(), store, name="means")
    store.write_text("x")
    with pytest.raises(LimnerError, match="are damaged"):
        Embeddings.load(store)
    with pytest.raises(LimnerError, match=r"gone.npz can't be read"):
        Embeddings.load(tmp_path / "gone.npz")
    with pytest.raises(LimnerError, match=r"e.npz can't be written"):
        embed(faces, Means(), tmp_path / "nowhere" / "e.npz", name="means")
    broken = {"1.png": tmp_path / "faces" / "text.png"}
    broken["1.png"].write_text("Dear Anna")
    with pytest.raises(
        LimnerError, match=r"None of the 1 pictures can be used; the first: .*text.png is not a picture"
    ):
        embed(broken, Means(), tmp_path / "f.npz", name="means")
    assert not (tmp_path / "f.npz").exists()


def test_a_net_is_known_by_its_weights():
    torch.manual_seed(0)
    net, other = nn.Linear(3, 2), nn.Linear(3, 2)
    assert fingerprint(net) == fingerprint(net) != fingerprint(other)
    assert fingerprint(net).startswith("Linear ")
    other.load_state_dict(net.state_dict())
    assert fingerprint(net) == fingerprint(other)


def test_a_store_that_unpacks_to_gigabytes(tmp_path):
    with zipfile.ZipFile(tmp_path / "e.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("files.npy", bytes(10**7))
    with pytest.raises(LimnerError, match=r"e.npz are damaged"):
        Embeddings.load(tmp_path / "e.npz")


@pytest.mark.parametrize("change", [{"vectors": np.ones(3)}, {"stamps": np.ones((1, 2))}, {"files": np.ones(1)}])
def test_a_store_of_other_arrays(tmp_path, change):
    whole = {"files": np.array(["a"]), "vectors": np.ones((1, 4), np.float32), "stamps": np.ones((1, 2), np.int64)}
    np.savez(tmp_path / "e.npz", embedder="net", **whole)
    assert Embeddings.load(tmp_path / "e.npz").files == ["a"]
    np.savez(tmp_path / "e.npz", embedder="net", **(whole | change))
    with pytest.raises(LimnerError, match=r"e.npz are damaged"):
        Embeddings.load(tmp_path / "e.npz")
