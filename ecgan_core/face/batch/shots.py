"""The shots of a clip: a cut is where a picture is another one, and who was followed before it is not after it."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

SIDE = 16  # of the small pictures that are compared
CUT = 0.08  # mean difference of two that are not of one shot; a turning head makes 0.01 from frame to frame

EACH_BY_ITSELF = "the faces of each shot were followed by themselves"


def shots(pictures: Tensor, seen: Sequence[bool]) -> list[range]:
    """The shots of a clip, in order, all of its frames in them.

    Only frames with faces are compared, so that a shot goes on after frames that show something else; and of those the
    two before with the two after, so that a flash is no cut.

    Args:
        pictures: the frames [N,3,H,W] in 0..1.
        seen: whether there are faces in each.
    """
    with_faces = [i for i, there in enumerate(seen) if there]
    small = [_small(pictures[i]) for i in with_faces]
    starts = [0]
    for k in range(1, len(with_faces)):
        before, after = small[max(0, k - 2) : k], small[k : k + 2]
        if all(_unlike(a, b) for a in before for b in after):
            starts.append(with_faces[k])
    return [range(start, end) for start, end in zip(starts, [*starts[1:], len(pictures)], strict=True)]


def something_else(pictures: Tensor, seen: Sequence[bool]) -> set[int]:
    """The frames without a face that are another picture than those with faces next to them: nobody is hidden there.

    Arguments as for `shots`.
    """
    with_faces = [i for i, there in enumerate(seen) if there]
    others = set()
    for i in set(range(len(pictures))) - set(with_faces):
        next_to_it = [k for k in with_faces if k < i][-1:] + [k for k in with_faces if k > i][:1]
        if all(_unlike(_small(pictures[i]), _small(pictures[k])) for k in next_to_it):
            others.add(i)
    return others


def _small(picture: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(picture, SIDE)


def _unlike(a: Tensor, b: Tensor) -> bool:
    return float((a - b).abs().mean()) > CUT


def cuts_in_words(found: Sequence[range]) -> str:
    """A sentence about the cuts between shots, "" where there is only one; frames are counted from 1, as elsewhere."""
    if len(found) < 2:
        return ""
    first, *others = [str(shot.start + 1) for shot in found[1:]]
    where = f"frame {first}" if not others else f"frames {', '.join([first, *others[:-1]])} and {others[-1]}"
    return f"there is a cut before {where}: {EACH_BY_ITSELF}"
