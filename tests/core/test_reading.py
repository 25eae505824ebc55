from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ecgan_core import load_checkpoint
from ecgan_core.face.choosing import NoFaceFound
from ecgan_core.face.face_hole import face_holes
from ecgan_core.face.portrait import complete_portraits, render
from ecgan_core.reading import read_emotions


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_it_is_what_the_pipeline_reads_from_each_face(pipeline, pictures):
    read = torch.stack(list(read_emotions(pipeline, pictures, face="whole image")))
    torch.testing.assert_close(read, pipeline.infer_emotion(2 * pictures - 1).cpu(), atol=1e-5, rtol=0)


def test_what_is_hidden_is_not_looked_at_and_an_empty_mask_hides_nothing(pipeline, pictures):
    def read(hidden):
        return torch.stack(list(read_emotions(pipeline, pictures, hidden, "whole image")))

    hidden = torch.zeros(1, 1, 32, 32)  # of half the size: it is scaled
    hidden[..., 8:24, 8:24] = 1
    other = pictures.clone()
    other[..., 16:48, 16:48] = 0.5
    torch.testing.assert_close(
        read(hidden), torch.stack(list(read_emotions(pipeline, other, hidden, "whole image"))), atol=1e-5, rtol=0
    )
    assert not torch.equal(read(hidden), read(None))
    assert torch.equal(read(torch.zeros(1, 1, 10, 99)), read(None))
    one = torch.cat([hidden, torch.zeros_like(hidden)])
    assert torch.equal(read(one)[0], read(hidden)[0])
    assert torch.equal(read(one)[1], read(None)[1])


@pytest.mark.slow
def test_pictures_and_masks_have_to_pair_up_and_to_have_a_face(pipeline, pictures):
    with pytest.raises(ValueError, match="2 pictures and 3 masks"):
        list(read_emotions(pipeline, pictures, torch.ones(3, 1, 64, 64), "whole image"))
    with pytest.raises(NoFaceFound, match="picture 1 of 2: no face"):
        list(read_emotions(pipeline, torch.full((2, 3, 64, 64), 0.5)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["face-1.jpg", "face-2.jpg"])
def test_the_default_model_reads_what_it_drew(name):
    """A Q that was mixed from two reads nothing, while faces are drawn as well as before."""
    pipeline = load_checkpoint(Path("models/ecgan-portraits-256.safetensors"))
    with Image.open(Path("workflows/input") / name) as file:
        picture = torch.from_numpy(np.array(file.convert("RGB"))).movedim(-1, 0)[None] / 255
    hole = face_holes(picture, "whole face")
    for index, emotion in enumerate(pipeline.emotion_set.names):
        drawn = render(pipeline, complete_portraits(pipeline, picture, hole, emotion=emotion, seeds=[1]))
        [read] = read_emotions(pipeline, drawn)
        assert read is not None
        assert read[index] > 0.6, (emotion, read)
