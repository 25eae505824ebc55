"""What the trainer reads, cut, changed or made up: one sentence each, and nothing executed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from ecgan_core.cli import read_picture
from ecgan_core.files.tensors import BadFile, write_tensors
from train.config import ConfigError, Source, load_config
from train.data.pictures import read_face
from train.data.sources.row import DataError
from train.data.sources.source import rows_of
from train.evaluation.identity import load_identity
from train.evaluation.judge import Judge, load_judge, save_judge
from train.runs.run_folder import config_of
from train.runs.state import StateError, read_state

RECIPES: dict[str, tuple[bytes, str]] = {
    "a list": (b"- a\n- b", "expected keys"),
    "a word": (b"hello", "expected keys"),
    "Latin-1": (b"emotions: [caf\xe9]", "no text in UTF-8"),
    "NUL character": (b"images: 3\0", "no valid YAML"),
    "a tab": (b"\timages: 3", "line 1"),
    "Python's own tags": (b"images: !!python/object/apply:os.mkdir [harm]", "no valid YAML"),
    "nested without end": (b"a: " + b"[" * 5000, "cannot be read"),
    "a key that is a list": (b"? [a]\n: b", "no valid YAML"),
    "an empty key": (b"~: 3", "no such key"),
    "a date": (b"images: 2020-01-01", "images: expected int"),
    "no such date": (b"images: 2020-02-31", "cannot be read"),
    "infinite": (b"images: .inf", "images: expected int"),
    "no number": (b"learning_rate: .nan", "learning_rate: expected a finite number"),
    "a huge number": (b"learning_rate: 1" + b"0" * 400, "learning_rate: expected a finite number"),
    "a weight that is none": (b"data: [{path: x, weight: .nan}]", "weight: expected a finite number"),
    "a list that holds itself": (b"data: &d [*d]", "expected keys"),
    "numbers for names": (b"emotions: [1, 2]", "expected str"),
    "a mapping for a list": (b"data: {path: x}", "expected a list"),
}  # fmt: skip
OVERRIDES = (
    "images=[",
    "a",
    "=3",
    "images.x=3",
    "networks=3",
    "data.0=3",
    "x.y=1",
    "seed=\0",
    "seed=!!python/name:os.x",
)

TABLES: dict[str, bytes] = {
    "empty": b"",
    "UTF-16 without its mark": "file,emotion\na,b".encode("utf-16-le"),
    "a column less": b"file\na",
    "a short row": b"file,emotion\na",
    "an open quote": b'file,emotion\n"a,b',
    "a field of 200,000 letters": b'file,emotion\n"' + b"x" * 200_000 + b'",b',
    "blanks": b"file emotion\na b",
}


def png() -> bytes:
    content = io.BytesIO()
    Image.effect_noise((50, 50), 90).save(content, "PNG")
    return content.getvalue()


PICTURES: dict[str, bytes] = {
    "empty": b"",
    "half": png()[: len(png()) // 2],
    "only its head": png()[:40],
    "text": b"hello",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "TIFF's head": b"II*\0" + b"\xff" * 50,
    "2^30 pixels a side": png()[:16] + (2**30).to_bytes(4, "big") * 2 + png()[24:],
    "PostScript, for which Pillow starts a program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
}

METAS = {
    "a list": "[1]",
    "nothing": "{}",
    "a number": "3",
    "nested": "[" * 9999,
    "no JSON": "{",
    "a config of 3": '{"config": 3}',
}


def one_line(error: BaseException) -> str:
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize(("content", "phrase"), RECIPES.values(), ids=RECIPES)
def test_a_recipe_that_is_none(tmp_path, monkeypatch, content, phrase):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=phrase) as refusal:
        load_config(tmp_path / "x.yaml")
    one_line(refusal.value)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("override", OVERRIDES)
def test_an_override_that_is_none(tmp_path, override):
    (tmp_path / "x.yaml").write_text("images: 5")
    with pytest.raises(ConfigError) as refusal:
        load_config(tmp_path / "x.yaml", [override])
    one_line(refusal.value)


@pytest.mark.parametrize("path", ["folder", "x" * 300, "missing"])
def test_a_recipe_that_is_no_file(tmp_path, path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="cannot read the recipe"):
        load_config(tmp_path / path)


@pytest.mark.parametrize("content", TABLES.values(), ids=TABLES)
def test_a_table_that_is_none(tmp_path, content):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "index.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"index\.csv") as refusal:
        rows_of(Source(path="set"), tmp_path)
    one_line(refusal.value)


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_picture_that_is_none(tmp_path, content):
    path = tmp_path / "face.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot read the picture") as refusal:
        read_face(path, (0, 0, 1, 1), 64)
    assert "Ghostscript" not in one_line(refusal.value)
    with pytest.raises(ValueError, match="cannot be read as a picture") as refusal:
        read_picture(path)
    one_line(refusal.value)


@pytest.mark.parametrize("path", ["missing.png", "", "x" * 300, "a\0b"])
def test_a_picture_that_is_not_there(tmp_path, path):
    with pytest.raises(ValueError, match=r"there is no file|cannot be read as a picture"):
        read_picture(Path(tmp_path / path))


@pytest.mark.parametrize("meta", METAS.values(), ids=METAS)
def test_a_state_whose_metadata_makes_no_sense(tmp_path, meta):
    write_tensors(tmp_path / "state.safetensors", {"a": torch.ones(2)}, {"meta": meta})
    with pytest.raises(StateError, match=r"state\.safetensors") as refusal:
        config_of(read_state(tmp_path / "state.safetensors"))
    one_line(refusal.value)


def test_measuring_networks_that_are_none(tmp_path):
    path = tmp_path / "judge.safetensors"
    metadata = {"judge": "2", "emotions": "a\nb"}
    save_judge(Judge(2), path, ("a", "b"))
    tensors = load_file(path)
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    save_file(tensors | {name: tensors[name] * float("nan")}, path, metadata)
    with pytest.raises(BadFile, match="finite"):
        load_judge(path, ("a", "b"))
    save_file({"w": torch.ones(1)}, path, metadata | {"identity_network": "1"})
    with pytest.raises(BadFile, match="of this version; give another --judge"):
        load_judge(path, ("a", "b"))
    with pytest.raises(BadFile, match="of this version; give another --identity"):
        load_identity(path)
