"""The rooms of the portrait studio, one by one: the head, who, what the face does, hair, camera, the check."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ecgan_core.face.finder.finding import find_faces
from ecgan_core.face.finder.judging import Doubt, no_face
from ecgan_core.face.frame import FRAME, Box, frame_of_face
from train.portraits.check import find_fault
from train.portraits.expression import HIGHEST, LID_SHARES, LIDS_OPEN, perform
from train.portraits.hair.hair import HairLook, grow_hair
from train.portraits.hair.hairstyles import STYLES
from train.portraits.head.pose import Pose, held, rotation, sample_pose
from train.portraits.head.subdivide import catmull_clark
from train.portraits.identity import sample_identity
from train.portraits.kernels.scene import LEFT_EYE, RIGHT_EYE, SKIN, UPPER_TEETH
from train.portraits.picture.background import enlarged, sample_background
from train.portraits.picture.light import sample_lighting
from train.portraits.picture.photo import develop
from train.portraits.picture.raster import see, vertex_normals
from train.portraits.portrait import photograph, take_portrait
from train.portraits.recipe import UNITS, Recipe
from train.portraits.sitter import Sitter

NEUTRAL = {"eyeWideLeft": 0.2, "eyeWideRight": 0.2}
STILL = Recipe("neutral", {"neutral": NEUTRAL}, intensity=(1, 1), jitter=0, asymmetry=0, relight=0, photo=0, glasses=0)
AHEAD = Pose(0.0, 0.0, rotation(0, 0, 0), rotation(0, 0, 0))


# The head -------------------------------------------------------------------------------------------------------------


def test_subdividing_a_flat_grid_keeps_it_flat_and_whole():
    points = np.array([[x, y, 0.0] for y in range(3) for x in range(3)])
    quads = np.array([[0, 1, 4, 3], [1, 2, 5, 4], [3, 4, 7, 6], [4, 5, 8, 7]])
    matrix, smaller = catmull_clark(quads, len(points))
    assert matrix.shape == (9 + 12 + 4, 9)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    smooth = matrix @ points
    np.testing.assert_allclose(smooth[4], [1, 1, 0], atol=1e-12)  # the middle stays
    assert smooth[:, 2].max() == 0
    edges = smooth[smaller]
    cross = np.cross(edges[:, 1] - edges[:, 0], edges[:, 3] - edges[:, 0])[:, 2]
    assert (cross > 0).all(), "a new face is turned over"


def test_every_face_unit_moves_its_own_side(head):
    assert {f"unit/{unit}" for unit in UNITS} <= set(head.target)
    for unit in UNITS:
        moved = np.abs(head.targets[head.target[f"unit/{unit}"]].reshape(-1, 3)).sum(axis=1)
        assert moved.max() > 0, unit
        if unit.endswith(("Left", "Right")) and not unit.startswith(("jaw", "mouthLeft", "mouthRight")):
            middle = np.average(head.cage[:, 0], weights=moved)
            assert middle > 0 if unit.endswith("Left") else middle < 0, unit


# Who ------------------------------------------------------------------------------------------------------------------


def test_a_person_is_a_seed(head):
    once, again, other = (sample_identity(head, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(once.cage, again.cage)
    assert (once.hair, once.skin, once.eyes) == (again.hair, again.skin, again.eyes)
    assert np.abs(once.cage - other.cage).max() > 0.02


def test_the_share_of_glasses_changes_nothing_else_about_a_person(head):
    without, with_glasses = sample_identity(head, 7, glasses=0), sample_identity(head, 7, glasses=1)
    assert without.glasses is None
    assert with_glasses.glasses is not None
    assert dataclasses.replace(with_glasses, glasses=None, cage=without.cage) == without
    np.testing.assert_array_equal(with_glasses.cage, without.cage)


def test_as_many_men_wear_beards_as_the_recipe_says(head):
    def bearded(**share: float) -> int:
        return sum(bool(sample_identity(head, seed, **share).hair.beard) for seed in range(60))

    men = sum(sample_identity(head, seed).male for seed in range(60))
    assert bearded(beards=0) == 0
    assert bearded(beards=1) > 0.8 * men > 2 * bearded() > 0


@pytest.mark.parametrize("style", [*STYLES, "bald"])
def test_hair_of_every_style_leaves_the_face_free(head, style):
    person = sample_identity(head, 11)
    vertices = head.surface(person.cage)
    look: HairLook = dataclasses.replace(person.hair, style=style)
    strands = grow_hair(head, vertices, vertex_normals(vertices, head.triangles), look)
    if style == "bald":
        assert strands is None
        return
    assert np.isfinite(strands.points).all()
    x, y, z = (strands.points.reshape(-1, 3) - np.mean([vertices[head.masks["lips"] > 0.5].mean(axis=0)], axis=0)).T
    over_the_mouth = (np.abs(x) < 0.2) & (np.abs(y) < 0.15) & (z > -0.3)
    assert not over_the_mouth.any()
    eyes = np.mean([person.cage[ids].mean(axis=0) for ids in head.eyes.values()], axis=0)
    x, y, z = (strands.points.reshape(-1, 3) - eyes).T
    over_the_eyes = (np.abs(x) < 0.45) & (np.abs(y) < 0.1) & (z > 0)
    assert not over_the_eyes.any()


# What the face does ---------------------------------------------------------------------------------------------------


def test_a_performance_without_variation_has_the_recipes_weights():
    smile = {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.5, "jawOpen": 0.3}
    performed = perform(smile, STILL, AHEAD, np.random.default_rng(0)).units
    for unit, weight in smile.items():
        assert performed[unit] == pytest.approx(weight, abs=0.07), unit  # no face is ever quite still
    assert max(weight for unit, weight in performed.items() if unit not in smile) < 0.2


def test_performances_vary_within_bounds():
    recipe = dataclasses.replace(STILL, intensity=(0.8, 1.08), jitter=0.12, asymmetry=0.06)
    units = [perform({"jawOpen": 1.5}, recipe, AHEAD, np.random.default_rng(seed)) for seed in range(60)]
    jaws = np.array([expression.units["jawOpen"] for expression in units])
    assert jaws.max() <= HIGHEST
    assert jaws.std() > 0.1
    assert all(0.8 <= expression.intensity <= 1.08 for expression in units)


def test_lids_close_only_where_the_emotion_asks_for_it():
    squint = {"eyeSquintLeft": 0.8, "eyeSquintRight": 0.8, "eyeLookDownLeft": 0.4, "eyeLookDownRight": 0.4}
    wink = {"eyeBlinkRight": 1.0}

    def closed(emotion, side, seed):
        performed = perform(emotion, dataclasses.replace(STILL, jitter=0.1), AHEAD, np.random.default_rng(seed)).units
        return sum(share * performed.get(f"{name}{side}", 0) for name, share in LID_SHARES.items())

    asked = 0.8 * LID_SHARES["eyeSquint"] + 0.4 * LID_SHARES["eyeLookDown"]
    assert max(closed(squint, "Left", seed) for seed in range(40)) <= max(LIDS_OPEN, asked) + 1e-6
    assert min(closed(wink, "Right", seed) for seed in range(40)) > 0.7
    assert max(closed(wink, "Left", seed) for seed in range(40)) <= LIDS_OPEN + 1e-6


def test_eyes_look_for_the_camera_and_where_units_send_them():
    rng = np.random.default_rng
    turned = Pose(16.0, 0.0, rotation(16, 0, 0), rotation(0, 0, 0))
    gazes = [perform({}, STILL, turned, rng(seed)).gaze["left"][0] for seed in range(30)]
    assert -16 < np.mean(gazes) < -8
    aside = perform({"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}, STILL, AHEAD, rng(0)).gaze
    assert aside["left"][0] > 10
    assert aside["right"][0] > 10


# How it is seen -------------------------------------------------------------------------------------------------------


def test_portraits_lie_in_the_models_frame_and_the_face_finder_agrees(head):
    eyes, mouths, overlaps = [], [], []
    for seed in range(4):
        [(_, portrait)] = photograph(head, STILL, seed, 128)
        marks = np.array(portrait.landmarks) / 128
        eyes.append(marks[:2])
        mouths.append(marks[3:].mean(axis=0))
        x, y, side, _ = portrait.face_box
        found = find_faces(torch.from_numpy(portrait.image).movedim(-1, 0) / 255)[0]
        across = min(x + side, found.x + found.width) - max(x, found.x)
        down = min(y + side, found.y + found.height) - max(y, found.y)
        overlaps.append(across * down / (side**2 + found.width * found.height - across * down))
    np.testing.assert_allclose(np.mean(eyes, axis=0), [FRAME["left eye"], FRAME["right eye"]], atol=0.05)
    np.testing.assert_allclose(np.mean(mouths, axis=0), FRAME["mouth"], atol=0.05)
    assert min(overlaps) > 0.7


def test_a_picture_does_not_depend_on_the_other_emotions(head):
    smile = {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9}
    alone = dataclasses.replace(STILL, emotions={"neutral": NEUTRAL})
    more = dataclasses.replace(STILL, emotions={"smile": smile, "neutral": NEUTRAL})
    assert dict(photograph(head, alone, 3, 64))["neutral"].image.tobytes() == (
        dict(photograph(head, more, 3, 64))["neutral"].image.tobytes()
    )


def test_people_who_hold_still_change_nothing_but_their_expression(head):
    smile = {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9}
    moving = Recipe("neutral", {"neutral": NEUTRAL, "smile": smile}, relight=0.5, photo=0.5)
    for recipe, most in ((dataclasses.replace(moving, still=True), 5), (moving, 256)):
        calm, happy = (dict(photograph(head, recipe, 3, 64))[emotion].image.astype(int) for emotion in recipe.emotions)
        above = np.abs(calm - happy)[
            :6
        ].max()  # the picture's upper edge: background, and hair that the brows move a little
        assert above <= most
        assert recipe.still or above > 10
        assert np.abs(calm - happy)[34:56, 16:48].max() > 30


def test_one_identity_in_light_of_its_own(head):
    sitter = Sitter(head, sample_identity(head, 9))
    same = [take_portrait(sitter, STILL, "neutral", 64).image for _ in range(2)]
    np.testing.assert_array_equal(*same)
    relit = take_portrait(sitter, dataclasses.replace(STILL, relight=1.0), "neutral", 64).image
    assert np.abs(relit.astype(int) - same[0]).mean() > 5


def test_lights_and_backgrounds_are_fit_to_be_seen():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        lighting = sample_lighting(rng)
        np.testing.assert_allclose(np.linalg.norm(lighting.lights.direction, axis=1), 1, atol=1e-5)
        assert lighting.lights.colour.min() > 0
        assert lighting.lights.direction[0, 2] > 0, "the key light stands behind the head"
        background = enlarged(sample_background(rng), 48)
        assert background.shape == (48, 48, 3)
        assert 0 <= background.min() <= background.max() <= 1


def test_the_camera_leaves_a_picture_a_picture():
    picture = np.tile(np.linspace(40, 200, 64, dtype=np.uint8)[:, None, None], (1, 64, 3))
    for seed in range(10):
        developed, quality = develop(picture, np.random.default_rng(seed))
        assert (developed.dtype, developed.shape) == (np.uint8, picture.shape)
        assert 50 <= quality < 95
        assert np.corrcoef(developed.mean(axis=(1, 2)), picture.mean(axis=(1, 2)))[0, 1] > 0.98


# The check ------------------------------------------------------------------------------------------------------------


def seen_by_the_check(head, units: dict[str, float], asked: dict[str, float]) -> str | None:
    """What the check says to a face that wears `units` while its emotion asks for `asked`."""
    sitter = Sitter(head, sample_identity(head, 2))
    expression = perform(units, STILL, AHEAD, np.random.default_rng(0))
    surface = sitter.stage(expression, AHEAD).surface
    points = surface.position * [90, -90, 1] + [128, 128 + 90 * 7.2, 0]  # seen from infinitely far away
    visible = see(points.astype(np.float32), surface.triangles, 256)
    eyes = [
        points[surface.triangles[surface.material == eye]].reshape(-1, 3).mean(axis=0) for eye in (LEFT_EYE, RIGHT_EYE)
    ]
    return find_fault(visible, surface.material, np.array(eyes)[:, :2], points[sitter.lips, :2], asked)


def test_the_check_knows_shut_eyes_and_shown_teeth(head):
    shut = {"eyeBlinkLeft": 1.0}
    assert seen_by_the_check(head, {}, {}) is None
    assert seen_by_the_check(head, shut, {}) == "left eye shut"
    assert seen_by_the_check(head, shut, shut) is None
    grin = {"mouthUpperUpLeft": 0.9, "mouthUpperUpRight": 0.9, "jawOpen": 0.2}
    assert seen_by_the_check(head, grin, {}) == "teeth through the face"
    assert seen_by_the_check(head, grin, grin) is None


def test_teeth_are_behind_the_lips_of_a_closed_mouth(head):
    """MakeHuman's own teeth are wider than its mouth: the studio's are fitted to it."""
    teeth = head.rest[np.unique(head.triangles[head.material == UPPER_TEETH])]
    skin = np.unique(head.triangles[head.material == SKIN])
    lips = head.rest[skin[head.masks["lips"][skin] > 0.5]]
    assert np.abs(teeth[:, 0]).max() < np.abs(lips[:, 0]).max() + 0.01


@pytest.mark.parametrize("yaw", [-25, 40])
def test_a_head_that_is_turned_aside_is_framed_as_the_finder_frames_it(head, monkeypatch, yaw):
    """The frame of the head itself would be a tenth to a fifth too large, and 5 to 8 % to one side."""
    monkeypatch.setattr("train.portraits.portrait.sample_pose", lambda rng, turn: held(yaw, 0, 0))
    [(_, portrait)] = photograph(head, STILL, seed=5, size=256)
    frames = []
    for box in (find_faces(torch.from_numpy(portrait.image).movedim(-1, 0) / 255)[0], Box(*portrait.face_box)):
        frames.append(frame_of_face(box))
        assert frames[-1].side == pytest.approx(256, rel=0.06)
    assert frames[0].centre == pytest.approx((128, 128), abs=0.03 * 256)


def test_heads_are_turned_as_far_as_their_recipe_says():
    poses = {turn: [sample_pose(np.random.default_rng(seed), turn).yaw for seed in range(200)] for turn in (7.5, 22)}
    assert 15 < max(map(abs, poses[7.5])) <= 18
    assert 45 < max(map(abs, poses[22])) <= 52.8
    assert np.std(poses[22]) == pytest.approx(22, rel=0.15)


@pytest.mark.parametrize(("yaw", "found"), [(35, True), (75, False)])
def test_the_finder_says_that_a_head_is_seen_from_the_side(head, monkeypatch, yaw, found):
    """Of a profile the model knows nothing, so it is refused, and the sentence says why."""
    pose = Pose(yaw, 0.0, rotation(yaw, 0, 0), rotation(yaw / 3, 0, 0))
    monkeypatch.setattr("train.portraits.portrait.sample_pose", lambda rng, turn: pose)
    monkeypatch.setattr("train.portraits.sitter.FURTHER", 90)  # all of the head is to be seen
    [(_, portrait)] = photograph(head, STILL, seed=5, size=192)
    picture = torch.from_numpy(np.pad(portrait.image, ((64, 64), (64, 64), (0, 0)), mode="edge")).movedim(-1, 0) / 255
    doubts: list[Doubt] = []
    assert bool(find_faces(picture, doubts=doubts)) == found
    if not found:
        assert "is seen too far from the side" in str(no_face(doubts))
