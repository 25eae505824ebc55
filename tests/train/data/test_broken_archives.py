"""Archives that were cut short or damaged: the whole pictures are used, the rest is named, and nothing crashes."""

from __future__ import annotations

import io
import random
import re
import tarfile

import pytest

from train.cli import main
from train.config import Source
from train.data.pictures import read_face
from train.data.sources.row import DataError
from train.data.sources.source import found_in

from ..conftest import EMOTIONS
from .test_sources import jpeg

BLOCK = 512
LONG = "a name of more than a hundred letters, which needs a header of its own, " * 2


def write(path, form=tarfile.PAX_FORMAT, folder="set"):
    """Nine samples, each a picture and its label; returns where each file's header, data and end lie."""
    members = []
    with tarfile.open(path, "w", format=form) as tar:
        for identity in range(3):
            for emotion in EMOTIONS:
                for kind, data in (("jpg", jpeg(emotion, identity)), ("cls", emotion.encode())):
                    member = tarfile.TarInfo(f"{folder}/{emotion}{identity}.{kind}")
                    member.size = len(data)
                    start = tar.offset
                    tar.addfile(member, io.BytesIO(data))
                    members.append((member.name, start, tar.offset))
    return members


def names_of(found):
    """The samples that are used."""
    return [row.identity.rpartition("/")[2] for row in found.rows]


def all_whole(found):
    shapes = [read_face(row.file, (0, 0, 1, 1), 32, row.part).shape for row in found.rows]
    return set(shapes) <= {(3, 32, 32)}


def find(folder):
    """What is found in `a.tar`, or the sentence that says why nothing is."""
    try:
        return found_in(Source("a.tar"), folder)
    except DataError as error:
        return str(error)


ALL = [f"{emotion}{identity}" for identity in range(3) for emotion in EMOTIONS]


def test_a_whole_one_is_used_whole(tmp_path):
    write(tmp_path / "a.tar")
    found = found_in(Source("a.tar"), tmp_path)
    assert (names_of(found), found.damaged, found.passed_over) == (ALL, [], [])


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("folder", ["set", LONG, "sét"])
def test_wherever_it_is_cut_what_came_before_is_used(tmp_path, form, folder):
    if form == tarfile.USTAR_FORMAT and folder == LONG:
        folder = "set"
    members = write(tmp_path / "whole.tar", form, folder)
    content = (tmp_path / "whole.tar").read_bytes()
    cuts = set()
    for _, start, end in members:
        cuts |= {start, start + 1, start + 100, start + BLOCK, start + BLOCK + 7, end - BLOCK, end - 1, end}
    for cut in sorted(cuts):
        (tmp_path / "a.tar").write_bytes(content[:cut])
        ends = {name: end for name, _, end in members}
        last = [name for name, _, end in members if end <= cut]
        whole = [key for key in ALL if ends[f"{folder}/{key}.cls"] <= cut]
        found = find(tmp_path)
        if isinstance(found, str):
            assert not whole, cut
            assert re.search(r"a\.tar is no plain|a\.tar: the picture .* has no label", found)
            continue
        used = names_of(found)
        assert used[: len(whole)] == whole, cut
        assert len(used) - len(whole) <= 1, "a label may be whole though the zeros after it are not"
        assert all_whole(found)
        assert found.damaged, cut
        assert any("cut" in sentence for sentence in found.damaged)
        assert last[-1] in found.damaged[0] or members[len(last)][0] in found.damaged[0]


def test_a_damaged_header_hides_one_file_and_not_those_after_it(tmp_path):
    members = write(tmp_path / "a.tar")
    content = bytearray((tmp_path / "a.tar").read_bytes())
    (hidden,) = [start for name, start, _ in members if name == "set/happy1.jpg"]
    content[hidden : hidden + BLOCK] = b"\xff" * BLOCK
    (tmp_path / "a.tar").write_bytes(content)
    found = found_in(Source("a.tar"), tmp_path)
    assert names_of(found) == [name for name in ALL if name != "happy1"]
    assert found.damaged == [f"{tmp_path}/a.tar is damaged between set/neutral1.cls and set/happy1.cls"]
    assert found.passed_over == [f"{tmp_path}/a.tar: set/happy1.cls"]


def test_a_picture_that_lost_its_label_is_named(tmp_path):
    members = write(tmp_path / "a.tar")
    content = bytearray((tmp_path / "a.tar").read_bytes())
    (hidden,) = [start for name, start, _ in members if name == "set/happy1.cls"]
    content[hidden : hidden + BLOCK] = b"\xff" * BLOCK
    (tmp_path / "a.tar").write_bytes(content)
    found = found_in(Source("a.tar"), tmp_path)
    assert names_of(found) == [name for name in ALL if name != "happy1"]
    assert any("the picture set/happy1 has no label" in sentence for sentence in found.damaged)


def test_bytes_damaged_anywhere_never_crash_it(tmp_path):
    rng = random.Random(3)
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        write(tmp_path / "whole.tar", form, LONG)
        content = (tmp_path / "whole.tar").read_bytes()
        for _ in range(150):
            damaged = bytearray(content)
            for _ in range(rng.choice([1, 3, 30])):
                at = rng.randrange(len(damaged) // BLOCK) * BLOCK + rng.choice([0, 20, 124, 130, 148, 156, 257, 345])
                damaged[at : at + 8] = rng.choice([bytes(8), b"\xff" * 8, b"7" * 8, rng.randbytes(8)])
            (tmp_path / "a.tar").write_bytes(damaged[: rng.choice([len(damaged), rng.randrange(len(damaged))])])
            found = find(tmp_path)
            assert "\n" not in found if isinstance(found, str) else all(row.part for row in found.rows)


def test_archives_put_behind_one_another_are_read_to_the_last(tmp_path):
    for part in ("one", "two"):
        write(tmp_path / f"{part}.tar", folder=part)
    (tmp_path / "a.tar").write_bytes((tmp_path / "one.tar").read_bytes() + (tmp_path / "two.tar").read_bytes())
    found = found_in(Source("a.tar"), tmp_path)
    assert (names_of(found), found.damaged) == (ALL + ALL, [])


def test_a_header_about_all_files_is_no_damage(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w", pax_headers={"comment": "as git archive writes it"}) as tar:
        for kind, data in (("jpg", jpeg("happy", 1)), ("cls", b"happy")):
            member = tarfile.TarInfo(f"1.{kind}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    found = found_in(Source("a.tar"), tmp_path)
    assert (names_of(found), found.damaged) == (["1"], [])


def test_what_is_beside_the_pictures_is_counted(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, data in (("1.jpg", jpeg("happy", 1)), ("1.cls", b"happy"), ("2.cr2", b"x"), ("2.cls", b"happy")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    found = found_in(Source("a.tar"), tmp_path)
    assert names_of(found) == ["1"]
    assert found.passed_over == [f"{tmp_path}/a.tar: 2.cr2", f"{tmp_path}/a.tar: 2.cls"]


@pytest.mark.parametrize(
    ("mode", "words"), [("w:gz", "compressed (gzip)"), ("w:bz2", "compressed (bzip2)"), ("w:xz", "compressed (xz)")]
)
def test_a_compressed_one_is_told_as_such(tmp_path, mode, words):
    with tarfile.open(tmp_path / "a.tar", mode) as tar:
        tar.addfile(tarfile.TarInfo("1.jpg"))
    with pytest.raises(DataError, match=re.escape(f"a.tar is {words}; pack it again as a plain .tar archive")):
        found_in(Source("a.tar"), tmp_path)


def test_one_of_several_that_is_none_is_named_and_the_others_are_used(tmp_path):
    write(tmp_path / "0.tar")
    (tmp_path / "1.tar").write_bytes(b"<html>" * 300)
    found = found_in(Source("*.tar"), tmp_path)
    assert names_of(found) == ALL
    (sentence,) = found.damaged
    assert sentence.startswith(f"{tmp_path}/1.tar is no plain .tar archive")


def test_check_and_fit_say_it_and_go_on(tmp_path, recipe, capsys):
    (start,) = [start for name, start, _ in write(tmp_path / "faces.tar") if name == "set/happy2.jpg"]
    content = (tmp_path / "faces.tar").read_bytes()
    (tmp_path / "faces.tar").write_bytes(content[: start + BLOCK + 300])
    sentence = f"{tmp_path}/faces.tar is cut short within set/happy2.jpg\n"
    assert main(["check", str(tmp_path / "faces.tar")]) == 0
    report = " ".join(capsys.readouterr().out.split())
    assert "An archive is not whole, so only a part of it is used → get it again" in report
    assert "faces.tar is cut short within set/happy2.jpg" in report
    more = ["--set", "data=[{path: faces.tar, held_out: 0}]", "images=8", "warmup_images=32"]
    assert main(["fit", str(recipe), "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--cpu", *more]) == 0
    assert sentence in capsys.readouterr().out
