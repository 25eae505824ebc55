"""Where in a batch faces are drawn: masks the wrong way round, pictures without a face, masks without anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ecgan_core import NoFaceFound, PortraitLatent, complete_portraits, render, shift_portraits
from ecgan_core.face.batch.left_out import LeftOut, named
from ecgan_core.face.face_hole import face_holes
from ecgan_core.face.finder.aligning import LEFT_EYE, NOSE, RIGHT_EYE
from ecgan_core.face.finder.finding import find_faces
from ecgan_core.face.frame import Box, frame_of_face
from ecgan_core.face.regions import region_hole
from ecgan_core.reading import read_emotions

FACE = Box(174, 67, 103, 103)  # the astronaut's, read off by hand


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


# Pictures in which nothing can be done ---


@pytest.fixture(scope="module")
def batch(astronaut) -> torch.Tensor:
    """A face, nobody, and the same face; [3,3,512,512]."""
    return torch.cat([astronaut, torch.full_like(astronaut, 0.5), astronaut])


def test_a_picture_of_a_batch_without_a_face_stays_as_it_is_and_is_named(pipeline, batch):
    notes = []
    latent = complete_portraits(pipeline, batch, part("mouth"), seed=4, samples=2, on_note=notes.append)
    assert notes == [
        "1 of 3 pictures (2) is left as it is: no face was found in the picture; give a box around the face, or choose "
        "'whole image' if the picture is a single upright face"
    ]
    pictures = render(pipeline, latent)
    assert torch.equal(pictures[2:4], batch[1:2].expand(2, -1, -1, -1))
    assert latent.changed.amax(dim=(1, 2, 3)).tolist() == [1, 1, 0, 0, 1, 1]
    alone = render(pipeline, complete_portraits(pipeline, batch[2:], part("mouth"), seed=4, samples=2))
    assert torch.equal(pictures[4:], alone), "the others are completed as if they were alone"
    moved = shift_portraits(pipeline, latent, pipeline.vector("joyful"), 1.0)
    assert torch.equal(render(pipeline, moved)[2:4], pictures[2:4])
    assert not torch.equal(render(pipeline, moved)[4:], pictures[4:])


def test_an_empty_mask_of_a_batch_leaves_its_picture_alone(pipeline, astronaut, tmp_path):
    notes = []
    holes = torch.cat([part("mouth"), torch.zeros(2, 1, 512, 512), part("eyes")])
    latent = complete_portraits(pipeline, astronaut, holes, boxes=FACE, on_note=notes.append)
    assert [note.partition(",")[0] for note in notes] == [
        "2 of 4 pictures (2–3) are left as they are: the mask is empty"
    ]
    assert latent.owners == (0, 3)
    latent.save(tmp_path / "latent.safetensors")
    loaded = PortraitLatent.load(tmp_path / "latent.safetensors")
    assert torch.equal(render(pipeline, loaded), render(pipeline, latent))


def test_a_mask_that_misses_the_face_in_some_pictures_leaves_those(pipeline, astronaut):
    notes = []
    corner = torch.zeros(1, 1, 512, 512)
    corner[..., 480:500, 10:40] = 1
    holes = torch.cat([corner, part("mouth"), corner.flip(-1)])
    latent = complete_portraits(pipeline, astronaut, holes, boxes=FACE, on_note=notes.append)
    assert latent.owners == (1,)
    [note] = notes
    assert note.startswith("2 of 3 pictures (1, 3) are left as they are: the mask does not touch the face; mask a part")


def test_where_nothing_can_be_done_at_all_it_is_an_error_unless_asked_otherwise(pipeline, batch, tmp_path):
    nobody = batch[1:2].expand(2, -1, -1, -1)
    with pytest.raises(
        NoFaceFound, match="there is nothing to be done in any of the 2 pictures: in the first no face was"
    ):
        complete_portraits(pipeline, nobody, part("mouth"))
    with pytest.raises(NoFaceFound, match="picture 2 of 3: no face was found"):
        complete_portraits(pipeline, batch, part("mouth"), on_no_face="error")
    with pytest.raises(NoFaceFound, match=r"^no face was found"):
        complete_portraits(pipeline, batch[1:2], part("mouth"))
    notes = []
    latent = complete_portraits(pipeline, nobody, part("mouth"), on_no_face="leave", on_note=notes.append)
    assert notes[0].startswith("2 of 2 pictures (1–2) are left as they are: no face")
    assert torch.equal(render(pipeline, latent), nobody)
    assert not latent.changed.any()
    latent.save(tmp_path / "latent.safetensors")
    moved = shift_portraits(
        pipeline, PortraitLatent.load(tmp_path / "latent.safetensors"), pipeline.vector("joyful"), 1.0
    )
    assert torch.allclose(render(pipeline, moved), nobody, atol=1e-6)


def test_a_mask_without_anything_has_no_proportions(pipeline, astronaut):
    """Load Image hands out 64×64 zeros for a picture without transparency, whatever its size."""
    wide = astronaut[..., :300, :]
    latent = complete_portraits(
        pipeline, wide, torch.zeros(1, 1, 64, 64), on_no_face="leave", on_note=lambda note: None
    )
    assert torch.equal(render(pipeline, latent), wide)
    with pytest.raises(ValueError, match="the mask is empty"):
        complete_portraits(pipeline, wide, torch.zeros(1, 1, 64, 64))


def test_a_library_that_asks_for_no_notes_has_them_in_its_log(pipeline, batch, caplog):
    complete_portraits(pipeline, batch[:2], part("mouth"))
    assert "1 of 2 pictures (2) is left as it is: no face was found" in caplog.text


def test_holes_and_readings_leave_out_a_picture_too(pipeline, batch):
    notes = []
    holes = face_holes(batch, "mouth", on_note=notes.append)
    assert notes[0].startswith("1 of 3 pictures (2) has an empty mask: no face")
    assert holes.amax(dim=(1, 2, 3)).tolist() == [1, 0, 1]
    read = list(read_emotions(pipeline, batch, on_no_face="auto", on_note=notes.append))
    assert notes[1].startswith("1 of 3 pictures (2) is not read: no face")
    assert read[1] is None
    assert torch.equal(read[0], read[2])


def test_many_numbers_and_many_reasons_stay_readable():
    assert named([0, 2, 3, 4, 8], 12) == "5 of 12 pictures (1, 3–5, 9)"
    left, notes = LeftOut(9, "leave", ("is left", "are left")), []
    for number in range(5):
        left.add(number, NoFaceFound(f"reason {number}"))
    left.say(notes.append)
    assert [note.partition(":")[0] for note in notes] == [
        "1 of 9 pictures (1) is left",
        "1 of 9 pictures (2) is left",
        "1 of 9 pictures (3) is left",
        "2 of 9 pictures (4–5) are left for other reasons; try one alone to see its own",
    ]


# Heads that are turned aside ---


def test_of_a_face_that_is_turned_far_aside_it_is_said(pipeline, astronaut):
    """By its own mesh: the nose is moved aside, as it is seen when a head turns."""
    [face] = find_faces(astronaut[0])
    eyes = [face.points[list(eye)].mean(dim=0) for eye in (LEFT_EYE, RIGHT_EYE)]
    notes = []
    for share in (0.2, 0.6):
        points = face.points.clone()
        points[NOSE] = sum(eyes) / 2 + share * (eyes[1] - eyes[0])
        turned = replace(face, points=points)
        complete_portraits(
            pipeline, astronaut.expand(2, -1, -1, -1), part("mouth"), boxes=[face, turned], on_note=notes.append
        )
    [note] = notes
    assert note.startswith("1 of 2 pictures (2): the face is turned so far aside that what is drawn may not fit it")
