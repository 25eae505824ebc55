"""The photograph that tests of faces in pictures share."""

from __future__ import annotations

import pytest
import torch
from skimage import data


@pytest.fixture(scope="session")
def astronaut() -> torch.Tensor:
    """Much larger than the model's frame, [1,3,512,512] in 0..1; her face is at 160 to 280 across, 60 to 180 down."""
    return torch.from_numpy(data.astronaut().copy()).permute(2, 0, 1)[None].float() / 255
