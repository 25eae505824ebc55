"""A fill belongs to its picture's light, and the networks see what they know; with the model that is bundled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from ecgan_core.face.frame import Frame
from ecgan_core.face.light import Light, light_of, luma
from ecgan_core.face.portrait import complete_portraits, render
from ecgan_core.face.regions import region_hole

from ...test_workflows import FOLDER

FACE = Frame(158, 48, 132)  # of the astronaut
PARTS = ("mouth", "lower face", "whole face")


def photograph() -> torch.Tensor:
    """The astronaut's face alone, [3,256,256] in 0..1."""
    x, y, side = FACE.x, FACE.y, FACE.side
    return from_image(Image.fromarray(data.astronaut()[y : y + side, x : x + side]))


def rendered() -> torch.Tensor:
    return from_image(Image.open(FOLDER / "input" / "face-1.jpg"))


def from_image(image: Image.Image) -> torch.Tensor:
    pixels = np.array(image.convert("RGB").resize((256, 256), Image.Resampling.BICUBIC))
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def as_bytes(picture: torch.Tensor) -> torch.Tensor:
    """As it would be read from a file."""
    return (picture * 255).round().clamp(0, 255) / 255


def hole_of(part: str) -> torch.Tensor:
    return region_hole(Frame(0, 0, 256), 256, 256, part)


def completed(pipeline, picture: torch.Tensor, part: str, **settings) -> tuple[torch.Tensor, torch.Tensor]:
    """A completed picture [3,256,256], and where it is all new [256,256]."""
    latent = complete_portraits(
        pipeline, picture[None], hole_of(part)[None], emotion="happy", face="whole image", variation=0.5, **settings
    )
    return render(pipeline, latent)[0], latent.changed[0, 0] == 1


def visible(part: str) -> torch.Tensor:
    """The visible face; of a whole face that is missing, all that is visible."""
    around = hole_of(part)[0] == 0
    return around if part == "whole face" else around & (hole_of("whole face")[0] == 1)


SEPIA = torch.tensor([1.07, 0.99, 0.84])[:, None, None]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("picture", [photograph, rendered])
def test_black_and_white_stays_so(bundled, picture: Callable[[], torch.Tensor], part: str):
    grey = as_bytes(luma(picture())).expand(3, -1, -1)
    result, new = completed(bundled, grey, part)
    colour = (result.amax(dim=0) - result.amin(dim=0))[new].max() * 255
    assert colour <= 2
    step = grey.shape[-1] // bundled.frame_size
    face, hole = 2 * grey[None, :, ::step, ::step] - 1, 1.0 * (hole_of(part)[None, :, ::step, ::step] > 0)
    plain = bundled.decode(bundled.complete(face, hole, emotion="happy", seeds=[0]))
    assert (plain.amax(dim=1) - plain.amin(dim=1)).max() * 127.5 > 2, "the networks alone would give it colour"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("picture", [photograph, rendered])
def test_sepia_stays_sepia(bundled, picture: Callable[[], torch.Tensor], part: str):
    sepia = as_bytes(luma(picture()) * SEPIA * 0.9)
    result, new = completed(bundled, sepia, part)
    tone = SEPIA / luma(SEPIA)
    off = (result - luma(result) * tone).abs().amax(dim=0)[new] * 255
    assert off.quantile(0.99) <= 4


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("exposure", [0.3, 0.1, 4.0, 30.0])
@pytest.mark.parametrize("picture", [photograph, rendered])
def test_a_dark_or_very_bright_face_is_completed_within_its_range(bundled, picture, exposure: float, part: str):
    usual = picture()
    changed = usual * exposure if exposure > 1 else as_bytes(usual * exposure)
    (result, new), (as_usual, _) = completed(bundled, changed, part), completed(bundled, usual, part)
    brightness = luma(result)
    assert brightness[new].max() <= 1.05 * luma(changed)[visible(part)].max()
    likewise = exposure * luma(as_usual)[new]
    assert brightness[new].mean() == pytest.approx(likewise.mean().item(), rel=0.15)
    assert np.corrcoef(brightness[new], likewise)[0, 1] > 0.95, "the same face in another light"
    outside = hole_of(part)[0] == 0
    assert torch.equal(result[:, outside], changed[:, outside])


@pytest.mark.parametrize("factor", [1.0, 0.8, 0.6])
@pytest.mark.parametrize("picture", [photograph, rendered])
def test_within_what_photographs_have_nothing_is_unusual(picture, factor: float):
    for part in PARTS:
        crop, hole = (factor * picture())[:, ::2, ::2], hole_of(part)[:, ::2, ::2]
        light = light_of(crop, hole)
        assert light == Light()
        assert torch.equal(light.shown(crop), crop)
        assert light.given_back(crop) is crop


def test_it_begins_little_by_little():
    """A fade to black or to white has no frame in which the face jumps."""
    crop, hole = photograph()[:, ::2, ::2], hole_of("mouth")[:, ::2, ::2]
    drawn = rendered()[:, ::2, ::2]
    factors = torch.cat([torch.linspace(0.55, 0.3, 60), torch.linspace(0.9, 2.0, 60)]).tolist()
    back = torch.stack([light_of(factor * crop, hole).given_back(drawn) / factor for factor in factors])
    assert back[:60].diff(dim=0).abs().amax(dim=(1, 2, 3)).max() < 0.2
    assert back[60:].diff(dim=0).abs().amax(dim=(1, 2, 3)).max() < 0.2


def test_what_is_shown_and_given_back_is_the_same():
    crop, hole = 0.2 * photograph()[:, ::2, ::2], hole_of("mouth")[:, ::2, ::2]
    light = light_of(crop, hole)
    shown = light.shown(crop)
    assert 0.7 < shown.max() < 1, "nothing is clipped"
    assert shown.median() > 3 * crop.median()
    below = luma(crop) < 0.7 * luma(crop).max()
    torch.testing.assert_close(light.given_back(shown)[:, below], crop[:, below], atol=1e-5, rtol=0)


def test_black_pictures_and_holes_without_anything_around_them():
    hole = hole_of("mouth")[:, ::2, ::2]
    black = torch.zeros(3, 128, 128)
    assert light_of(black, hole).exposure is None, "it might be anything"
    assert light_of(black, torch.ones(1, 128, 128)) == Light()
    for extreme in (0.01, 1e30):
        crop = extreme * photograph()[:, ::2, ::2]
        light = light_of(crop, hole)
        for values in (light.shown(crop), light.given_back(torch.ones(3, 128, 128))):
            assert values.isfinite().all()


def test_a_light_survives_its_file():
    light = light_of(0.2 * luma(photograph()).expand(3, -1, -1), hole_of("mouth"))
    assert light.exposure
    assert light.tint
    assert Light.from_entry(asdict(light)).given_back(photograph()).equal(light.given_back(photograph()))
    for broken in ({"gain": -1.0}, {"top": float("nan")}, {"knee": None}):
        entry = asdict(light)
        entry["exposure"] |= broken
        with pytest.raises((TypeError, ValueError)):
            Light.from_entry(entry)
    with pytest.raises((TypeError, ValueError)):
        Light.from_entry({"exposure": None, "tint": {"knots": [[0, 1]], "share": 1}})
