from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from ecgan_core.cli import main
from ecgan_core.face.portrait import PortraitLatent, complete_portraits
from ecgan_core.files.checkpoint import save_checkpoint

ROOT = Path(__file__).parents[2]


def ecgan(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "ecgan_core", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def ecgan_here(*arguments) -> subprocess.CompletedProcess:
    """The same in this process, which has torch and diffusers loaded already."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = main([str(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def could_not(*arguments, run=ecgan_here) -> str:
    """The one sentence that the command says when it fails."""
    done = run(*arguments)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("ecgan: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def place(pipeline, tmp_path_factory) -> Path:
    """A folder with a model, a photograph and masks."""
    folder = tmp_path_factory.mktemp("cli")
    save_checkpoint(pipeline, folder / "model.safetensors", card="Knows nothing.", dtype=torch.float32)
    pipeline.vector("joyful").save(folder / "joyful.safetensors")
    Image.fromarray(data.astronaut()).save(folder / "portrait.png")
    mask = np.zeros((512, 512), np.uint8)
    Image.fromarray(mask).save(folder / "empty.png")
    mask[130:160, 200:255] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    return folder


def pixels(path: Path) -> np.ndarray:
    return np.array(Image.open(path))


@pytest.mark.slow
def test_complete_then_shift_then_shift_back(place, tmp_path):
    portrait, mask = pixels(place / "portrait.png"), pixels(place / "mask.png")
    done = ecgan(
        "complete", place / "portrait.png", "--hole", place / "mask.png", "--model", place / "model.safetensors",
        "--emotion", "angry", "--samples", 2, "--seed", 3, "--out", tmp_path / "a",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = ["complete-0.png", "complete-1.png", "latent-0.safetensors", "latent-1.safetensors"]
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == written
    completed = pixels(tmp_path / "a" / "complete-0.png")
    assert np.array_equal(completed[mask == 0], portrait[mask == 0]), "outside the mask nothing may change"
    assert not np.array_equal(completed[mask > 0], portrait[mask > 0])
    assert not np.array_equal(completed, pixels(tmp_path / "a" / "complete-1.png"))

    def shift(latent, out, *direction, run=ecgan_here):
        done = run("shift", latent, *direction, "--model", place / "model.safetensors", "--out", out)
        assert done.returncode == 0, done.stderr
        return pixels(out / "shift-0.png")

    latent = tmp_path / "a" / "latent-0.safetensors"
    unmoved = shift(latent, tmp_path / "b", "--emotion", "joyful", "--strength", "0", run=ecgan)
    assert np.array_equal(unmoved, completed)
    moved = shift(latent, tmp_path / "c", "--emotion", "joyful", "--strength", "1.5")
    assert not np.array_equal(moved, completed)
    assert np.array_equal(moved[mask == 0], portrait[mask == 0])
    by_file = shift(latent, tmp_path / "d", "--vector", place / "joyful.safetensors", "--strength", "1.5")
    assert np.array_equal(by_file, moved)
    back = shift(
        tmp_path / "c" / "shift-latent-0.safetensors", tmp_path / "e", "--emotion", "joyful", "--strength", "-1.5"
    )
    assert np.abs(back.astype(int) - completed).max() <= 1


@pytest.mark.slow
def test_infer_prints_probabilities_as_json(place):
    arguments = [place / "portrait.png", "--model", place / "model.safetensors"]
    done = ecgan_here("infer", *arguments)
    assert done.returncode == 0, done.stderr
    probabilities = json.loads(done.stdout)
    assert set(probabilities) == {"calm", "joyful", "angry"}
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert list(probabilities.values()) == sorted(probabilities.values(), reverse=True)
    assert json.loads(ecgan_here("infer", *arguments, "--hole", place / "mask.png").stdout) != probabilities


def test_infer_reads_the_largest_face_also_where_a_small_one_is_in_the_corner(place, tmp_path):
    model = ("--model", place / "model.safetensors")
    picture = Image.new("RGB", (1400, 1000), (120, 120, 120))
    head = Image.fromarray(data.astronaut()[:256, 96:352])
    picture.paste(head.resize((600, 600)), (700, 300))
    picture.save(tmp_path / "alone.png")
    picture.paste(head.resize((200, 200)).transpose(Image.Transpose.FLIP_LEFT_RIGHT), (0, 0))
    picture.save(tmp_path / "two.png")
    alone, two = (json.loads(ecgan_here("infer", tmp_path / f"{n}.png", *model).stdout) for n in ("alone", "two"))
    assert two == pytest.approx(alone, abs=2e-4)


def test_shift_writes_every_picture_of_a_latent(place, pipeline, tmp_path):
    picture = torch.from_numpy(pixels(place / "portrait.png")).movedim(-1, 0)[None] / 255
    mask = torch.from_numpy(pixels(place / "mask.png"))[None, None] / 255
    complete_portraits(pipeline, picture, mask, samples=2).save(tmp_path / "both.safetensors")
    done = ecgan_here("shift", tmp_path / "both.safetensors", "--emotion", "joyful", "--model",
                      place / "model.safetensors", "--out", tmp_path / "out")  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (pixels(tmp_path / "out" / f"shift-{i}.png") for i in range(2))
    assert not np.array_equal(first, second)
    assert len(PortraitLatent.load(tmp_path / "out" / "shift-latent-1.safetensors")) == 1


@pytest.mark.slow
def test_inspect_prints_card_emotions_and_config(place):
    done = ecgan("inspect", place / "model.safetensors")
    assert done.returncode == 0, done.stderr
    for expected in ("Knows nothing.", "calm (neutral), joyful, angry", "image_size 64", "format: 1"):
        assert expected in done.stdout


def test_a_card_cannot_tell_the_terminal_what_to_do(pipeline, tmp_path):
    save_checkpoint(pipeline, tmp_path / "odd.safetensors", card="red \x1b[31m\tend\n\x07übrig", origin="a\x1b]0;b")
    said = ecgan_here("inspect", tmp_path / "odd.safetensors").stdout
    assert "red \ufffd[31m    end\n\ufffdübrig" in said
    assert all(c.isprintable() or c == "\n" for c in said)


@pytest.mark.parametrize(("colour", "in_hole"), [(0, 0), (255, 255)], ids=["as ComfyUI saves it", "white strokes"])
def test_a_mask_may_be_in_the_transparency_of_one_colour(place, tmp_path, colour, in_hole):
    """The same completion as from white on black, bit for bit."""
    hole = pixels(place / "mask.png")
    layers = [np.full_like(hole, colour)] * 3 + [hole if in_hole else 255 - hole]
    clear = layers[3] == 0  # what nobody sees has no colour: a canvas makes it black
    rgba = np.dstack([*(np.where(clear, 0, layer) for layer in layers[:3]), layers[3]]).astype(np.uint8)
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    for mask, out in ((place / "mask.png", "plain"), (tmp_path / "rgba.png", "alpha")):
        command = ["complete", place / "portrait.png", "--model", place / "model.safetensors", "--hole", mask]
        assert main([str(word) for word in [*command, "--out", tmp_path / out]]) == 0
    assert (pixels(tmp_path / "plain" / "complete-0.png") == pixels(tmp_path / "alpha" / "complete-0.png")).all()


@pytest.mark.slow
def test_what_cannot_be_done_is_said_in_one_sentence(place, tmp_path):
    model, portrait, mask = place / "model.safetensors", place / "portrait.png", place / "mask.png"
    complete = ["complete", portrait, "--model", model, "--out", tmp_path / "out"]

    assert "the mask is empty" in could_not(*complete, "--hole", place / "empty.png")
    assert "it knows calm, joyful, angry" in could_not(*complete, "--hole", mask, "--emotion", "smug")
    assert "there is no file" in could_not(*complete, "--hole", place / "gone.png", run=ecgan)
    assert "cannot be read as a picture" in could_not(*complete, "--hole", model)

    Image.fromarray(pixels(mask)[:, 100:300]).save(tmp_path / "narrow.png")
    assert "the mask is 200×512 pixels but the picture is 512×512" in could_not(
        *complete, "--hole", tmp_path / "narrow.png"
    )

    see_through = Image.open(portrait).convert("RGBA")
    see_through.putpixel((0, 0), (0, 0, 0, 90))
    see_through.save(tmp_path / "rgba.png")
    rgba = ["complete", tmp_path / "rgba.png", "--model", model, "--hole", mask, "--out", tmp_path / "out"]
    assert "partly transparent (RGBA)" in could_not(*rgba)
    assert "save the mask alone" in could_not(*complete, "--hole", tmp_path / "rgba.png")

    assert "is not an EC-GAN checkpoint" in could_not("inspect", place / "joyful.safetensors")
    assert "is not a saved EC-GAN portrait latent" in could_not(
        "shift", model, "--emotion", "joyful", "--model", model, "--out", tmp_path / "out"
    )
    assert not (tmp_path / "out").exists(), "a command that fails leaves nothing behind"


def test_a_picture_in_which_nothing_can_be_done_is_written_as_it_is_where_asked_for(place, tmp_path):
    done = ecgan_here(
        "complete", place / "portrait.png", "--hole", place / "empty.png", "--model", place / "model.safetensors",
        "--on-no-face", "leave", "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("ecgan: the picture is left as it is: the mask is empty")
    assert np.array_equal(pixels(tmp_path / "out" / "complete-0.png"), pixels(place / "portrait.png"))


def test_an_opaque_rgba_picture_and_a_box_are_fine(place, tmp_path):
    Image.open(place / "portrait.png").convert("RGBA").save(tmp_path / "rgba.png")
    done = ecgan_here(
        "complete", tmp_path / "rgba.png", "--hole", place / "mask.png", "--model", place / "model.safetensors",
        "--box", "174,67,103,103", "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert pixels(tmp_path / "out" / "complete-0.png").shape == (512, 512, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["complete", "a.png", "--out", "o"],
        ["complete", "a.png", "--hole", "m.png", "--out", "o", "--box", "1,2,3"],
        ["complete", "a.png", "--hole", "m.png", "--out", "o", "--box", "1,2,0,4"],
        ["complete", "a.png", "--hole", "m.png", "--out", "o", "--samples", "0"],
        ["complete", "a.png", "--hole", "m.png", "--out", "o", "--seed", "-1"],
        ["shift", "l.safetensors", "--out", "o"],
        ["shift", "l.safetensors", "--emotion", "joy", "--vector", "v.safetensors", "--out", "o"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments):
    done = ecgan(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ecgan")


def test_help_needs_no_torch():
    code = "import sys\nfrom ecgan_core.cli import parser\nparser().format_help()\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
