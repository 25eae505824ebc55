"""Where in a batch faces are drawn: masks the wrong way round, pictures without a face, masks without anything."""

from __future__ import annotations

import pytest
import torch
from skimage import data

from ecgan_core import NoFaceFound, complete_portraits, render
from ecgan_core.face.frame import Box, frame_of_face
from ecgan_core.face.regions import region_hole

FACE = Box(174, 67, 103, 103)  # the astronaut's, read off by hand


@pytest.fixture(scope="module")
def astronaut() -> torch.Tensor:
    """[1,3,512,512] in 0..1."""
    return torch.from_numpy(data.astronaut().copy()).permute(2, 0, 1)[None].float() / 255


def part(name: str, grow: float = 0.0) -> torch.Tensor:
    """A part of the astronaut's face, [1,1,512,512]: 1 there."""
    return region_hole(frame_of_face(FACE), 512, 512, name, grow=grow)[None]


# A mask the wrong way round ---


@pytest.mark.parametrize("left_out", [None, "mouth"])
def test_a_mask_of_nearly_everything_fills_what_lies_on_the_face_and_says_so(pipeline, astronaut, left_out):
    hole = torch.ones(1, 1, 512, 512) if left_out is None else 1 - part(left_out)
    notes = []
    latent = complete_portraits(pipeline, astronaut, hole, on_note=notes.append)
    [note] = notes
    assert note.startswith("the mask looks inverted")
    changed, face = latent.changed > 0, part("whole face", grow=0.15) > 0
    assert changed.any()
    assert not (changed & ~face).any(), "no square of face, but the face"
    assert not (changed & (hole == 0)).any()
    picture = render(pipeline, latent)
    assert torch.equal(picture[(~changed).expand_as(picture)], astronaut[(~changed).expand_as(picture)])


def test_a_mask_of_all_but_the_face_is_refused_as_inverted(pipeline, astronaut):
    with pytest.raises(
        NoFaceFound, match=r"^the mask looks inverted: it covers nearly everything but the face; invert it"
    ):
        complete_portraits(pipeline, astronaut, 1 - part("whole face", grow=0.1))


def test_of_several_pictures_those_whose_mask_looks_inverted_are_named(pipeline, astronaut):
    notes = []
    everything = torch.ones(1, 1, 512, 512)
    holes = torch.cat([everything, part("mouth"), everything, everything])
    complete_portraits(pipeline, astronaut, holes, boxes=FACE, on_note=notes.append)
    assert [note.split(":")[0] for note in notes] == ["3 of 4 pictures (1, 3–4)"]


@pytest.mark.parametrize("half", [slice(0, 256), slice(120, 512)])
def test_a_large_mask_is_taken_as_it_is(pipeline, astronaut, half):
    hole = torch.zeros(1, 1, 512, 512)
    hole[:, :, half] = 1
    notes = []
    latent = complete_portraits(pipeline, astronaut, hole, boxes=FACE, on_note=notes.append)
    assert notes == []
    assert torch.equal(latent.holes, hole)


def test_a_picture_that_is_a_face_may_be_masked_as_a_whole(pipeline, astronaut):
    notes = []
    face = astronaut[..., 50:190, 150:300]
    latent = complete_portraits(pipeline, face, torch.ones(1, 1, 140, 150), face="whole image", on_note=notes.append)
    assert notes == []
    assert (latent.changed > 0).all()
