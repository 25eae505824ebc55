"""Faces over the frames of a shot: who is who, and held still without lagging behind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ecgan_core import Completion, complete_portraits, render
from ecgan_core.face.batch.places import places_of
from ecgan_core.face.batch.shots import cuts_in_words, shots, something_else
from ecgan_core.face.batch.tracking import GAP, HELD, follow, held_still, people, steady
from ecgan_core.face.face_hole import face_holes
from ecgan_core.face.frame import Box, frame_of_face
from ecgan_core.face.regions import region_hole
from tools.host import ROOT

FACE = Box(174, 67, 103, 103)  # the astronaut's, read off by hand


def at(x: float, y: float = 100.0, side: float = 100.0, roll: float = 0.0) -> Box:
    return Box(x - side / 2, y - side / 2, side, side, roll)


# Who is who ---


@pytest.mark.parametrize("hidden", [0, 3, 8])
def test_people_who_cross_stay_themselves_also_while_one_is_behind_the_other(hidden):
    random, seen = np.random.default_rng(0), []
    for frame in range(41):
        left, right = 100 + 15.0 * frame, 700 - 15.0 * frame
        boxes = [at(left + random.normal()), at(right + random.normal(), y=110)]
        if abs(frame - 20) <= hidden // 2 and hidden:
            boxes = boxes[:1]
        seen.append([boxes[i] for i in random.permutation(len(boxes))])
    tracks = follow(seen)
    assert len(tracks) == 2
    for track in tracks:
        speeds = np.diff([box.centre[0] for _, box in sorted(track.items())])
        assert (np.sign(speeds[:15]) == np.sign(speeds[0])).all()
        assert np.sign(speeds[-1]) == np.sign(speeds[0]), "they turned round where they met"


def test_a_short_gap_is_bridged_and_a_long_one_is_not():
    def clip(gap: int) -> list[list[Box]]:
        return [[] if 5 <= frame < 5 + gap else [at(100 + 4.0 * frame)] for frame in range(10 + gap)]

    [track] = follow(clip(GAP))
    bridged = steady(track)
    assert sorted(bridged) == list(range(10 + GAP))
    assert bridged[5 + GAP // 2].centre[0] == pytest.approx(100 + 4 * (5 + GAP // 2), abs=1.5)
    assert len(follow(clip(GAP + 1))) == 2


def test_somebody_else_elsewhere_or_of_another_size_is_somebody_else():
    assert len(follow([[at(100)], [at(400)]])) == 2
    assert len(follow([[at(100)], [at(100, side=200)]])) == 2
    assert len(follow([[at(100)], [at(140, side=120)]])) == 1


def test_who_comes_back_after_long_is_the_same_and_who_is_there_meanwhile_is_not():
    def whose(*seen: list[Box]) -> list[int]:
        return people(follow(list(seen)))

    gone: list[list[Box]] = [[]] * (GAP + 5)
    assert whose([at(100)], *gone, [at(180)], *gone, [at(100)]) == [0, 0, 0]
    assert whose([at(100), at(400)], *gone, [at(420), at(90)]) == [0, 1, 1, 0], "each goes on as who was nearer"
    assert whose([at(100)], [at(100), at(400)], *[[at(400)]] * (GAP + 5), [at(400), at(100)]) == [0, 1, 0]
    assert whose([at(100)], *gone, [at(100, side=200)]) == [0, 1], "of another size it is somebody else"
    assert whose([at(100)], *gone * 9, [at(800)]) == [0, 1], "and far away, however long it took"


# Held still ---


def test_a_face_that_holds_still_does_not_move_at_all():
    random = np.random.default_rng(1)
    track = {frame: at(*random.normal([300, 200, 100, 5], [0.3, 0.3, 0.4, 0.2])) for frame in range(60)}
    frames = {frame_of_face(box) for box in steady(track).values()}
    assert len(frames) == 1
    [frame] = frames
    assert frame.roll == pytest.approx(5, abs=0.3)


def test_what_moves_is_followed_without_lag_and_without_a_jump():
    random = np.random.default_rng(2)
    times = np.arange(80)
    xs, rolls = 300 + 120 * np.sin(times / 12), 170 + 0.5 * times  # over ±180°
    shaken = xs + random.normal(0, 0.3, 80)
    track = {int(t): at(shaken[t], roll=(rolls[t] + 180) % 360 - 180) for t in times}
    held = [box for _, box in sorted(steady(track).items())]
    away = np.array([box.centre[0] for box in held]) - xs
    assert np.abs(away).max() < 100 * HELD[0] + 2
    moving = np.abs(np.gradient(xs)) > 5
    assert np.abs((away * np.sign(np.gradient(xs)))[moving].mean()) < 0.3, "it lags, or runs ahead"
    steps = (np.diff([box.roll for box in held]) + 180) % 360 - 180
    assert np.abs(steps).max() < 0.8


def test_one_frame_in_which_a_face_was_framed_oddly_is_none():
    track = {frame: at(300, side=130 if frame == 7 else 100) for frame in range(15)}
    assert {round(box.width, 3) for box in steady(track).values()} == {100}


def test_two_frames_and_one_are_a_clip_too():
    assert held_still([4], np.array([[1.0, 2.0]]), (0.1, 0.1)).tolist() == [[1, 2]]
    assert held_still([4, 6], np.array([[1.0], [2.0]]), (0.0,))[:, 0].tolist() == pytest.approx([1, 1.5, 2])


# In pictures ---


def hidden(astronaut: torch.Tensor) -> torch.Tensor:
    """Something grey is before the face."""
    picture = astronaut.clone()
    picture[:, :, 60:180, 165:285] = 0.5
    return picture


def noisy(picture: torch.Tensor, count: int) -> torch.Tensor:
    """Frames of a still picture [3,H,W] with noise of ±2/255."""
    random = np.random.default_rng(0)
    noise = torch.from_numpy(random.integers(-2, 3, (count, *picture.shape))).float() / 255
    return (picture + noise).clamp(0, 1)


@pytest.mark.slow
def test_a_still_head_in_a_noisy_clip_has_a_fill_as_still_as_the_clip(bundled):
    picture = np.asarray(Image.open(ROOT / "workflows" / "input" / "portrait-1.png").convert("RGB"))
    clip = noisy(torch.from_numpy(picture.copy()).movedim(-1, 0).float() / 255, 12)
    [hole] = holes = face_holes(clip[:1], "mouth")
    latent = complete_portraits(bundled, clip, holes, emotion="happy", track=True)
    assert len(set(latent.frames)) == 1
    filled = render(bundled, latent)[:, :, hole[0] > 0.99]
    own = (clip[1:] - clip[:-1]).abs().max()
    steps = (filled[1:] - filled[:-1]).abs()
    assert steps.quantile(0.999) <= own, "all but the sharpest edges of teeth"
    assert steps.max() <= own + 5 / 255
    loose = render(bundled, complete_portraits(bundled, clip, holes, emotion="happy"))[:, :, hole[0] > 0.99]
    assert (loose[1:] - loose[:-1]).abs().max() > own + 10 / 255, "without it, it is not"


def test_holes_over_a_still_head_are_all_the_same(astronaut):
    holes = face_holes(noisy(astronaut[0], 5), "mouth", track=True)
    assert (holes == holes[0]).all()


@pytest.mark.slow
def test_outlines_over_a_still_head_hold_still_too_and_go_on_over_a_gap(astronaut):
    clip = noisy(astronaut[0], 5)
    clip[2:3] = hidden(astronaut)
    holes = face_holes(clip, "lower face", track=True, inside_face=True)
    assert (holes == holes[0]).all()
    alone = face_holes(astronaut, "lower face", inside_face=True)
    assert (holes[2] - alone[0]).abs().mean() < 0.002, "and it is the outline's"
    assert (face_holes(clip, "lower face", track=True)[2] - alone[0]).abs().mean() > 0.004


def test_a_face_that_is_gone_for_a_frame_is_drawn_where_it_was_going(pipeline, astronaut):
    clip = torch.cat([astronaut, hidden(astronaut), astronaut])
    hole = region_hole(frame_of_face(FACE), 512, 512, "mouth")[None]
    latent = complete_portraits(pipeline, clip, hole, track=True)
    assert latent.owners == (0, 1, 2)
    assert len(set(latent.frames)) == 1
    holes = torch.cat([hole, 0 * hole, hole])
    notes = []
    asked = Completion(track=True)
    places = places_of(clip, holes, asked, on_note=notes.append)
    assert [len(frames) for frames in places.frames] == [1, 0, 1], "where nothing is masked nothing is drawn"
    assert notes[0].startswith("1 of 3 pictures (2) is left as it is: the mask is empty")


def test_each_person_keeps_their_seed_over_the_clip(pipeline, astronaut):
    left, right = Box(60, 100, 90, 90), Box(320, 100, 90, 90)
    boxes = [[left, right], [right, left], [left, right]]
    holes = torch.zeros(3, 1, 512, 512)
    for hole, first in zip(holes, (left, right, left), strict=True):
        for box in (left, right):
            grown = 30 if box is first else 10  # the one with most of the hole comes first
            x, y = (int(c) for c in box.centre)
            hole[0, y - grown : y + grown, x - 30 : x + 30] = 1
    clip = astronaut.expand(3, -1, -1, -1)
    seeds = {}
    for track in (False, True):
        latent = complete_portraits(pipeline, clip, holes, boxes=boxes, seed=5, track=track)
        seeds[track] = [
            {latent.frames[face].x < 200: latent.seeds[face] for face in latent.faces_of(i)} for i in range(3)
        ]
    assert seeds[True] == [seeds[True][0]] * 3
    assert seeds[True][0] == seeds[False][0]
    assert seeds[False][1] != seeds[False][0]


@pytest.mark.slow
def test_after_a_long_gap_a_person_has_the_seed_and_the_hole_of_before(pipeline, astronaut):
    clip = torch.cat([astronaut, *[hidden(astronaut)] * (GAP + 1), astronaut])
    notes: list[str] = []
    holes = face_holes(clip, "mouth", track=True, on_note=notes.append)
    assert torch.equal(holes[0], holes[-1])
    assert holes[0].any()
    assert notes[0].startswith(f"{GAP + 1} of {GAP + 3} pictures (2–{GAP + 2}) have empty masks")
    latent = complete_portraits(pipeline, clip, holes[:1], seed=5, track=True, on_no_face="leave")
    assert latent.seeds == (5, 5)


# Shots ---


def test_a_cut_ends_a_shot_and_neither_a_turn_nor_a_flash_nor_a_gap_does(astronaut):
    face, other = astronaut[0], astronaut[0].flip(2)
    slowly = torch.stack([face.roll(3 * frame, dims=2) for frame in range(6)])
    assert shots(slowly, [True] * 6) == [range(6)]
    flash = slowly.clone()
    flash[3] = (flash[3] + 0.6).clamp(0, 1)
    assert shots(flash, [True] * 6) == [range(6)]
    gap = slowly.clone()
    gap[2:4] = 0
    seen = [True, True, False, False, True, True]
    assert shots(gap, seen) == [range(6)]
    assert something_else(gap, seen) == {2, 3}
    assert something_else(slowly, seen) == set()
    cut = torch.cat([slowly, other.expand(2, -1, -1, -1), slowly[:2]])
    assert shots(cut, [True] * 10) == [range(6), range(6, 8), range(8, 10)]
    assert cuts_in_words(shots(cut, [True] * 10)).startswith("there is a cut before frames 7 and 9: ")
    assert shots(cut[:1], [False]) == [range(1)]


@pytest.mark.slow
def test_nothing_is_drawn_where_a_clip_shows_something_else(pipeline, astronaut):
    clip = noisy(astronaut[0], 7)
    clip[2:5] = 0.4
    notes: list[str] = []
    holes = face_holes(clip, "mouth", track=True, on_note=notes.append)
    assert holes.flatten(1).any(dim=1).tolist() == [True, True, False, False, False, True, True]
    latent = complete_portraits(pipeline, clip, holes[:1], track=True, on_note=notes.append)
    assert torch.equal(render(pipeline, latent)[2:5], clip[2:5])
    assert len(set(latent.frames)) == 1
    assert "3 of 7 pictures (3–5)" in notes[0]
    assert "3 of 7 pictures (3–5)" in notes[1]


@pytest.mark.slow
def test_each_shot_of_a_clip_is_as_if_it_were_alone(pipeline, astronaut):
    first, second = noisy(astronaut[0], 3), noisy(astronaut[0].flip(2).roll(-40, dims=2), 3)
    notes: list[str] = []
    clip = torch.cat([first, second])
    holes = face_holes(clip, "mouth", track=True, on_note=notes.append)
    alone = [face_holes(shot, "mouth", track=True) for shot in (first, second)]
    assert torch.equal(holes, torch.cat(alone))
    latent = complete_portraits(pipeline, clip, holes, seed=5, track=True, on_note=notes.append)
    parts = [
        complete_portraits(pipeline, shot, hole, seed=5, track=True)
        for shot, hole in zip((first, second), alone, strict=True)
    ]
    assert latent.frames == parts[0].frames + parts[1].frames
    assert torch.equal(render(pipeline, latent), torch.cat([render(pipeline, part) for part in parts]))
    assert notes == ["there is a cut before frame 4: the faces of each shot were followed by themselves"] * 2
