"""A fill belongs to its picture's light: very dark and very bright (HDR) pictures, black and white, sepia, soft ones.

The networks know photographs in colour that are sharp and exposed as photographs are. A face far outside of that is
shown to them as if it were exposed so, and what they draw is given back; where a picture has one tint, so has what is
filled in, and where it is soft, that is soft. For a picture within what photographs have nothing changes, bit for bit.
On request what is filled in takes on the broad colour around it, too.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .focus import SOFTEST, blurred, gaussian, softness
from .holes import REGIONS, pixel_grid

LUMA = (0.2126, 0.7152, 0.0722)  # Rec. 709

# The brightest of a visible face: in each of 1,246 photographs it is .54 or more (`docs/experiments.md`).
DARK, BRIGHT = (0.45, 0.35), (1.01, 1.5)  # where a change of exposure begins, and where it is complete
BRIGHTEST = 0.995  # the share of the visible face that is darker
LEAST_SKIN = 0.35  # brightness that half the visible face keeps, when a bright picture has brighter lights on it still
MOST_GAIN = 20.0
BLACK = 2 / 255  # what is no brighter says nothing about exposure
KNEE = 0.8  # above it brightness is compressed, so that nothing is clipped
LEAST_FACE = 0.05  # share of the face's ellipse that must be visible to judge by; else all that is visible counts

# Colours of one tint are a function of brightness; how far the others stray from it, r.m.s. In 11 black-and-white and
# sepia portraits of the same 1,246 it is 1.0 to 2.4 of 255, in those with any colour 3.0 or more.
ONE_TINT = (3.0 / 255, 2.3 / 255)
KNOTS = 16  # of that function
LEAST_PIXELS = 64

DRAWN_SOFTNESS = 1.0  # pixels of the model: the width of the edges that networks draw
RIM = 4  # pixels about a hole whose edges are the mask's: what is painted there may be anything

LARGEST = 1e9  # number of a light; none is smaller than 1 / LARGEST


def luma(colours: Tensor) -> Tensor:
    """Brightness [...] of colours [3,...], of the stored values: none is made linear."""
    return LUMA[0] * colours[0] + LUMA[1] * colours[1] + LUMA[2] * colours[2]


@dataclass(frozen=True)
class Exposure:
    """How a face is shown to the networks: times `gain`, and what is then above `knee` compressed to below 1.

    What is given back stays below the brightness `top` and the value `brightest`, in the picture's range.
    """

    gain: float
    knee: float
    top: float
    brightest: float

    def shown(self, face: Tensor) -> Tensor:
        return _compressed((face * self.gain).clamp(min=0), self.knee)

    def given_back(self, drawn: Tensor) -> Tensor:
        room = 1 - self.knee
        above = 2 * self.knee - 1 + room**2 / (1 - drawn).clamp(min=room / 100)
        colours = torch.where(drawn > self.knee, above, drawn) / self.gain
        brightness = luma(colours).clamp(min=1e-9)
        return colours * (self.top * _compressed(brightness / self.top, KNEE) / brightness)


@dataclass(frozen=True)
class Tint:
    """The colours of a picture that has one for each brightness: (brightness, red, green, blue) of some, in order.

    Red, green and blue are told less the brightness. `share`: how much of their own colour others lose, 0..1.
    """

    knots: tuple[tuple[float, float, float, float], ...]
    share: float

    def given(self, colours: Tensor) -> Tensor:
        """Colours [3,...] in this tint."""
        brightness, knots = luma(colours), torch.tensor(self.knots, device=colours.device)
        after = torch.searchsorted(knots[:, 0].contiguous(), brightness.contiguous()).clamp(1, len(knots) - 1)
        low, high = knots[after - 1].movedim(-1, 0), knots[after].movedim(-1, 0)
        between = ((brightness - low[0]) / (high[0] - low[0]).clamp(min=1e-6)).clamp(0, 1)
        tinted = brightness + torch.lerp(low[1:], high[1:], between)
        return torch.lerp(colours, tinted, self.share)


@dataclass(frozen=True)
class Light:
    """What of a picture's light the networks do not know; None and 0: nothing unusual.

    `blur`: how much softer the picture is than what they draw, a standard deviation in the model's pixels.
    """

    exposure: Exposure | None = None
    tint: Tint | None = None
    blur: float = 0.0

    @classmethod
    def from_entry(cls, entry: dict[str, Any]) -> Light:
        """Out of a file, where it was written as `dataclasses.asdict` has it; TypeError, ValueError if it was not."""
        exposure = Exposure(**entry["exposure"]) if entry["exposure"] else None
        tint = Tint(tuple(map(tuple, entry["tint"]["knots"])), entry["tint"]["share"]) if entry["tint"] else None
        if exposure and not (all(1 / LARGEST < n < LARGEST for n in astuple(exposure)) and exposure.knee <= 1):
            raise ValueError(f"it was exposed as {exposure}")
        if tint and not (len(tint.knots) > 1 and all(_is_knot(knot) for knot in tint.knots) and 0 <= tint.share <= 1):
            raise ValueError("its tint is none")
        blur = float(entry.get("blur", 0))  # older files know none
        if not 0 <= blur <= SOFTEST:
            raise ValueError(f"it is blurred by {blur}")
        return cls(exposure, tint, blur)

    @property
    def brightest(self) -> float:
        """The largest value that is filled in."""
        return self.exposure.brightest if self.exposure else 1.0

    def shown(self, face: Tensor) -> Tensor:
        """A crop [3,S,S] of a picture as the networks are to see it, in 0..1."""
        return (self.exposure.shown(face) if self.exposure else face).clamp(0, 1)

    def given_back(self, drawn: Tensor) -> Tensor:
        """What they drew [3,S,S], 0..1, in the light of the picture."""
        soft = blurred(drawn, self.blur) if self.blur else drawn
        tinted = self.tint.given(soft) if self.tint else soft
        return self.exposure.given_back(tinted) if self.exposure else tinted


def light_of(face: Tensor, hole: Tensor, enlarged: float = 1.0) -> Light:
    """The light of a crop [3,S,S] where a hole [1,S,S] leaves it visible.

    `enlarged`: how many times as large as in its picture the face is in the crop, if it is larger.
    """
    visible = hole[0] == 0
    if not visible.any():
        return Light()
    exposure = _exposure(face, visible)
    shown = Light(exposure).shown(face)
    return Light(exposure, _tint(shown, visible), _blur(shown, visible, enlarged))


def _exposure(face: Tensor, visible: Tensor) -> Exposure | None:
    ellipse = _ellipse(visible)
    judged = visible & ellipse
    colours = face[:, judged if judged.sum() > LEAST_FACE * ellipse.sum() else visible]
    values, brightness = colours.amax(dim=0), luma(colours)
    brightest = float(values.quantile(BRIGHTEST))
    share = _ramp(brightest, *DARK) + _ramp(brightest, *BRIGHT)
    if share == 0 or brightest < BLACK:
        return None
    gain = max(1e-6, min(MOST_GAIN, 1 / brightest))
    if brightest > 1:
        gain = max(gain, min(1.0, LEAST_SKIN / max(float(brightness.median()), 1e-6)))
    top, most = float(brightness.quantile(BRIGHTEST)), float(values.max())
    most = max(most, min(1.0, most / share))
    most = 1.0 if 1 < most < BRIGHT[0] else most  # white that was rounded is white
    return Exposure(gain**share, 1 - (1 - KNEE) * share, *(min(max(n, 1e-6), 1e6) for n in (top / share, most)))


def _tint(face: Tensor, visible: Tensor) -> Tint | None:
    """From pixels of twice the size, in which compression and grain have less of a colour."""
    seen = F.avg_pool2d((~visible).to(face)[None, None], 2)[0, 0] == 0
    colours = F.avg_pool2d(face[None], 2)[0][:, seen]
    if colours.shape[1] < LEAST_PIXELS:
        return None
    brightness, order = luma(colours).sort()
    colours = colours[:, order] - brightness
    tint = Tint(_knots(brightness, colours), 1.0)
    strays = float((tint.given(colours + brightness) - colours - brightness).square().mean().sqrt())
    share = _ramp(strays, *ONE_TINT)
    return Tint(tint.knots, share) if share > 0 else None


def _blur(face: Tensor, visible: Tensor, enlarged: float) -> float:
    """What must be added to what is drawn, in squares; nothing where too little of the face is visible to tell."""
    near_hole = _grown((~visible).float()[None, None], RIM)[0, 0] > 0
    seen = softness(luma(face), ~near_hole & _ellipse(visible))
    more = (seen or 0) ** 2 - (DRAWN_SOFTNESS * max(1.0, enlarged)) ** 2
    return max(0.0, more) ** 0.5


def _knots(brightness: Tensor, colours: Tensor) -> tuple[tuple[float, float, float, float], ...]:
    """The mean colours [3,n] of as many pixels each, in the order of brightness [n], and where that leads outside."""
    chunks = zip(brightness.chunk(KNOTS), colours.chunk(KNOTS, dim=1), strict=True)
    means = torch.stack([torch.cat([b.mean()[None], c.mean(dim=1)]) for b, c in chunks])
    away = means - means.mean(dim=0)
    slope = (away[:, :1] * away).sum(dim=0) / away[:, 0].square().sum().clamp(min=1e-6)
    ends = [means[end] + slope * (outside - means[end, 0]) for end, outside in ((0, 0.0), (-1, 1.0))]
    return tuple(tuple(knot) for knot in torch.stack([ends[0], *means, ends[1]]).tolist())


def _is_knot(knot: tuple[float, ...]) -> bool:
    return len(knot) == 4 and all(abs(number) < LARGEST for number in knot)


def _ellipse(like: Tensor) -> Tensor:
    """The part of a frame [S,S] that is face, bool."""
    x, y = (axis[0] for axis in pixel_grid(like.shape[-1], like.device))
    left, top, right, bottom = REGIONS["whole face"]
    across, down = (2 * x - left - right) / (right - left), (2 * y - top - bottom) / (bottom - top)
    return across**2 + down**2 <= 1


def _ramp(value: float, begins: float, complete: float) -> float:
    """0 up to where something begins, 1 from where it is complete, in either direction."""
    return min(1.0, max(0.0, (value - begins) / (complete - begins)))


def _compressed(values: Tensor, knee: float) -> Tensor:
    """Values from 0 on below 1: themselves up to the knee, from there on smoothly less; nothing is clipped."""
    room = 1 - knee
    return torch.where(values > knee, 1 - room**2 / (values - 2 * knee + 1).clamp(min=room), values)


# Colour that is asked for (`color_match`) ---

RING = 1 / 16  # width of the rings on either side of the hole's edge, in sides of the frame
BLUR = 1 / 8  # standard deviation of what counts as low frequency, likewise
SKIN = 0.08  # how far the chroma of skin strays; a ring may also cross hair, lips or what is behind the head
TRUST = 1e-3  # how much of a blurred ring there must be before it counts for more than the mean of all of it


def match_colour(patch: Tensor, face: Tensor, hole: Tensor, strength: float) -> Tensor:
    """A patch whose broad colour inside the hole is moved towards that of the face just outside.

    On a ring inside the hole's edge and one outside, the colours are blurred until only their broad course is left, and
    the difference is added inside. Expression and texture, which are finer than that, stay.

    Args:
        patch: [B,3,S,S] in 0..1, what the model drew; outside the hole it is the face.
        face: [B,3,S,S] in 0..1, the picture's own pixels.
        hole: [B,1,S,S], 1 = filled.
        strength: 0 leaves the patch as it is, bit for bit; 1 matches fully.

    Returns:
        [B,3,S,S] in 0..1, changed inside the hole only.
    """
    if strength == 0:
        return patch
    width = max(1, round(RING * hole.shape[-1]))
    outside, inside = _grown(hole, width) - hole, hole - (1 - _grown(1 - hole, width))
    # A hole that takes up the whole frame has nothing around it to be matched to.
    known = ((outside > 0).flatten(1).any(1) & (inside > 0).flatten(1).any(1))[:, None, None, None]
    difference = _course(face, _skin(face, outside)) - _course(patch, _skin(patch, inside))
    matched = (patch + strength * difference).clamp(0, 1)
    return torch.where(known & (hole > 0), matched, patch)


def _grown(region: Tensor, width: int) -> Tensor:
    rows = F.max_pool2d(region, (2 * width + 1, 1), stride=1, padding=(width, 0))  # a fifth of the time of both at once
    return F.max_pool2d(rows, (1, 2 * width + 1), stride=1, padding=(0, width))


def _skin(colours: Tensor, ring: Tensor) -> Tensor:
    """A ring [B,1,S,S], each pixel weighted by how much its chroma is that of most of the ring; brightness is free."""
    chroma = colours - colours.mean(dim=1, keepdim=True)
    usual = [c[:, r[0] > 0].median(dim=1).values if r.any() else c[:, 0, 0] for c, r in zip(chroma, ring, strict=True)]
    away = (chroma - torch.stack(usual)[:, :, None, None]).square().sum(dim=1, keepdim=True)
    return ring * torch.exp(-away / (2 * SKIN**2))


def _course(colours: Tensor, ring: Tensor) -> Tensor:
    """The broad course [B,3,S,S] of the colours on a ring [B,1,S,S], continued to where the ring is not."""
    mean = (colours * ring).sum(dim=(2, 3), keepdim=True) / ring.sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)
    return (_blurred(colours * ring) + TRUST * mean) / (_blurred(ring) + TRUST)


def _blurred(image: Tensor) -> Tensor:
    """Blurred by `BLUR` of the side; beyond the edges there is nothing, so that means there are of what is known."""
    kernel = gaussian(BLUR * image.shape[-1], image).expand(image.shape[1], 1, -1)
    reach = kernel.shape[-1] // 2
    across = F.conv2d(image, kernel[:, :, None], padding=(0, reach), groups=image.shape[1])
    return F.conv2d(across, kernel[..., None], padding=(reach, 0), groups=image.shape[1])
