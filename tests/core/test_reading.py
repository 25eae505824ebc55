from __future__ import annotations

import pytest
import torch

from ecgan_core.face.choosing import NoFaceFound
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
