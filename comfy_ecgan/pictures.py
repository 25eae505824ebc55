"""What an artist connects or types, as the core takes it, and a sentence for each that does not fit.

IMAGE is [B,H,W,C] float 0..1 with three or four channels; the core takes pictures [B,3,H,W]. MASK is [B,H,W] or [H,W],
1 = to be filled, which is the core's hole [B,1,H,W] too.
"""

from __future__ import annotations

import torch

HOW_TO_PAINT = (
    "right-click the picture on its Load Image node, choose 'Open in MaskEditor', paint over the part to be filled and "
    "save, or connect a mask from another node, such as Face Hole"
)


def pictures_from_image(image: torch.Tensor, what: str = "image") -> tuple[torch.Tensor, torch.Tensor | None]:
    """Split an IMAGE [B,H,W,3 or 4] into pictures [B,3,H,W] float32 and its alpha [B,H,W,1], None where it has none.

    Both are the IMAGE's own memory, seen otherwise, where it is float32: a clip is gigabytes.

    Raises:
        ValueError: not a batch of RGB or RGBA pictures; `what` names the input in the sentence.
    """
    if image.ndim != 4 or image.shape[-1] not in (3, 4) or 0 in image.shape:
        raise ValueError(
            f"the input '{what}' must be RGB or RGBA pictures, [B,H,W,3] or [B,H,W,4], but it is {list(image.shape)}; "
            f"connect the IMAGE output of a node such as Load Image"
        )
    alpha = image[..., 3:] if image.shape[-1] == 4 else None
    return image[..., :3].movedim(-1, 1).float(), alpha


def image_from_pictures(pictures: torch.Tensor, alpha: torch.Tensor | None) -> torch.Tensor:
    """Join pictures [B,3,H,W] and the alpha they came with (or None) into an IMAGE [B,H,W,3 or 4]."""
    image = pictures.movedim(1, -1)
    return (image if alpha is None else torch.cat([image, alpha.to(image)], dim=-1)).contiguous()


class Frames:
    """An IMAGE [count,H,W,3 or 4] that is filled picture by picture, so that no frame of a clip is in memory twice."""

    def __init__(self, count: int, like: torch.Tensor, alpha: torch.Tensor | None):
        """`like` [3,H,W] is of the pictures' size; `alpha` [count or 1,H,W,1] is the transparency they came with."""
        self.image = like.new_empty(count, *like.shape[-2:], 3 if alpha is None else 4)
        if alpha is not None:
            self.image[..., 3:] = alpha.to(self.image)

    def __setitem__(self, number: int, picture: torch.Tensor) -> None:
        self.image[number, ..., :3] = picture.movedim(0, -1)

    def __getitem__(self, number: int) -> torch.Tensor:
        """A picture [3,H,W] that was put in."""
        return self.image[number, ..., :3].movedim(-1, 0)


def holes_from_mask(mask: torch.Tensor | None, may_be_empty: bool = False) -> torch.Tensor:
    """A MASK as holes [B,1,H,W] float32, which share its memory where it is that already.

    That they fit their pictures and are in 0..1 is the core's to see to.

    Raises:
        ValueError: no mask, or, unless it may be, one that is empty all over.
    """
    if mask is None:
        raise ValueError(f"there is no mask, so nothing is marked to be filled; {HOW_TO_PAINT}")
    if mask.ndim not in (2, 3) or 0 in mask.shape:
        raise ValueError(f"the input 'mask' must be [B,H,W] or [H,W], but it is {list(mask.shape)}")
    holes = mask.reshape(-1, 1, *mask.shape[-2:]).float()
    # For a picture without transparency Load Image hands out 64×64 zeros, whatever the picture's size.
    if not (may_be_empty or holes.max() > 0):
        which = "the mask is" if len(holes) == 1 else f"all {len(holes)} masks are"
        raise ValueError(f"{which} empty, so nothing is marked to be filled; {HOW_TO_PAINT}")
    return holes


def mask_from_holes(holes: torch.Tensor) -> torch.Tensor:
    """Holes [B,1,H,W] as a MASK [B,H,W]."""
    return holes[:, 0]
