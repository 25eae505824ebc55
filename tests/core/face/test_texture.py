"""What is finer than the model's pixels, taken from visible skin."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data

from ecgan_core.face.frame import Box, Frame
from ecgan_core.face.portrait import PortraitLatent, complete_portraits, render, shift_portraits
from ecgan_core.face.regions import region_hole
from ecgan_core.face.stitch import extent
from ecgan_core.face.texture import textured, visible_texture

SIDE, SIZE = 512, 128
FRAME = Frame(30, 20, SIDE)
SKIN = torch.tensor([0.7, 0.5, 0.4])[:, None, None]
MOUTH = region_hole(FRAME, 560, 580, "mouth")


def grain(strength: float, blur: float = 0.0, seed: int = 1) -> torch.Tensor:
    """Noise [1,560,580] of a standard deviation, blurred by a box of some pixels."""
    noise = torch.randn(1, 560, 580, generator=torch.Generator().manual_seed(seed))
    if blur:
        noise = F.avg_pool2d(noise[None], 3, stride=1, padding=1)[0]
    return strength * noise / noise.std()


def added(picture: torch.Tensor, fill: torch.Tensor, hole: torch.Tensor = MOUTH, seed: int = 3, **how) -> torch.Tensor:
    """The texture that a fill [3,560,580] gets where the hole is, [3,h,w]."""
    texture = visible_texture(picture, hole, FRAME, SIZE)
    assert texture is not None
    rows, columns = region = extent(hole, FRAME.inside(560, 580))
    part = fill[:, rows, columns]
    return textured(part, texture, FRAME, region, seed, **how) - part


@pytest.mark.parametrize("strength", [0.004, 0.012])
def test_it_is_as_strong_as_that_of_the_skin_around(strength: float):
    texture = added(SKIN + grain(strength), SKIN.expand(3, 560, 580))
    assert texture.std() == pytest.approx(strength, rel=0.2)
    assert texture.mean().abs() < 0.1 * strength


def test_it_has_the_spectrum_of_that_skin():
    def coarse_share(noise: torch.Tensor) -> float:
        return (F.avg_pool2d(noise[None], 2).std() / noise.std()).item()

    for blur in (0.0, 3.0):
        skin = grain(0.01, blur)
        fine = (
            skin
            - F.interpolate(
                F.interpolate(skin[None], scale_factor=0.25, mode="bilinear", antialias=True),
                size=(560, 580),
                mode="bilinear",
            )[0]
        )
        assert coarse_share(added(SKIN + skin, SKIN.expand(3, 560, 580))[:1]) == pytest.approx(
            coarse_share(fine), rel=0.15
        )


@pytest.mark.parametrize("larger", [(300, 320), (317, 310), (480, 400)])
@pytest.mark.parametrize("channels", ["together", "each its own"])
def test_it_holds_still_while_a_region_grows(channels: str, larger: tuple[int, int]):
    """As that of a face that comes nearer in a clip."""
    seeds = [1, 1, 1] if channels == "together" else [1, 2, 3]
    texture = visible_texture(SKIN + torch.cat([grain(0.01, 3.0, seed) for seed in seeds]), MOUTH, FRAME, SIZE)
    assert texture is not None

    def added_to(height: int, width: int) -> torch.Tensor:
        region = slice(60, 60 + height), slice(60, 60 + width)
        return (textured(SKIN.expand(3, height, width), texture, FRAME, region, 3) - SKIN)[:, :300, :300]

    before, after = added_to(300, 300), added_to(*larger)
    assert before.std() > 0.005
    assert (after - before).std() < 0.03 * before.std()
    assert (after - before)[:, 32:-32, 32:-32].abs().max() < 0.1 * before.std()


def test_it_is_strong_where_the_skin_nearby_is_rough():
    """Stubble on one side of the mouth."""
    across = torch.linspace(-1, 1, 580).expand(1, 560, 580)
    texture = added(SKIN + grain(0.01) * torch.where(across > 0, 2.0, 0.5), SKIN.expand(3, 560, 580))
    width = texture.shape[-1] // 4
    assert texture[..., -width:].std() > 2 * texture[..., :width].std()


def test_it_follows_the_light_and_spares_teeth_and_lips():
    picture = SKIN + grain(0.01)
    usual = added(picture, SKIN.expand(3, 560, 580)).std()
    shadow = added(picture, 0.3 * SKIN.expand(3, 560, 580)).std()
    teeth = added(picture, torch.full((3, 560, 580), 0.95)).std()
    lips = added(picture, torch.tensor([0.75, 0.3, 0.35])[:, None, None].expand(3, 560, 580)).std()
    assert 0.3 * usual < shadow < 0.7 * usual
    assert teeth < 0.35 * usual
    assert lips < 0.75 * usual


def test_an_edge_across_the_skin_is_not_taken_for_texture():
    picture = SKIN + grain(0.005)
    picture[:, 220:224] = 0.1  # the rim of glasses
    picture[:, :, 180:182] = 0.1
    assert added(picture, SKIN.expand(3, 560, 580)).std() == pytest.approx(0.005, rel=0.35)


def test_there_is_none_where_the_model_has_as_many_pixels_or_nothing_is_visible():
    picture = SKIN + grain(0.01)
    assert visible_texture(picture, MOUTH, FRAME, SIDE) is None
    assert visible_texture(picture, torch.ones_like(MOUTH), FRAME, SIZE) is None
    assert visible_texture(picture, MOUTH, Frame(0, 0, 60), 32) is None, "a window of some pixels says nothing"
    assert visible_texture(1e30 * picture, MOUTH, FRAME, SIZE) is None, "numbers whose squares are none"
    nearly = visible_texture(picture, MOUTH, FRAME, SIDE - 8)
    assert nearly is None or nearly.strengths.max() < 0.012


def test_grain_is_found_where_no_skin_is_visible():
    texture = added(SKIN + grain(0.01), SKIN.expand(3, 560, 580), region_hole(FRAME, 560, 580, "whole face"))
    assert texture.std() == pytest.approx(0.01, rel=0.25)


def test_a_turned_face_has_it_too():
    frame = Frame(30, 20, SIDE, roll=35)
    texture = visible_texture(SKIN + grain(0.01), region_hole(frame, 560, 580, "mouth"), frame, SIZE)
    assert texture is not None
    assert texture.colour is not None


# In pictures ---


@pytest.fixture(scope="module")
def portrait() -> torch.Tensor:
    """The astronaut, five times as large as the model's pixels and with grain, [1,3,900,900]."""
    image = Image.fromarray(data.astronaut()[:300, 70:370]).resize((900, 900), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    return (pixels + 0.02 * torch.randn(1, 1, 900, 900, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


@pytest.fixture(scope="module")
def mouth() -> torch.Tensor:
    hole = torch.zeros(1, 1, 900, 900)
    hole[:, :, 390:480, 390:555] = 1
    return hole


BOX = Box(312, 201, 309, 309)


def fine(picture: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
    """The grain of pictures [B,3,H,W] in a hole, well inside it: the strength of what is finer than three pixels."""
    inside = F.max_pool2d(1 - hole, 25, stride=1, padding=12)[0, 0] == 0
    return (picture - F.avg_pool2d(picture, 3, stride=1, padding=1))[:, :, inside].std(dim=(1, 2))


@pytest.mark.slow
def test_a_filled_hole_has_the_grain_of_its_picture(bundled, portrait, mouth):
    smooth, grainy = (
        render(bundled, complete_portraits(bundled, portrait, mouth, boxes=BOX, texture=texture))
        for texture in (0.0, 1.0)
    )
    outside = (mouth == 0).expand_as(portrait)
    assert torch.equal(grainy[outside], portrait[outside])
    around = fine(portrait, (torch.roll(mouth, 40, 2)))
    assert fine(smooth, mouth) < 0.7 * around, "of edges"
    assert 0.8 * around < fine(grainy, mouth) < 1.2 * around
    half = render(bundled, complete_portraits(bundled, portrait, mouth, boxes=BOX, texture=0.5))
    torch.testing.assert_close(half - smooth, (grainy - smooth) / 2, atol=0.02, rtol=0)


def test_a_shift_keeps_the_texture(bundled, portrait, mouth):
    def textures(strength: float) -> torch.Tensor:
        grainy, smooth = (
            render(bundled, shift_portraits(bundled, latent, bundled.vector("happy"), strength))
            for latent in (with_texture, without)
        )
        return (grainy - smooth)[:, :, 400:470, 400:540].flatten()

    with_texture, without = (
        complete_portraits(bundled, portrait, mouth, boxes=BOX, emotion="neutral", texture=texture)
        for texture in (1.0, 0.0)
    )
    at_0, at_1 = textures(0.0), textures(1.0)
    assert not torch.equal(at_0, at_1), "it follows the fill's light"
    assert torch.corrcoef(torch.stack([at_0, at_1]))[0, 1] > 0.95


def test_each_sample_has_its_own_whatever_the_batch(bundled, portrait, mouth):
    latent = complete_portraits(bundled, portrait, mouth, boxes=BOX, samples=3, seeds=5)
    assert latent.seeds == (5, 6, 7)
    pictures = render(bundled, latent)
    alone = render(bundled, complete_portraits(bundled, portrait, mouth, boxes=BOX, seeds=6))
    assert torch.equal(pictures[1], alone[0]), "bit for bit on the CPU"
    assert torch.equal(render(bundled, latent[1:])[0], pictures[1])
    other = render(bundled, complete_portraits(bundled, portrait, mouth, boxes=BOX, seeds=6, variation=0.0))
    same = render(bundled, complete_portraits(bundled, portrait, mouth, boxes=BOX, seeds=7, variation=0.0))
    assert not torch.equal(other, same), "one face, two grains"


@pytest.mark.slow
def test_alive_each_picture_of_a_clip_has_its_own_and_keeps_it(bundled, portrait, mouth, tmp_path):
    def clip(frames: int, **how) -> PortraitLatent:
        return complete_portraits(bundled, portrait.expand(frames, -1, -1, -1), mouth, boxes=BOX, seed=5, **how)

    latent = clip(2, samples=2, texture_alive=True)
    alive, steady, smooth = (render(bundled, each) for each in (latent, clip(2), clip(1, samples=2, texture=0)))
    assert torch.equal(steady[1], steady[0])
    assert torch.equal(alive[0], steady[0])
    textures = (alive - smooth.repeat(2, 1, 1, 1))[:, :, 400:470, 400:540].flatten(1)
    assert (torch.corrcoef(textures) - torch.eye(4)).abs().max() < 0.1, "each sample and frame has another"
    assert (textures.std(dim=1) / textures[0].std() - 1).abs().max() < 0.1

    assert torch.equal(render(bundled, latent[3])[0], alive[3])
    latent[3].save(tmp_path / "latent.safetensors")
    assert torch.equal(render(bundled, PortraitLatent.load(tmp_path / "latent.safetensors"))[0], alive[3])
    assert shift_portraits(bundled, latent, bundled.vector("happy"), 1.0).seeds == latent.seeds


def test_texture_and_light_survive_their_file(bundled, portrait, mouth, tmp_path):
    dark = complete_portraits(bundled, 0.2 * portrait.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1), mouth, boxes=BOX)
    assert dark.lights[0].exposure
    assert dark.lights[0].tint
    dark.save(tmp_path / "dark.safetensors")
    loaded = PortraitLatent.load(tmp_path / "dark.safetensors")
    assert (loaded.asked.texture, loaded.seeds, loaded.lights) == (1.0, dark.seeds, dark.lights)
    assert torch.equal(render(bundled, loaded), render(bundled, dark))
