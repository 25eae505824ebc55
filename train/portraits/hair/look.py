"""What one person's hair is like, and how looks are spread over people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]

# sRGB, 0..255
COLOURS = {
    "black": (30, 26, 25),
    "dark brown": (50, 35, 27),
    "brown": (82, 56, 39),
    "light brown": (120, 87, 60),
    "blond": (176, 141, 98),
    "light blond": (206, 178, 134),
    "red": (138, 68, 37),
    "grey": (148, 146, 143),
    "white": (208, 205, 200),
}
BROW = (66, 45, 33)
DARK = {"black": 0.62, "dark brown": 0.29, "brown": 0.09}
MIXED = {"black": 0.08, "dark brown": 0.24, "brown": 0.24, "light brown": 0.16, "blond": 0.14, "light blond": 0.06,
         "red": 0.08}  # fmt: skip

# How common each style is.
MEN = {"short": 0.24, "crop": 0.13, "swept": 0.14, "side": 0.16, "buzz": 0.12, "curly": 0.07, "medium": 0.07,
       "bald": 0.05}  # fmt: skip
MEN_OF_TIGHT_CURLS = {"buzz": 0.44, "afro": 0.32, "short": 0.10, "bald": 0.14}
WOMEN = {"long": 0.22, "tucked": 0.11, "fringe": 0.12, "bob": 0.13, "bangs": 0.09, "bun": 0.06, "updo": 0.07,
         "medium": 0.06, "pixie": 0.07, "curly": 0.03, "ringlets": 0.04}  # fmt: skip
WOMEN_OF_TIGHT_CURLS = {"afro": 0.24, "ringlets": 0.22, "bun": 0.16, "updo": 0.08, "long": 0.10, "tucked": 0.06,
                        "bob": 0.08, "buzz": 0.06}  # fmt: skip

BEARDS = 0.29  # the usual share of men who wear one


@dataclass(frozen=True)
class HairLook:
    """One person's hair. Colours are linear RGB albedos.

    Attributes:
        style: a name in `hairstyles.STYLES`, or "bald".
        colour: of all the hair from afar, grey hairs included.
        grey: share of grey hairs, 0 to 1.
        curl: 0 straight, 0.5 wavy, 1 curly.
        part: x of the parting, in decimetres; its sign also says to which side hair is combed.
        recede: how far the hairline has receded, 0 to 1.
        brow_thickness: 1 is an average man's.
        brow_arch: −1 flat … 1 arched.
        length: factor on the style's usual length.
        volume: factor on how far it stands off the head.
        beard: "" (none), "full", "goatee" or "moustache".
        beard_length: in decimetres.
        stubble: 0 to 1, how dark the shaven skin is.
        lash_length: as a share of the mesh's own long lashes.
        seed: of the places and the directions of the strands.
    """

    style: str
    colour: Colour
    grey: float
    brow_colour: Colour
    lash_colour: Colour
    curl: float
    part: float
    recede: float
    length: float
    volume: float
    brow_thickness: float
    brow_arch: float
    beard: str
    beard_length: float
    stubble: float
    lash_length: float
    seed: int


def sample_hair(
    rng: np.random.Generator,
    male: bool,
    age: float,
    ancestry: tuple[float, float, float],
    tone: float,
    beards: float = BEARDS,
) -> HairLook:
    """Draw a look.

    Args:
        male: whether hair is cut and grows like most men's.
        age: 0 to 1; 0.2 is a young adult, 0.9 is old.
        ancestry: shares of African, Asian and Caucasian ancestors.
        tone: of the skin, 0 lightest to 5 darkest.
        beards: share of men who wear one; of Asian men it is two thirds of that.
    """
    african, asian, _ = ancestry
    dark = tone > 2.6 or asian > 0.6
    colour = _linear(COLOURS[_choose(rng, DARK if dark else MIXED)]) * np.exp(rng.normal(0, 0.12))
    grey = float(np.clip((age - 0.35) * 1.7 * rng.uniform(0.2, 1.4), 0, 1))

    tight = african > 0.4
    if male:
        style = _choose(rng, MEN_OF_TIGHT_CURLS if tight else MEN)
        recede = float(np.clip(rng.normal(0.12, 0.2) + 0.6 * max(age - 0.25, 0), 0, 1))
    else:
        style = _choose(rng, WOMEN_OF_TIGHT_CURLS if tight else WOMEN)
        recede = float(np.clip(rng.normal(0, 0.06), -0.08, 0.12))
    straight = asian > 0.6
    curl = rng.uniform(0.5, 1.1) if tight else abs(rng.normal(0, 0.18 if straight else 0.45))
    beard, length, stubble = _sample_beard(rng, asian, beards) if male else ("", 0.0, 0.0)

    grey_tone = _linear(COLOURS[_choose(rng, {"grey": 0.6, "white": 0.4})])
    brow = _mixed(_mixed(colour, _linear(BROW), 0.6), grey_tone, 0.4 * grey)  # browner than the hair, and later grey
    return HairLook(
        style=style,
        colour=_tuple(_mixed(colour, grey_tone, grey**1.5)),  # a few grey hairs among dark ones go unnoticed
        grey=grey,
        brow_colour=_tuple(brow),
        lash_colour=_tuple(np.minimum(0.5 * colour + 0.003, 0.03)),
        curl=float(min(curl, 1.2)),
        part=float(rng.choice([-1, 1]) * rng.choice([0.02, 0.2, 0.28])),
        recede=recede,
        length=float(rng.uniform(0.8, 1.2)),
        volume=float(rng.uniform(0.7, 1.4)),
        brow_thickness=float(rng.uniform(0.75, 1.25) if male else rng.uniform(0.5, 0.9)),
        brow_arch=float(np.clip(rng.normal(-0.2 if male else 0.2, 0.4), -1, 1)),
        beard=beard,
        beard_length=length,
        stubble=stubble,
        lash_length=float(rng.uniform(0.32, 0.45) if male else rng.uniform(0.6, 0.85)),
        seed=int(rng.integers(1 << 31)),
    )


def _sample_beard(rng: np.random.Generator, asian: float, beards: float) -> tuple[str, float, float]:
    """Kind, length and stubble of a man's beard."""
    lot = rng.random() * (1 + 0.5 * asian) * BEARDS / max(beards, 1e-9)
    if lot < 0.17:
        return "full", float(rng.uniform(0.035, 0.11)), 0.5
    if lot < 0.26:
        return "goatee", float(rng.uniform(0.035, 0.09)), 0.15
    if lot < BEARDS:
        return "moustache", float(rng.uniform(0.03, 0.06)), 0.15
    if lot < 0.5:
        return "", 0.0, float(rng.uniform(0.2, 0.42))
    return "", 0.0, float(rng.uniform(0.0, 0.15))


def _choose(rng: np.random.Generator, weights: dict[str, float]) -> str:
    share = np.array(list(weights.values()))
    return list(weights)[rng.choice(len(share), p=share / share.sum())]


def _mixed(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    return one * (1 - share) + other * share


def _linear(srgb: tuple[int, int, int]) -> np.ndarray:
    """IEC 61966-2-1, from 0..255."""
    value = np.array(srgb) / 255
    return np.where(value < 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _tuple(colour: np.ndarray) -> Colour:
    red, green, blue = np.clip(colour, 0, 1).tolist()
    return red, green, blue
