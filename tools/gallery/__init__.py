"""The example workflows: what is in each, and where it lies. `python -m tools.gallery` writes both forms of all.

pieces        what they are put together from
completing    those that complete faces
expressions   those that move expressions
moving        the one that moves them in a clip
"""

from .completing import (
    BATCH_WITH_ONE_MASK,
    COMPLETE_A_MOUTH,
    COMPLETE_AND_SHIFT,
    FOUR_VARIATIONS,
    REFINE_WITH_DIFFUSION,
)
from .expressions import ANIMATION_STRIP, BLEND_TWO_EMOTIONS, EMOTION_KEYFRAMES, EMOTION_SLIDER, VECTOR_FROM_PHOTOS
from .moving import CLIP_IN_CLIP_OUT

GALLERY = (
    COMPLETE_AND_SHIFT,
    COMPLETE_A_MOUTH,
    FOUR_VARIATIONS,
    EMOTION_SLIDER,
    BLEND_TWO_EMOTIONS,
    ANIMATION_STRIP,
    EMOTION_KEYFRAMES,
    CLIP_IN_CLIP_OUT,
    VECTOR_FROM_PHOTOS,
    BATCH_WITH_ONE_MASK,
    REFINE_WITH_DIFFUSION,
)
# What this machine cannot run, and why.
NEEDS_MORE = {REFINE_WITH_DIFFUSION.name: "a Stable Diffusion checkpoint of the user's"}
