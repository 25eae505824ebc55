"""The frames of a clip through the nodes: what they take, and Cancel within one."""

from __future__ import annotations

import pytest
import torch

from tests.host.pack import EMOTIONS, hole, picture, run

COUNT = 4


def test_what_stays_of_a_clip_is_its_result_and_the_latents(complete) -> None:
    clip, masks = picture(count=COUNT), hole(count=COUNT)
    kept = clip.clone(), masks.clone()
    image, latent, _ = complete(clip, masks)
    assert latent.portrait.pictures.data_ptr() == clip.data_ptr()
    assert latent.portrait.holes.data_ptr() == masks.data_ptr()
    assert latent.image is image
    assert image.is_contiguous()
    assert torch.equal(clip, kept[0])
    assert torch.equal(masks, kept[1])


def test_a_shifted_clip_refers_to_the_same_frames(complete, pack, model) -> None:
    clip = picture(count=COUNT, channels=4)
    latent = complete(clip, hole())[1]
    image, shifted = run(pack["EmotionShift"], model=model, latent=latent, strength=1.0, emotion=EMOTIONS[1])
    assert shifted.portrait.pictures.data_ptr() == clip.data_ptr()
    assert torch.equal(image[..., 3], clip[..., 3])


def test_the_grain_of_a_clip_holds_still_or_lives(complete) -> None:
    clip = picture().expand(COUNT, -1, -1, -1)
    steady, alive = (complete(clip, hole(), texture_alive=alive)[0] for alive in (False, True))
    assert torch.equal(steady, steady[:1].expand_as(steady))
    assert torch.equal(alive[0], steady[0])
    assert len({frame.numpy().tobytes() for frame in alive}) == COUNT


@pytest.mark.parametrize("frame", [1, COUNT + 1, 2 * COUNT + 1])
def test_cancel_is_heard_within_a_frame_while_faces_are_found_completed_and_drawn(complete, frame, monkeypatch) -> None:
    import comfy.model_management as memory
    import comfy.utils

    seen = []

    class Watched(comfy.utils.ProgressBar):  # and not its hook: today's ComfyUI passes on a few steps a second
        def update_absolute(self, value, total=None, preview=None):
            seen.append((value, total))
            if value == frame:
                memory.interrupt_current_processing()

    monkeypatch.setattr(comfy.utils, "ProgressBar", Watched)
    try:
        with pytest.raises(memory.InterruptProcessingException):
            complete(picture(count=COUNT), hole())
        assert seen == [(value, 3 * COUNT) for value in range(frame + 1)]
    finally:
        memory.interrupt_current_processing(False)


def test_several_frames_at_once_are_drawn_as_one_by_one(complete, monkeypatch) -> None:
    clip, masks = picture(count=COUNT), hole(count=COUNT)
    alone = complete(clip, masks)[0]
    monkeypatch.setattr("ecgan_core.face.portrait.faces_at_once", lambda pipeline: 3)  # as on a graphics card
    torch.testing.assert_close(complete(clip, masks)[0], alone, atol=1e-4, rtol=0)
