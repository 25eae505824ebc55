"""Who is portrayed: a person drawn from a seed, the same shape and look in every picture of theirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .hair.hair import HairLook, sample_hair
from .hair.look import BEARDS
from .head.cloth import ClothLook, sample_cloth
from .head.eyes import EyeLook, sample_eyes
from .head.glasses import GlassesLook, sample_glasses
from .head.mesh import SIDES, Head
from .head.skin import SkinLook, sample_skin

ANCESTRIES = ("african", "asian", "caucasian")  # MakeHuman's names for its three sets of adult heads
SKIN_TONE = (4.0, 1.5, 0.8)  # usual tone of each: 0 lightest … 5 darkest

# Standard deviation of the shape targets of each part of the face. Around 1 a target is a caricature, and a face has a
# hundred of them: small ones add up to a person.
SPREAD = {
    "nose": 0.15, "eyes": 0.15, "mouth": 0.14, "chin": 0.15, "cheek": 0.22, "ears": 0.22,
    "forehead": 0.22, "head": 0.12, "eyebrows": 0.14, "neck": 0.18,
}  # fmt: skip
FURTHEST = 2.2  # standard deviations
OPPOSITES = (
    *(("decr", "incr"), ("down", "up"), ("in", "out"), ("backward", "forward"), ("concave", "convex")),
    ("compress", "uncompress"),
)
# These move a whole part out of its place, or say what ancestry and age say already.
NOT_SHAPES = (
    *("nose/nose-trans-in", "mouth/mouth-trans-in", "head/head-trans", "neck/neck-trans", "head/head-angle"),
    *("head/head-age", "neck/neck-scale-vert", "neck/measure-neck-height"),
)
# Targets that go wrong sooner than the rest: a factor on their spread.
DELICATE = {
    "eye-push": 0.5, "eye-trans": 0.6, "mouth-trans": 0.5, "lowerlip-middle": 0.4, "upperlip-middle": 0.4,
    "eye-height": 0.6, "prognathism": 0.5, "nose-base": 0.6, "nostrils-angle": 0.6, "nose-scale-depth": 0.7,
    "nose-scale-vert": 0.7, "jaw-drop": 0.6, "eyebrows-trans": 0.6, "mouth-angles": 0.5,
}  # fmt: skip
# What every face gets on top: MakeHuman's base head has small eyes and looks stern for it, and its lips do not meet.
EVERYBODY = {
    "eyes/eye-scale-incr": 0.22, "eyes/eye-height2-incr": 0.20, "mouth/mouth-angles-up": 0.10, "unit/mouthClose": 0.035,
}  # fmt: skip
HEAD_SHAPES = ("oval", "round", "square", "rectangular", "triangular", "invertedtriangular", "diamond")


@dataclass(frozen=True)
class Identity:
    """A person.

    Attributes:
        seed: what they were drawn from.
        male: sex of the shape and of the fashion.
        age: 0 to 1: 0.2 a young adult, 0.5 middle-aged, 0.9 old.
        ancestry: shares of ANCESTRIES, which sum to 1.
        tone: of the skin, 0 lightest … 5 darkest.
        cage: float32 [C,3], the resting cage of their head, the middle between the eyes where the base mesh has it.
    """

    seed: int
    male: bool
    age: float
    ancestry: tuple[float, float, float]
    tone: float
    cage: np.ndarray
    hair: HairLook
    skin: SkinLook
    eyes: EyeLook
    cloth: ClothLook
    glasses: GlassesLook | None


def sample_identity(head: Head, seed: int, glasses: float = 0.0, beards: float = BEARDS) -> Identity:
    """The person of a seed; `glasses` and `beards` are the shares of people, and of men, who wear them."""
    rng = np.random.default_rng([seed, 1])
    male = bool(rng.random() < 0.5)
    age = float(rng.uniform(*((0.05, 0.25), (0.2, 0.5), (0.5, 0.9))[rng.choice(3, p=(0.5, 0.32, 0.18))]))
    ancestry = _sample_ancestry(rng)
    weights = _macro_weights(rng, male, age, ancestry) | _shape_weights(rng, head, asian=ancestry[1] > 0.5)
    cage = head.deform(head.cage, weights)
    # Macros move the head up and down by their body's height; hair and clothes are placed on the base mesh.
    cage = (cage + eye_middle(head, head.cage) - eye_middle(head, cage)).astype(np.float32)

    tone = float(np.clip(np.dot(ancestry, SKIN_TONE) + 0.6 * rng.normal(), 0, 5))
    hair = sample_hair(rng, male, age, ancestry, tone, beards)
    skin = sample_skin(rng, male, age, ancestry, tone, hair)
    eyes = sample_eyes(rng, ancestry, tone)
    cloth = sample_cloth(rng)
    worn = sample_glasses(rng)
    return Identity(
        seed, male, age, ancestry, tone, cage, hair, skin, eyes, cloth, worn if rng.random() < glasses else None
    )


def eye_middle(head: Head, cage: np.ndarray) -> np.ndarray:
    """The middle [3] between the two eyeballs of a cage."""
    return np.mean([cage[head.eyes[side]].mean(axis=0) for side in SIDES], axis=0)


def _sample_ancestry(rng: np.random.Generator) -> tuple[float, float, float]:
    """Mostly one of the three, in one case of six a mixture."""
    kind = rng.choice(4, p=(0.28, 0.27, 0.28, 0.17))
    shares = rng.dirichlet([0.5] * 3) if kind == 3 else 0.8 * np.eye(3)[kind] + 0.2 * rng.dirichlet([1.0] * 3)
    african, asian, caucasian = map(float, shares)
    return african, asian, caucasian


def _macro_weights(rng, male: bool, age: float, ancestry: tuple[float, float, float]) -> dict[str, float]:
    """Weights of MakeHuman's macro targets, which are products: sex × age × ancestry, and sex × age × build."""
    masculine = float(np.clip(rng.normal(0.92, 0.08), 0.75, 1.0))
    sexes = {"male": masculine if male else 1 - masculine, "female": 1 - masculine if male else masculine}
    child = max(0.0, float(rng.normal(0.02, 0.06))) if age < 0.25 else 0.0
    old = max(0.0, age - 0.12)
    ages = {"child": child, "young": 1 - old - child, "old": old}
    weight, muscle = rng.normal(0, 0.4), rng.normal(0, 0.3)
    builds = {
        "averagemuscle-maxweight": float(np.clip(weight, 0, 0.7)),
        "averagemuscle-minweight": float(np.clip(-weight, 0, 0.7)),
        "maxmuscle-averageweight": float(np.clip(muscle, 0, 0.6)),
        "minmuscle-averageweight": float(np.clip(-muscle, 0, 0.6)),
    }
    builds["averagemuscle-averageweight"] = max(0.0, 1 - sum(builds.values()))
    weights = {}
    for sex, of_sex in sexes.items():
        for years, of_age in ages.items():
            for name, share in zip(ANCESTRIES, ancestry, strict=True):
                weights[f"macro/{name}-{sex}-{years}"] = of_sex * of_age * share
            for build, share in builds.items():
                weights[f"body/{sex}-{years}-{build}"] = of_sex * of_age * share
    return weights


def _shape_weights(rng, head: Head, asian: bool) -> dict[str, float]:
    """Weights of the local shape targets: each pair of opposites, a mixture of head shapes, a little asymmetry."""
    weights: dict[str, float] = {}
    for less, more in _opposites(head):
        spread = SPREAD[less.partition("/")[0]]
        spread *= next((factor for part, factor in DELICATE.items() if part in less), 1.0)
        amount = spread * float(np.clip(rng.normal(), -FURTHEST, FURTHEST))
        if "epicanthus" in less:  # "in" is the stronger fold
            amount = -abs(amount) if asian else 0.6 * abs(amount)
        weights[more if amount > 0 else less] = abs(amount)
    for shape, share in zip(HEAD_SHAPES, rng.dirichlet([0.7] * len(HEAD_SHAPES)), strict=True):
        weights[f"head/head-{shape}"] = float(share * rng.uniform(0.1, 0.5))
    for name in rng.choice([n for n in head.target if n.startswith("asym/")], 8, replace=False):
        weights[str(name)] = 0.14 * abs(float(rng.normal()))
    for name, amount in EVERYBODY.items():
        weights[name] = weights.get(name, 0.0) + amount
    return weights


def _opposites(head: Head) -> list[tuple[str, str]]:
    """Pairs of shape targets that undo one another, in a fixed order."""
    pairs = []
    for name in sorted(head.target):
        if name.partition("/")[0] not in SPREAD or name.startswith(NOT_SHAPES):
            continue
        for less, more in OPPOSITES:
            other = name.removesuffix(less) + more
            if name.endswith(f"-{less}") and other in head.target:
                pairs.append((name, other))
    return pairs
