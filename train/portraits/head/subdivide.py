"""Catmull-Clark subdivision as one sparse matrix: a cage that moves is made smooth by a single product."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse


def catmull_clark(quads: np.ndarray, vertices: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """One step of Catmull-Clark (1978) over a mesh of quads, borders included.

    Args:
        quads: int [Q,4], the corners of each face, counted from 0.
        vertices: how many vertices the cage has; those of no face are kept where they are.

    Returns:
        matrix [vertices + edges + Q, vertices] from cage to smooth positions (old vertices, then one for each edge,
        then one for each face), and the new quads int [4Q,4].
    """
    faces = len(quads)
    pairs = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    edges, edge_of, uses = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    edge_of = edge_of.reshape(faces, 4)

    face_point = _average(np.repeat(np.arange(faces), 4), quads.ravel(), (faces, vertices))
    midpoint = _average(np.repeat(np.arange(len(edges)), 2), edges.ravel(), (len(edges), vertices))
    beside_edge = _average(edge_of.ravel(), np.repeat(np.arange(faces), 4), (len(edges), faces))
    border = uses != 2
    inward = sparse.diags(np.where(border, 0.0, 0.5))
    edge_point = midpoint - inward @ midpoint + inward @ beside_edge @ face_point

    around = _average(quads.ravel(), np.repeat(np.arange(faces), 4), (vertices, faces))
    meeting = np.repeat(np.arange(len(edges)), 2)
    spokes = _average(edges.ravel(), meeting, (vertices, len(edges)))
    valence = np.maximum(np.bincount(edges.ravel(), minlength=vertices), 3)
    same = sparse.identity(vertices, format="csr")
    inside = sparse.diags(1 / valence) @ (around @ face_point + 2 * spokes @ midpoint)
    inside = inside + sparse.diags((valence - 3) / valence) @ same
    rim = np.flatnonzero(border)
    along_rim = _average(edges[rim].ravel(), np.repeat(rim, 2), (vertices, len(edges)))
    at_rim = 0.5 * along_rim @ midpoint + 0.5 * same

    used = np.bincount(quads.ravel(), minlength=vertices) > 0
    on_rim = np.zeros(vertices, bool)
    on_rim[edges[rim].ravel()] = True
    vertex_point = _rows(used & ~on_rim) @ inside + _rows(used & on_rim) @ at_rim + _rows(~used) @ same

    matrix = sparse.vstack([vertex_point, edge_point, face_point]).tocsr()
    matrix.eliminate_zeros()
    at_edge = edge_of + vertices
    at_face = np.arange(faces) + vertices + len(edges)
    corners = [np.stack([quads[:, i], at_edge[:, i], at_face, at_edge[:, i - 1]], axis=1) for i in range(4)]
    return matrix, np.stack(corners, axis=1).reshape(-1, 4)


def _average(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """A matrix that gives each row the mean of its columns; a row without any stays 0."""
    count = np.bincount(rows, minlength=shape[0])
    return sparse.csr_matrix((1.0 / count[rows], (rows, columns)), shape)


def _rows(chosen: np.ndarray) -> sparse.dia_matrix:
    return sparse.diags(chosen.astype(float))
