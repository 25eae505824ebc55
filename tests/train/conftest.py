"""A small data set of drawn faces, so that trainer tests need no photographs: the mouth and brows show the emotion."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from train.portraits.head.mesh import Head, load_head

EMOTIONS = ("neutral", "happy", "surprised")

RECIPE = """
emotions: [neutral, happy, surprised]
neutral: neutral
data:
  - {path: faces, held_out: 0.25}
networks:
  image_size: 64
  widths: [8, 8, 16, 16]
  latent_channels: 12
  noise_rank: 4
  discriminator_widths: [8, 16, 16]
  emotion_widths: [8, 8, 16, 16]
  feature_widths: [8, 8, 16, 16]
images: 32
batch: 8
warmup_images: 128
log_every: 16
grid_every: 16
save_every: 16
"""


def draw_face(emotion: str, identity: int) -> Image.Image:
    """A cartoon in the model's frame: colours by identity, mouth and brows by emotion."""
    rng = np.random.default_rng(identity)
    picture = Image.new("RGB", (96, 96), tuple(int(c) for c in rng.integers(40, 200, 3)))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((16, 14, 80, 88), fill=tuple(int(c) for c in rng.integers(120, 250, 3)))
    raised = 6 if emotion == "surprised" else 0
    for x in (35, 61):
        pen.ellipse((x - 4, 31, x + 4, 39), fill="white")
        pen.ellipse((x - 2, 33, x + 2, 37), fill="black")
        pen.line((x - 6, 27 - raised, x + 6, 27 - raised), fill="black", width=2)
    if emotion == "happy":
        pen.chord((34, 52, 62, 74), 0, 180, fill="darkred")
    elif emotion == "surprised":
        pen.ellipse((41, 56, 55, 76), fill="black")
    else:
        pen.line((38, 65, 58, 65), fill="darkred", width=3)
    return picture


@pytest.fixture(scope="session")
def head() -> Head:
    """The portrait studio's head; the first test that asks for it downloads it where it is not in the cache."""
    return load_head()


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder `faces/EMOTION/IDENTITY.png` of 12 identities."""
    root = tmp_path_factory.mktemp("data")
    for emotion in EMOTIONS:
        (root / "faces" / emotion).mkdir(parents=True)
        for identity in range(12):
            draw_face(emotion, identity).save(root / "faces" / emotion / f"{identity:02}.png")
    return root


@pytest.fixture(scope="session")
def recipe(tmp_path_factory):
    """A recipe file small enough to train in seconds."""
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    path.write_text(RECIPE)
    return path
