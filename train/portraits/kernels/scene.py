"""What the rooms hand to one another: surfaces, lights, what the camera sees. Named tuples, so that numba reads them.

Coordinates are the mesh's decimetres after posing; the camera looks along −z. Colours are linear RGB, 0..1 for albedos.
Pictures are rendered at twice their size or more and averaged down, so `H` and `W` count samples here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Materials of triangles; the first four are the mesh's own.
SKIN, TONGUE, UPPER_TEETH, LOWER_TEETH, LEFT_EYE, RIGHT_EYE, GLASSES = range(7)
NOTHING = -1e9  # depth where there is nothing


class Surface(NamedTuple):
    """Everything that is made of triangles, posed."""

    triangles: np.ndarray  # int32 [F,3]
    material: np.ndarray  # int32 [F]
    position: np.ndarray  # float32 [V,3]
    normal: np.ndarray  # float32 [V,3], unit
    soft_normal: np.ndarray  # float32 [V,3], smoothed over the neighbourhood: what light makes of flesh
    rest: (
        np.ndarray
    )  # float32 [V,3], the place on the resting head; for eyes, the unit direction in the eye, z its axis
    marks: np.ndarray  # float32 [V,7], 0..1: see MARKS


MARKS = ("lips", "eyelids", "ears", "inside-mouth", "scalp", "brow", "beard")  # the columns of Surface.marks


class Camera(NamedTuple):
    """A pinhole in front of the face, looking along −z."""

    x: float
    y: float
    distance: float  # z of the pinhole
    focal: float  # samples per unit of x/z
    size: int  # samples along a side, H = W


class Lights(NamedTuple):
    """The first light is the key light, the only one that casts shadows."""

    direction: np.ndarray  # float32 [L,3], unit, towards the light
    colour: np.ndarray  # float32 [L,3]
    ambient_up: np.ndarray  # float32 [3], from above
    ambient_down: np.ndarray  # float32 [3], from below
    ambient_side: float  # −1..1, how much more of it comes from +x


class ShadowMap(NamedTuple):
    """Depths towards the key light."""

    basis: np.ndarray  # float32 [3,3], rows: the map's x, y, and the direction to the light
    centre: np.ndarray  # float32 [3]
    scale: float  # samples per unit
    solid: np.ndarray  # float32 [N,N], nearest to the light, triangles only
    depth: np.ndarray  # float32 [N,N], with strands


class Visible(NamedTuple):
    """What each sample sees of the triangles."""

    depth: np.ndarray  # float32 [H,W], z, or NOTHING
    triangle: np.ndarray  # int32 [H,W], or −1
    u: np.ndarray  # float32 [H,W], share of the triangle's second corner
    v: np.ndarray  # float32 [H,W], share of the third


class Canvas(NamedTuple):
    """The picture in the making."""

    colour: np.ndarray  # float32 [H,W,3], linear, before exposure
    depth: np.ndarray  # float32 [H,W], nearest of triangles and strands
    strand: np.ndarray  # float32 [H,W], 0..1, how much of a sample is covered by strands
