"""The way from a few photographs to an emotion of one's own, as far as it can be gone in a moment."""

from __future__ import annotations

import torch
from PIL import Image

from tools.comfyui.example import PORTRAITS
from tools.own_emotions import EMOTIONS, FACE, PHOTOGRAPH, Way, measured, photograph, recipe_of
from train.data.aligned import aligned


def test_its_photographs_are_larger_than_the_face_and_the_face_is_found_again() -> None:
    for i in range(3):
        with Image.open(PORTRAITS / f"face-{i + 1}.jpg") as face:
            picture = photograph(face.convert("RGB"), torch.Generator().manual_seed(i))
        assert picture.size == PHOTOGRAPH
        assert abs(aligned(picture).width - FACE) < 0.2 * FACE


def test_a_models_recipe_names_the_emotions_and_holds_nobody_out(tmp_path) -> None:
    recipe = recipe_of(tmp_path, 32, 64)
    assert recipe.emotions == ("neutral", *EMOTIONS)
    assert [source.held_out for source in recipe.data] == [0]
    assert (recipe.images, recipe.warmup_images, recipe.mirror) == (32, 64, False)


def test_who_draws_the_truth_goes_all_of_the_way(monkeypatch, tmp_path) -> None:
    real = {name: torch.rand(24, 3, 16, 16) * 2 - 1 for name in ("neutral", *EMOTIONS)}
    monkeypatch.setattr("tools.own_emotions.unseen", lambda people, size: real)
    monkeypatch.setattr(Way, "draw", lambda self, faces, holes, emotion: real[emotion])
    pipeline = type("Pipeline", (), {"frame_size": 16})()
    found = measured(Way(pipeline), tmp_path, EMOTIONS[0])
    assert abs(found.share - 1) < 1e-3
    assert found.cosine > 0.999
    assert found.nearer == 1
