"""Where pictures come from: folders, tables, archives and the Hub, and the sentence for what cannot be read."""

from __future__ import annotations

import io
import json
import shutil
import sys
import tarfile

import pytest
import torch
from PIL import Image

from train.config import ConfigError, from_dict
from train.data.faces import load_faces
from train.data.pictures import read_face
from train.data.sources.hub import fetched, keep
from train.data.sources.row import DataError
from train.data.sources.source import rows_of

from ..conftest import EMOTIONS, draw_face


def source(path, **more):
    return from_dict({"data": [{"path": path, **more}]}).data[0]


def jpeg(emotion, identity):
    file = io.BytesIO()
    draw_face(emotion, identity).save(file, "JPEG")
    return file.getvalue()


def write_tar(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


# Folders and tables ---------------------------------------------------------------------------------------------------


def test_a_folder_gives_its_pictures_in_the_order_of_their_names(data):
    rows = rows_of(source("faces"), data)
    assert [row.file for row in rows] == sorted((data / "faces").glob("*/*.png"))
    assert {row.emotion for row in rows} == set(EMOTIONS)
    assert rows[0].identity == "faces/00"


def test_labels_rename_emotions_and_leave_some_out(data):
    rows = rows_of(source("faces", labels={"happy": "joyful", "surprised": ""}), data)
    assert {row.emotion for row in rows} == {"joyful", "neutral"}
    assert len(rows) == 24


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            "file,feeling\na.png,happy\n",
            "lacks the column emotion: its columns, separated by commas, are 'file', 'feel",
        ),
        (
            "name;feeling\na.png;happy\n",
            "lacks the column emotion and file: .*by semicolons, are 'name', 'feel",
        ),
        ("file,File,emotion\na.png,,happy\n", "two columns called 'file'"),
        ("file,emotion\na, b.png,happy\n", "line 2: there are 3 cells, and 2 columns.*quotation marks.*commas"),
        ("file,emotion\nC:\\faces\\a.png,happy\n", r"line 2: 'C:.*a\.png' is a place on another computer"),
        ("f\0i\0l\0e\0,\0", "no table in UTF-8"),
        ("", "it is empty"),
        ("file,emotion\na.png,happy\nb.png\n", "line 3: there is no emotion"),
        ("file,emotion\n\xff.png,happy\n", "no table in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_is_explained(tmp_path, table, words):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "index.csv").write_bytes(table.encode("latin-1"))
    with pytest.raises(DataError, match=words):
        rows_of(source("photos"), tmp_path)


def test_a_table_from_a_spreadsheet_is_read(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "index.csv").write_text("file,emotion\r\na.png,happy\r\n", encoding="utf-8-sig")
    (row,) = rows_of(source("photos"), tmp_path)
    assert (row.file.name, row.emotion, row.identity) == ("a.png", "happy", "photos/a.png")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"crop": [0.5, 0, 0.2, 1]}, "crop of 'x'"),
        ({"held_out": 15}, "held_out of 'x' is a share"),
        ({"weight": -1}, "must not be negative"),
        ({"columns": {"face": "png"}}, "but not 'face'"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused(more, words):
    with pytest.raises(ConfigError, match=words):
        source("x", **more)


# Pictures -------------------------------------------------------------------------------------------------------------


def test_a_picture_is_turned_as_the_camera_says(tmp_path):
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste("black", (0, 0, 64, 32))  # dark above
    exif = Image.Exif()
    exif[0x0112] = 3  # the camera was upside down
    picture.save(tmp_path / "a.png", exif=exif)
    face = read_face(tmp_path / "a.png", (0, 0, 1, 1), 32)
    assert face[:, 0].max() == 255
    assert face[:, -1].max() == 0


def test_what_is_transparent_becomes_grey(tmp_path):
    Image.new("RGBA", (32, 32), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert set(read_face(tmp_path / "a.png", (0, 0, 1, 1), 16).flat) == {127}


def test_a_large_jpeg_is_decoded_small_and_looks_the_same(tmp_path):
    draw_face("happy", 1).resize((1600, 1600)).save(tmp_path / "a.jpg", quality=95)
    draw_face("happy", 1).resize((1600, 1600)).save(tmp_path / "a.png")
    crop = (0.1, 0.2, 0.9, 1.0)
    jpg, png = (torch.tensor(read_face(tmp_path / f"a.{kind}", crop, 64)).float() for kind in ("jpg", "png"))
    assert (jpg - png).abs().mean() < 2


# Archives -------------------------------------------------------------------------------------------------------------


def test_a_webdataset_is_read_in_place(tmp_path, data):
    shards = tmp_path / "shards"
    for shard in range(2):
        files = []
        for identity in (2 * shard, 2 * shard + 1):
            for emotion in EMOTIONS:
                key = f"set/{emotion}{identity}"
                about = {"label": emotion, "identity": f"p{identity}"}
                files += [(f"{key}.jpg", jpeg(emotion, identity)), (f"{key}.json", json.dumps(about).encode())]
        write_tar(shards / f"{shard}.tar", files)
    tree = {"emotions": list(EMOTIONS), "data": [{"path": "shards/*.tar", "held_out": 0}]}
    faces = load_faces(from_dict(tree), tmp_path)
    assert len(faces) == 12
    assert sorted(set(faces.identity)) == [f"shards/*.tar/p{i}" for i in range(4)]
    for i, (identity, emotion) in enumerate(zip(faces.identity, faces.emotion.tolist(), strict=True)):
        drawn = draw_face(EMOTIONS[emotion], int(identity[-1])).resize((64, 64), Image.Resampling.LANCZOS)
        expected = torch.frombuffer(bytearray(drawn.tobytes()), dtype=torch.uint8).view(64, 64, 3).permute(2, 0, 1)
        assert (faces.faces[i].float() - expected.float()).abs().mean() < 6  # JPEG


def test_archives_may_be_named_by_where_they_lie(tmp_path):
    write_tar(tmp_path / "sets" / "a.tar", [("1.jpg", jpeg("happy", 1)), ("1.cls", b"happy")])
    for path in (tmp_path / "sets" / "a.tar", tmp_path / "s*s" / "*.tar"):
        (row,) = rows_of(source(str(path)), tmp_path / "elsewhere")
        assert (row.file, row.identity) == (tmp_path / "sets" / "a.tar", f"{path}/1")
    with pytest.raises(DataError, match=r"there is no archive .*b\.tar"):
        rows_of(source(str(tmp_path / "sets" / "b.tar")), tmp_path)


def test_numbered_classes_get_names(tmp_path):
    write_tar(tmp_path / "a.tar", [("1.jpg", jpeg("happy", 1)), ("1.cls", b"3\n")])
    (row,) = rows_of(source("a.tar", labels={3: "happy"}), tmp_path)  # YAML reads the 3 as a number
    assert (row.emotion, row.identity) == ("happy", "a.tar/1")


def test_what_is_wrong_with_an_archive_is_said(tmp_path):
    write_tar(tmp_path / "bare.tar", [("1.jpg", jpeg("happy", 1))])
    with pytest.raises(DataError, match=r"the picture 1 has no label.*columns"):
        rows_of(source("bare.tar"), tmp_path)
    write_tar(tmp_path / "bad.tar", [("1.jpg", jpeg("happy", 1)), ("1.json", b"{")])
    with pytest.raises(DataError, match=r"1\.json cannot be read"):
        rows_of(source("bad.tar"), tmp_path)
    (tmp_path / "no.tar").write_bytes(b"x" * 5000)
    with pytest.raises(DataError, match=r"no plain \.tar archive"):
        rows_of(source("no.tar"), tmp_path)
    with pytest.raises(DataError, match=r"there is no archive .*none-\*\.tar"):
        rows_of(source("none-*.tar"), tmp_path)


# The Hub --------------------------------------------------------------------------------------------------------------


def test_a_hub_source_without_datasets_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("ECGAN_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"needs the package datasets; install it .*comfy-ecgan\[hub\]"):
        rows_of(source("hub:somebody/faces@v1"), tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError, match="write hub:OWNER/NAME"):
        rows_of(source("hub:../../faces"), tmp_path)


def test_a_hub_set_is_kept_as_a_folder_and_needs_no_datasets_again(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="the `hub` extra is not installed")
    import pyarrow
    from pyarrow import parquet

    monkeypatch.setenv("ECGAN_CACHE", str(tmp_path))
    files = [jpeg(emotion, identity) for identity in range(2) for emotion in EMOTIONS]
    table = {
        "photo": [{"bytes": file, "path": None} for file in files],
        "label": [0, 1, 2, 0, 1, -1],
        "subject": ["a"] * 3 + ["b"] * 3,
    }
    kinds = {"photo": datasets.Image(), "label": datasets.ClassLabel(names=list(EMOTIONS))}
    schema = datasets.Features(kinds | {"subject": datasets.Value("string")}).arrow_schema
    parquet.write_table(pyarrow.Table.from_pydict(table, schema), tmp_path / "faces.parquet")
    there = {"data_files": str(tmp_path / "faces.parquet"), "cache_dir": str(tmp_path / "hf"), "split": "train"}
    dataset = datasets.load_dataset("parquet", **there)
    with pytest.raises(DataError, match=r"no column for the picture; its columns are photo, label, subject"):
        keep(dataset, source("hub:somebody/faces"), tmp_path / "hub" / "x")
    chosen = source("hub:somebody/faces", columns={"picture": "photo"})
    monkeypatch.setattr("train.data.sources.hub._load", lambda *_: dataset)
    folder = fetched(chosen)
    monkeypatch.setattr("train.data.sources.hub._load", None)
    rows = rows_of(chosen, tmp_path)
    assert [row.emotion for row in rows] == [*EMOTIONS, *EMOTIONS[:2]], "an unlabelled picture is left out"
    assert [row.identity for row in rows] == ["hub:somebody/faces/a"] * 3 + ["hub:somebody/faces/b"] * 2
    assert rows[0].file.read_bytes() == files[0], "pictures are kept as they are"
    assert [path for path in folder.parent.iterdir() if path != folder] == [], "nothing half-written stays"


def test_no_source_but_the_hubs_imports_datasets(tmp_path, data, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    shutil.copytree(data / "faces", tmp_path / "faces")
    assert len(rows_of(source("faces"), tmp_path)) == 36
