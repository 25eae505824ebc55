"""A person who has come to the studio, and the stage on which they hold an expression: geometry, not yet pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .expression import Expression
from .hair.hair import Strands, face_roots, face_strands, grow_hair, hair_marks
from .head.cloth import dress
from .head.eyes import eye_centre, eye_sphere, eyeball
from .head.glasses import glasses_mesh
from .head.mesh import MASKS, SIDES, Head
from .head.pose import Pose
from .head.wrinkles import Wrinkles, wrinkles_of
from .identity import Identity
from .kernels.scene import GLASSES, LEFT_EYE, RIGHT_EYE, Surface
from .picture.background import sample_background
from .picture.camera import FURTHER, frame_side, landmark_vertices
from .picture.light import sample_lighting
from .picture.raster import vertex_normals

EYE_MATERIAL = {"left": LEFT_EYE, "right": RIGHT_EYE}
HAIR_MIDDLE = np.array([0.0, 7.4, 0.45], np.float32)  # hair is shaded as seen from here, where normals are needed
LIDS = np.array([0.0, 0.0, 0.1], np.float32)  # decimetres that the middles of the lids lie before those of the eyes
SOFTENING = 3  # how often normals are averaged with their neighbours' for the soft ones


@dataclass(frozen=True)
class Stage:
    """One posed expression.

    Attributes:
        eyes: float32 [2,3], the middles of the person's left and right eye.
        landmarks: float32 [3,3], tip of the nose, mouth corner on the picture's left and on its right.
        strands: hair, brows, beard and lashes, each with its posed points [N,K,3].
        hair_middle: float32 [3].
        features: float32 [3,3], lids and mouth of the face at rest; None where the frame goes by the head as a whole.
    """

    surface: Surface
    strands: list[tuple[Strands, np.ndarray]]
    eyes: np.ndarray
    landmarks: np.ndarray
    hair_middle: np.ndarray
    wrinkles: Wrinkles
    features: np.ndarray | None


class Sitter:
    """Everything about a person that all of their portraits share, made once."""

    def __init__(self, head: Head, person: Identity):
        self.head, self.person = head, person
        vertices = head.surface(person.cage)
        self.hair = grow_hair(head, vertices, vertex_normals(vertices, head.triangles), person.hair)
        self.roots = face_roots(head, person.hair)
        self.marks = np.column_stack([*(head.masks[name] for name in MASKS), hair_marks(head, person.hair)])
        self.eye_centres = np.array([eye_centre(head, person.cage, side) for side in SIDES], np.float32)
        self.lips = np.flatnonzero(head.masks["lips"] > 0.5)
        self.landmark_vertices = list(landmark_vertices(head).values())
        mouth = vertices[self.lips].mean(axis=0)
        self.frame_side = frame_side(self.eye_centres, mouth)
        self.features = np.stack([*(self.eye_centres + LIDS), mouth]).astype(np.float32)
        self.glasses = glasses_mesh(person.glasses, head, vertices, self.eye_centres) if person.glasses else None
        rng = np.random.default_rng([person.seed, 2])
        self.lighting = sample_lighting(rng)
        self.background = sample_background(rng)

    def stage(self, expression: Expression, pose: Pose) -> Stage:
        """The person holding an expression in a pose."""
        head, person = self.head, self.person
        units = {f"unit/{name}": weight for name, weight in expression.units.items()}
        cage = head.deform(person.cage, units)
        bare = head.surface(cage)
        normals = vertex_normals(bare, head.triangles)
        strands = face_strands(head, self.roots, person.hair, cage, bare, normals)
        strands = strands if self.hair is None else [self.hair, *strands]
        face = pose.apply(dress(person.cloth, head.rest, bare, normals), head.rest[:, 1])
        return Stage(
            self._surface(face, expression, pose),
            [(s, pose.apply(s.points, s.points[..., 1]).astype(np.float32)) for s in strands],
            pose.with_head(self.eye_centres),
            face[self.landmark_vertices],
            pose.with_head(HAIR_MIDDLE),
            wrinkles_of(expression.units),
            pose.with_head(self.features) if abs(pose.yaw) > FURTHER else None,
        )

    def _surface(self, face: np.ndarray, expression: Expression, pose: Pose) -> Surface:
        """Face, eyeballs and glasses as one set of triangles."""
        head = self.head
        directions, eye_triangles = eye_sphere()
        normal = vertex_normals(face, head.triangles)
        soft = normal
        for _ in range(SOFTENING):
            soft = head.neighbourhood @ soft
        parts = [(face, normal, soft, head.rest, self.marks, head.triangles, head.material)]
        for side in SIDES:
            ball = pose.with_head(eyeball(head, self.person.cage, side, *expression.gaze[side]))
            parts.append(_part(ball, eye_triangles, EYE_MATERIAL[side], directions))
        if self.glasses is not None:
            vertices, triangles = self.glasses
            parts.append(_part(pose.with_head(vertices), triangles, GLASSES, vertices))
        return _join(parts)


def _part(vertices: np.ndarray, triangles: np.ndarray, material: int, rest: np.ndarray) -> tuple:
    """One thing of one material, in the order of `Sitter._surface`'s parts."""
    normal = vertex_normals(vertices.astype(np.float32), triangles)
    marks = np.zeros((len(vertices), len(MASKS) + 3))
    return vertices, normal, normal, rest, marks, triangles, np.full(len(triangles), material)


def _join(parts: list[tuple]) -> Surface:
    vertices, normal, soft, rest, marks, triangles, material = zip(*parts, strict=True)
    starts = np.cumsum([0, *(len(points) for points in vertices[:-1])])
    return Surface(
        np.concatenate([t + start for t, start in zip(triangles, starts, strict=True)]).astype(np.int32),
        np.concatenate(material).astype(np.int32),
        *(np.ascontiguousarray(np.concatenate(part), np.float32) for part in (vertices, normal, soft, rest, marks)),
    )
