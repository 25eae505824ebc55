from __future__ import annotations

import torch

from ecgan_core.face.light import match_colour


def face_and_patch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A face lit from the left, a filling with a mouth in it that is too blue and lit evenly, and its hole."""
    face = torch.linspace(0.8, 0.4, 64).expand(1, 3, 64, 64).clone()
    hole = torch.zeros(1, 1, 64, 64)
    hole[:, :, 36:54, 16:48] = 1
    drawn = torch.tensor([0.5, 0.5, 0.7])[None, :, None, None].expand(1, 3, 64, 64).clone()
    drawn[:, :, 44:46, 26:38] -= 0.3
    return face, torch.where(hole > 0, drawn, face), hole


def test_the_filling_takes_on_the_colour_and_the_light_around_it():
    face, patch, hole = face_and_patch()
    matched = match_colour(patch, face, hole, 1.0)
    skin = matched[0, :, 38, 18:46]
    wanted = face[0, :, 38, 18:46]
    assert (skin - wanted).abs().max() < 0.08
    assert (patch[0, :, 38, 18:46] - wanted).abs().max() > 0.15
    mouth = matched[0, :, 41, 32] - matched[0, :, 45, 32]
    assert (mouth > 0.25).all(), "what is drawn there stays"


def test_what_is_behind_the_head_does_not_tint_the_filling():
    skin, wall = torch.tensor([0.8, 0.6, 0.5])[:, None, None], torch.tensor([0.6, 0.65, 0.75])[:, None, None]
    _, _, hole = face_and_patch()
    face = skin.expand(3, 64, 64).clone()
    face[:, :, 48:] = wall  # begins where the hole ends
    patch = torch.where(hole > 0, (skin - 0.1)[None], face[None])
    matched = match_colour(patch, face[None], hole, 1.0)
    assert (matched[0, :, 45, 20:46] - skin[:, 0]).abs().max() < 0.03


def test_it_is_a_matter_of_degree_and_of_the_hole_only():
    face, patch, hole = face_and_patch()
    assert match_colour(patch, face, hole, 0.0) is patch
    half, full = (match_colour(patch, face, hole, strength) for strength in (0.5, 1.0))
    assert torch.allclose(half - patch, (full - patch) / 2, atol=1e-6)
    outside = (hole == 0).expand_as(patch)
    assert torch.equal(full[outside], patch[outside])


def test_a_hole_with_nothing_around_it_stays_as_it_was_drawn():
    face, patch, _ = face_and_patch()
    everything = torch.ones(1, 1, 64, 64)
    assert torch.equal(match_colour(patch, face, everything, 1.0), patch)
