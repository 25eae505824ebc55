"""The frames of a clip: referred to and not copied, drawn alike however they lie in memory, and given up at once."""

from __future__ import annotations

import pytest
import torch

from benchmarks.measuring.memory import can_measure, peak_megabytes
from ecgan_core.face import portrait_latent
from ecgan_core.face.portrait import complete_portraits, render, shift_portraits
from ecgan_core.face.stitch import blend_of
from ecgan_core.files.latents import FaceLatent

COUNT = 5


@pytest.fixture
def clip() -> torch.Tensor:
    """Frames with their channels last, as ComfyUI has them, [5,3,90,120] in 0..1."""
    return torch.rand(COUNT, 90, 120, 3, generator=torch.Generator().manual_seed(1)).movedim(-1, 1)


@pytest.fixture
def mask() -> torch.Tensor:
    hole = torch.zeros(1, 1, 90, 120)
    hole[:, :, 40:70, 30:80] = 1
    return hole


def test_a_latent_refers_to_the_frames_and_masks_that_it_was_given(pipeline, clip, mask):
    masks = mask.repeat(COUNT, 1, 1, 1)
    latent = complete_portraits(pipeline, clip, masks, face="whole image")
    assert latent.pictures.data_ptr() == clip.data_ptr()
    assert latent.holes.data_ptr() == masks.data_ptr()
    for some in (latent[2], latent[2:4]):
        assert some.pictures.data_ptr() == clip[2].data_ptr()
    assert torch.equal(latent[::-1].pictures, clip.flip(0))


def test_how_a_face_goes_into_its_picture_is_found_out_as_it_is_drawn_and_once(pipeline, clip, mask, monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(portrait_latent, "blend_of", lambda *of: asked.append(of) or blend_of(*of))
    latent = complete_portraits(pipeline, clip, mask, face="whole image")
    assert not asked, "a clip would stand still for as long as all of its frames take"
    render(pipeline, latent[2])
    assert len(asked) == 1
    first = render(pipeline, latent)
    assert len(asked) == COUNT
    assert torch.equal(render(pipeline, latent.with_faces(latent.faces)), first)
    assert len(asked) == COUNT


def test_a_mask_beyond_0_and_1_is_taken_within_them_and_left_as_it_was(pipeline, clip, mask):
    beyond = 3 * mask - 1
    latent = complete_portraits(pipeline, clip, beyond, face="whole image")
    assert latent.holes.aminmax() == (0, 1)
    assert beyond.aminmax() == (-1, 2)


def test_frames_are_drawn_alike_however_they_lie_in_memory_and_whoever_is_beside_them(pipeline, clip, mask):
    one = clip[3:4].contiguous()
    for asked in ({}, {"feather": 4, "color_match": 1.0, "samples": 2}):
        together = render(pipeline, complete_portraits(pipeline, clip, mask, face="whole image", seeds=7, **asked))
        alone = render(pipeline, complete_portraits(pipeline, one, mask, face="whole image", seeds=7, **asked))
        assert torch.equal(together[3 * len(alone) : 4 * len(alone)], alone)


def test_who_waits_is_told_while_faces_are_looked_for_and_may_stop_it(pipeline, clip, mask):
    seen: list[tuple[int, int]] = []
    complete_portraits(
        pipeline, clip, mask, face="whole image", on_look=lambda *at: seen.append(at), on_step=lambda *at: None
    )
    assert seen == [(number, COUNT) for number in range(1, COUNT + 1)]

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        raise KeyboardInterrupt

    seen.clear()
    with pytest.raises(KeyboardInterrupt):
        complete_portraits(pipeline, clip, mask, face="whole image", on_look=stop)
    assert len(seen) == 1


def test_latents_are_gathered_in_order_whatever_the_order_they_come_in(pipeline, faces, holes):
    latent = pipeline.complete(faces, holes, seeds=[0, 1, 2])
    gathered = FaceLatent.gathered([([2, 0], latent[[2, 0]]), ([1], latent[1])], 3, "cpu")
    for name, tensor in latent.tensors().items():
        assert torch.equal(gathered.tensors()[name], tensor), name
    assert gathered.model == latent.model


def test_a_clip_moves_by_a_strength_for_each_frame(pipeline, clip, mask):
    latent, vector = complete_portraits(pipeline, clip, mask, face="whole image"), pipeline.vector("joyful")
    strengths = [0.0, 0.25, -1.0, 0.5, 2.0]
    moved = render(pipeline, shift_portraits(pipeline, latent, vector, strengths))
    for frame, strength in enumerate(strengths):
        alone = render(pipeline, shift_portraits(pipeline, latent[frame], vector, strength))
        assert torch.equal(moved[frame : frame + 1], alone)
    with pytest.raises(ValueError, match="each picture needs a strength, but there are 2 for 5 pictures"):
        shift_portraits(pipeline, latent, vector, [0.0, 1.0])


@pytest.mark.skipif(not can_measure(torch.device("cpu")), reason="this system does not tell how much memory it takes")
def test_a_batch_that_is_drawn_is_in_memory_once_beside_what_came_in(pipeline):
    frames, mask = torch.rand(40, 3, 480, 720), torch.zeros(1, 1, 480, 720)  # 166 MB
    mask[:, :, 200:300, 300:400] = 1
    latent = complete_portraits(pipeline, frames, mask, face="whole image")
    render(pipeline, latent[:1])  # torch's own first needs
    assert peak_megabytes(lambda: render(pipeline, latent), torch.device("cpu")) < 1.6 * 166  # twice would be 348
