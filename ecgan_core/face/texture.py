"""Skin that matches: what is finer than the model's pixels, synthesised from the visible skin of the same face.

A face that is larger in its picture than in the model comes back without pores, stubble, grain and JPEG noise. What the
visible skin has of these, as a spectrum and as strengths by place, is given to noise, which is added to what was filled
in. All of it is learnt from the picture and its hole, never from what was drawn: a shift or a sweep keeps its texture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..pipeline import PARTLY_MISSING
from .frame import Frame
from .light import luma
from .stitch import Region

# Windows of a tenth of the frame, a cell apart from each other.
CELLS = 40  # along a side of the frame
WINDOW = 4  # cells along a side of a window
FACE = (0.52, 0.68, 0.05)  # semi-axes of the ellipse that is face, and how far below the middle it lies: half frames
MOST_WINDOWS = 24  # that a spectrum is taken from
# What is not plain skin: other colours than usual, shading from cell to cell, much that is fine.
UNUSUAL, SHADED, ROUGH = 2.0, 0.5, 0.125

OF_MEAN = math.exp(-0.5772)  # the geometric mean of noise's periodogram, in its means
TOGETHER = 0.75  # correlation from which on one noise does for all channels
GRAIN = 0.1  # in the dark strength falls no further than at this brightness: there is grain as well as skin
STRONGEST = 0.06  # share of the brightness
EVEN = 0.15  # shading from cell to cell from which on a strength says little about skin
NEAR, FAR = 0.12, 1e-4  # sides of the frame over which a strength counts, and what it counts beyond them
MARGIN = 16  # pixels of noise around a region: at its edges filtered noise depends on how large it is
STRIP = 64  # pixels across that have a seed together
OTHER_COLOUR, BRIGHTER = 0.7, 0.6  # how far from skin's colour and brightness lips and teeth have less of its texture


@dataclass(frozen=True)
class SkinTexture:
    """What the fine texture of visible skin is like.

    Args:
        spectrum: amplitude [3,K] of each channel at k / `window` cycles a pixel, in any direction, of noise whose
            brightness has the variance 1.
        together: correlation of the channels, 0..1.
        window: pixels along a side of the windows.
        larger: how many pixels of the picture the model's pixels are wide; what is finer is texture.
        places: x and y [N,2] in the picture of the windows' middles.
        strengths: standard deviation [N] in a window, as a share of its brightness.
        weights: how much that says about skin [N], 0..1.
        colour: of plain skin [3]; None if none was visible, and the texture is the grain of something else.
    """

    spectrum: Tensor
    together: float
    window: int
    larger: float
    places: Tensor
    strengths: Tensor
    weights: Tensor
    colour: Tensor | None


def visible_texture(picture: Tensor, hole: Tensor, frame: Frame, size: int) -> SkinTexture | None:
    """The texture of the face in `frame` of a picture [3,H,W] where a hole [1,H,W] leaves it visible.

    None where there is none: the face is not larger than the model's `size` pixels, or nothing of its frame is visible.
    Where that is no skin, it is the grain of what there is.
    """
    cell = frame.side // CELLS
    if frame.side <= size or cell < 2:
        return None
    rows, columns = frame.inside(*picture.shape[-2:])
    part, larger, window = picture[:, rows, columns].contiguous(), frame.side / size, WINDOW * cell
    if min(part.shape[-2:]) < window:
        return None
    bright = luma(part)[None]
    energy = _fine(bright, larger).square()
    hidden = (hole[:, rows, columns] > PARTLY_MISSING).to(part)
    grid = F.avg_pool2d(torch.cat([part, hidden, energy])[None], cell)[0]
    grid[4] = grid[4].clamp(min=1e-10).rsqrt()  # harmonic means: in some cells of a window there may be a wrinkle
    means = F.avg_pool2d(torch.cat([grid, _slope(luma(grid[:3]))]), WINDOW, stride=1)

    visible = means[3] == 0
    corners = visible.nonzero() * cell
    if not len(corners):
        return None
    middles = corners.flip(1) + window / 2 + torch.tensor([columns.start, rows.start], device=part.device)
    of_face = _in_face(middles, frame)
    chosen = of_face if of_face.any() else ~of_face
    colours, strengths, shading = (values[:, visible][:, chosen] for values in (means[:3], means[4:5], means[5:]))
    corners, middles = corners[chosen], middles[chosen]
    brightness = luma(colours) + GRAIN
    strengths, shading = 1 / (strengths[0] * brightness), shading[0] / brightness

    hues = colours / luma(colours).clamp(min=GRAIN / 5)
    unusual = (hues - hues.median(dim=1, keepdim=True).values).abs().sum(dim=0)
    order = (unusual / UNUSUAL + shading / SHADED + strengths / ROUGH).argsort()
    plainest = order[: max(1, min(MOST_WINDOWS, len(order) // 3))]
    spectrum, together = _spectrum(part, corners[plainest], window, larger)
    if not spectrum.isfinite().all():  # of values whose squares are beyond all bounds
        return None
    return SkinTexture(
        spectrum,
        together,
        window,
        larger,
        middles,
        strengths.clamp(1e-6, STRONGEST),
        torch.exp(-((shading / EVEN) ** 2)),
        colours[:, plainest].mean(dim=1) if of_face.any() else None,
    )


def textured(
    fill: Tensor, texture: SkinTexture, frame: Frame, region: Region, seed: int, amount: float = 1.0
) -> Tensor:
    """What fills a region of the picture [3,h,w], with the texture on it.

    The noise follows from the seed and lies from the region's upper left corner on: over a clip it holds still while a
    region grows. `amount`: 1 is as strong as the texture that is visible.
    """
    soft = _in_pixels(fill, texture.larger)
    strength = _strength(texture, region, frame, soft.shape[-2:]) * (luma(soft) + GRAIN)
    if texture.colour is not None:
        strength = strength * _likeness(soft, texture.colour)
    return fill + _enlarged(amount * strength[None], fill.shape[-2:]) * _noise(texture, fill, seed)


def _in_pixels(part: Tensor, larger: float) -> Tensor:
    """Pictures [...,h,w] in pixels that are so much larger."""
    size = [max(1, round(length / larger)) for length in part.shape[-2:]]
    small = F.interpolate(part.reshape(-1, 1, *part.shape[-2:]), size=size, mode="bilinear", antialias=True)
    return small.view(*part.shape[:-2], *size)


def _enlarged(small: Tensor, size: Sequence[int]) -> Tensor:
    """Pictures [...,h,w] at a larger size."""
    large = F.interpolate(small.reshape(-1, 1, *small.shape[-2:]), size=tuple(size), mode="bilinear")
    return large.view(*small.shape[:-2], *size)


def _fine(part: Tensor, larger: float) -> Tensor:
    """What of pictures [...,h,w] is finer than pixels that are so much larger."""
    return part - _enlarged(_in_pixels(part, larger), part.shape[-2:])


def _in_face(places: Tensor, frame: Frame) -> Tensor:
    """Which of some places [N,2], x and y in the picture, are surely in the face."""
    (x, y), turn = frame.centre, math.radians(frame.roll)
    right, below = places[:, 0] - x, places[:, 1] - y
    across = right * math.cos(turn) + below * math.sin(turn)
    down = below * math.cos(turn) - right * math.sin(turn)
    width, height, lower = (share * frame.side / 2 for share in FACE)
    return (across / width).square() + ((down - lower) / height).square() <= 1


def _slope(brightness: Tensor) -> Tensor:
    """How steep brightness [h,w] is, a step, [1,h,w]."""
    return torch.stack(torch.gradient(brightness)).norm(dim=0, keepdim=True)


def _spectrum(part: Tensor, corners: Tensor, window: int, larger: float) -> tuple[Tensor, float]:
    """`SkinTexture.spectrum` and `together` of windows with corners [N,2] (row, column): what most of them have."""
    steps = torch.arange(window, device=part.device)
    rows, columns = (corners[:, i, None] + steps for i in (0, 1))
    windows = _fine(part[:, rows[:, :, None], columns[:, None, :]], larger)
    alike = windows / windows.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-6)
    together = float((3 * alike.mean(dim=0).square().mean() - 1) / 2)

    fade = torch.hann_window(window + 2, periodic=False, device=part.device)[1:-1]
    power = torch.fft.rfft2(windows * fade[:, None] * fade).abs().square()
    energy = luma(windows).square().mean(dim=(1, 2)) * fade.square().mean() ** 2 * window**2
    power = power / energy[:, None, None].clamp(min=1e-12)
    usual = power.clamp(min=1e-12).log().mean(dim=1).exp() / OF_MEAN
    across, down = (f(window, 1 / window, device=part.device) for f in (torch.fft.rfftfreq, torch.fft.fftfreq))
    ring = (down[:, None].square() + across.square()).sqrt().round().long().flatten()
    sums = torch.zeros(3, int(ring.max()) + 1, device=part.device).index_add_(1, ring, usual.flatten(1))
    return (sums / ring.bincount()).sqrt(), min(1.0, max(0.0, together))


def _noise(texture: SkinTexture, like: Tensor, seed: int) -> Tensor:
    """Noise [3,h,w] of a texture's spectrum."""
    height, width = like.shape[-2:]
    tall, wide = (16 * math.ceil((n + 2 * MARGIN) / 16) for n in (height, width))  # quick to transform
    if texture.together < TOGETHER:
        white, own = _white(4, tall, wide, seed).split([1, 3])
        white = math.sqrt(texture.together) * white + math.sqrt(1 - texture.together) * own
    else:
        white = _white(1, tall, wide, seed)
    frequencies = torch.fft.fftfreq(tall)[:, None].square() + torch.fft.rfftfreq(wide).square()
    last = texture.spectrum.shape[1] - 1
    place = (frequencies.sqrt() * texture.window).clamp(max=last).to(like.device)
    low = place.floor().long()
    amplitude = torch.lerp(texture.spectrum[:, low], texture.spectrum[:, (low + 1).clamp(max=last)], place - low)
    filtered = torch.fft.rfft2(white.to(like.device)) * amplitude
    noise = torch.fft.irfft2(filtered, s=(tall, wide))
    return noise[:, MARGIN : MARGIN + height, MARGIN : MARGIN + width]


def _white(channels: int, tall: int, wide: int, seed: int) -> Tensor:
    """White noise [channels,tall,wide] of up to 4 channels; what is larger, or has more, begins with what is smaller.

    It is drawn in strips, each with a seed of its own: drawn at once, noise of another width would be all another.
    """
    generator = torch.Generator().manual_seed(seed % 2**64)
    seeds = torch.randint(2**63 - 1, (math.ceil(wide / STRIP), 4), generator=generator).tolist()
    strips = [
        torch.stack([torch.randn(tall, STRIP, generator=generator.manual_seed(own)) for own in of_strip[:channels]])
        for of_strip in seeds
    ]
    return torch.cat(strips, dim=2)[:, :, :wide]


def _strength(texture: SkinTexture, region: Region, frame: Frame, size: Sequence[int]) -> Tensor:
    """The strengths around a region carried into it, [h,w] of any size: of those near, the harmonic mean of plain skin.

    They change slowly: a few places are enough.
    """
    rows, columns = region
    few = [2 + n // (texture.window // WINDOW) for n in (rows.stop - rows.start, columns.stop - columns.start)]
    y, x = (torch.linspace(s.start, s.stop, n) for s, n in zip(region, few, strict=True))
    places = torch.cartesian_prod(y, x).flip(1).to(texture.places)
    away = torch.cdist(places, texture.places) / frame.side
    weights = texture.weights * (torch.exp(-((away / NEAR) ** 2) / 2) + FAR) + 1e-12
    strengths = weights.sum(dim=1) / (weights / texture.strengths).sum(dim=1)
    return _enlarged(strengths.view(1, *few), size)[0]


def _likeness(soft: Tensor, skin: Tensor) -> Tensor:
    """How much colours [3,h,w] are those of skin [3], 0..1: less where their hue is another or they are brighter."""
    brightness, usual = luma(soft), luma(skin)
    as_bright = skin[:, None, None] * (brightness / usual.clamp(min=1e-6))
    hue = (soft - as_bright).abs().sum(dim=0) / (brightness + GRAIN)
    brighter = ((brightness - usual) / (usual + GRAIN)).clamp(min=0)
    return torch.exp(-((hue / OTHER_COLOUR) ** 2) - (brighter / BRIGHTER) ** 2)
