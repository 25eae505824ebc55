"""`check`: each fault of a data set is found, said with what to do, and decides the exit code."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from train.cli import main
from train.data.faces import is_held_out

from ..conftest import EMOTIONS, draw_face

PEOPLE = 70


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A set that nothing is wrong with: 70 people, of pixels that differ as photographs do."""
    root = tmp_path_factory.mktemp("many") / "faces"
    for emotion in EMOTIONS:
        (root / emotion).mkdir(parents=True)
        for identity in range(PEOPLE):
            person(emotion, identity).save(root / emotion / f"{identity:02}.png")
    return root


@pytest.fixture
def copy(many, tmp_path):
    return shutil.copytree(many, tmp_path / "faces")


def person(emotion, identity):
    """A drawn face in front of a background of its own, so that no two people look alike."""
    rng = np.random.default_rng(1000 + identity)
    noise = Image.fromarray(rng.integers(0, 256, (7, 7, 3), dtype=np.uint8)).resize((96, 96), Image.Resampling.BICUBIC)
    return Image.blend(draw_face(emotion, identity), noise, 0.6)


def check(capsys, *arguments):
    """(exit code, report, the sentence on stderr)"""
    code = main(["check", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def name_of(split_held_out, but=()):
    """The name of an identity of the fixture that is on that side of the split."""
    names = (f"{i:02}" for i in range(PEOPLE))
    return next(n for n in names if is_held_out(f"faces/{n}", 0.15) == split_held_out and n not in but)


def test_a_good_set_is_counted_and_nothing_is_found(many, capsys):
    code, report, error = check(capsys, many)
    assert (code, error) == (0, "")
    assert "Nothing is wrong with it." in report
    held = sum(is_held_out(f"faces/{i:02}", 0.15) for i in range(PEOPLE))
    for emotion in (*EMOTIONS[1:], "neutral *"):
        (line,) = [line for line in report.splitlines() if line.strip().startswith(emotion)]
        assert line.split()[-4:] == [str(PEOPLE), str(PEOPLE), str(held), "33.3%"]
    assert f"{PEOPLE - held} identities ({3 * (PEOPLE - held)} pictures) to train on, {held} ({3 * held})" in report
    assert "pictures of each: 3; 70 of them in two emotions or more" in report


def test_the_split_is_the_one_that_training_makes(many, recipe, capsys):
    from train.config import load_config
    from train.data.faces import load_faces

    config = load_config(recipe)
    training, unseen = (load_faces(config, many.parent, held_out) for held_out in (False, True))
    _, report, _ = check(capsys, recipe, "--data", many.parent)
    shown = (
        f"{len(set(training.identity))} identities ({len(training)} pictures) to train on, "
        f"{len(set(unseen.identity))} ({len(unseen)}) held out"
    )
    assert shown in report


def test_what_stops_training_comes_first_and_is_exit_1(copy, capsys):
    (copy / "happy" / "03.png").write_bytes(b"no picture")
    Image.new("RGB", (96, 96), "grey").save(copy / "happy" / "04.png")
    shutil.rmtree(copy / "neutral")
    code, report, error = check(capsys, copy)
    assert code == 1
    assert error == "check: 2 of these findings would stop training; mend them first\n"
    stops, _, rest = report.partition("Trains, but the model suffers")
    assert "1 picture cannot be read" in stops
    assert "happy/03.png: it is none of BMP, GIF, JPEG, PNG, TIFF, WEBP" in stops
    assert "No emotion is called 'neutral'; there are 'happy', 'surprised'" in stops
    assert "--neutral" in stops
    assert "1 picture show" in rest
    assert "happy/04.png" in rest
    code, report, _ = check(capsys, copy, "--neutral", "surprised")
    assert code == 1
    assert "No emotion is called" not in report


def test_a_picture_under_two_identities_is_a_leak_when_it_is_in_both_splits(copy, capsys):
    unseen, trained = name_of(True), name_of(False)
    other = name_of(False, but=(trained,))
    original = Image.open(copy / "happy" / f"{unseen}.png")
    smaller = original.resize((72, 72), Image.Resampling.LANCZOS)
    ImageEnhance.Brightness(smaller).enhance(1.1).save(copy / "happy" / f"{trained}.jpg", quality=60)
    shutil.copy(copy / "surprised" / f"{trained}.png", copy / "surprised" / f"{other}.png")
    code, report, _ = check(capsys, copy)
    assert code == 0
    assert "Leaked: 1 picture is there held out, and also trained on under another identity" in report
    assert f"happy/{trained}.jpg = faces/happy/{unseen}.png" in report or f"happy/{unseen}.png = " in report
    assert "1 picture is there under two identities" in report
    assert "give both one identity" in report


def test_mirror_images_and_copies_of_one_person_are_told_apart(copy, capsys):
    mirrored = ImageOps.mirror(Image.open(copy / "happy" / "01.png"))
    mirrored.save(copy / "happy" / "01.jpg", quality=90)
    shutil.copy(copy / "happy" / "02.png", copy / "happy" / "02.webp")
    shutil.copy(copy / "happy" / "05.png", copy / "surprised" / "05.png")
    code, report, _ = check(capsys, copy)
    assert code == 0
    assert "1 picture is there almost twice, of one person and emotion" in report
    assert "1 picture is there twice, as exact copies" in report
    assert "1 picture is there under two emotions" in report
    assert "identities" not in report.partition("Trains, but")[2], "no person is taken for another"


def test_small_grey_squeezed_and_transparent_pictures_are_named(copy, capsys):
    picture = person("happy", 0)
    picture.resize((40, 40)).save(copy / "happy" / "00.png")
    person("happy", 1).convert("L").save(copy / "happy" / "01.png")
    person("happy", 2).resize((96, 140)).save(copy / "happy" / "02.png")
    clear = person("happy", 3).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize((96, 96)))
    clear.save(copy / "happy" / "03.png")
    (copy / "happy" / "extra.cr2").touch()
    (copy / "happy" / "more").mkdir()
    code, report, _ = check(capsys, copy)
    assert code == 0
    for words, file in (
        ("1 picture is smaller than the 64 px trained at (down to 40 px", "happy/00.png"),
        ("1 picture is grey among coloured ones", "happy/01.png"),
        ("1 picture is not square", "happy/02.png"),
        ("1 picture is partly transparent", "happy/03.png"),
        ("Passed over: .cr2 1, folders 1", "happy/extra.cr2"),
    ):
        assert words in report
        assert f"faces/{file}" in report.partition(words)[2]
    assert "smaller than the 32 px" not in check(capsys, copy, "--size", "32")[1]


def test_too_few_pictures_and_people_are_said_with_numbers(data, capsys):
    code, report, _ = check(capsys, data / "faces")
    assert code == 0
    kept = sum(not is_held_out(f"faces/{i:02}", 0.15) for i in range(12))
    assert f"Fewer than 30 pictures to train on: happy {kept}, neutral {kept}, surprised {kept}" in report
    assert "add people: 12 are too few to spare 8" in report


def test_a_share_that_would_hold_enough_out_is_proposed(many, capsys):
    code, report, _ = check(capsys, many, "--held-out", "0.02")
    assert code == 0
    share = report.partition("`held_out: ")[2].partition("`")[0]
    promised = int(report.partition("would hold out ")[2].split()[0])
    assert promised >= 8
    assert promised == sum(is_held_out(f"faces/{i:02}", float(share)) for i in range(PEOPLE))


def test_an_emotion_that_is_rare_in_a_batch_is_named(copy, capsys):
    for i in range(20, PEOPLE):
        (copy / "happy" / f"{i:02}.png").unlink()
        (copy / "surprised" / f"{i:02}.png").unlink()
    for i in range(200):
        person("neutral", 500 + i).save(copy / "neutral" / f"{500 + i}.png")
    report = check(capsys, copy)[1]
    assert "Imbalance: an even share of a batch is 33.3%, but happy has" in report


def test_a_recipe_is_checked_by_its_emotions_size_and_uses(many, recipe, tmp_path, capsys):
    arguments = (recipe, "--data", many.parent, "--set", "emotions=[neutral, happpy, sad]", "networks.image_size=128")
    code, report, _ = check(capsys, *arguments)
    assert code == 1
    assert "70 pictures are labelled 'happy', which is none of the recipe's emotions" in report
    assert "`labels: {happy: happpy}`" in report
    assert "There is no picture of 'sad'" in report
    assert "smaller than the 128 px trained at (down to 96 px" in report
    code, report, error = check(capsys, recipe, "--data", tmp_path)
    assert code == 1
    assert "There is no folder" in report
    code, _, error = check(capsys, recipe)
    assert code == 1
    assert "give the folder that its sources lie in with --data" in error


def test_tables_are_checked_for_missing_files_and_other_uses(many, tmp_path, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    lines = ["file,emotion,identity,use"]
    for i in range(40):
        for emotion in EMOTIONS:
            lines.append(f"{emotion}{i}.png,{emotion},{i},{'test' if i >= 38 else 'train'}")
            if i != 7:
                shutil.copy(many / emotion / f"{i:02}.png", folder / f"{emotion}{i}.png")
    (folder / "index.csv").write_text("\n".join(lines))
    code, report, _ = check(capsys, folder, "--held-out", "0.4")
    assert code == 1
    assert "3 pictures named in index.csv are not there" in report
    assert "rows of index.csv with another use: test 6" in report
    (folder / "index.csv").write_text("\n".join(line.replace("train", "learn") for line in lines))
    code, report, _ = check(capsys, folder)
    assert code == 1
    assert "There are no pictures in photos: its rows have the use 'learn', 'test'" in report


@pytest.mark.parametrize("made", [True, False])
def test_an_empty_or_missing_folder_is_explained(tmp_path, capsys, made):
    if made:
        (tmp_path / "empty").mkdir()
    code, report, _ = check(capsys, tmp_path / "empty")
    assert code == 1
    assert ("There are no pictures in empty" if made else "There is no folder") in report


def test_the_sheet_shows_every_emotion_and_every_kind_of_hole(many, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    code, report, _ = check(capsys, many, "--out", out)
    assert code == 0
    assert str(out) in report
    with Image.open(out) as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert pixels.shape[0] > 4 * 128, "the average and three emotions"
    assert pixels.shape[1] > 8 * 128, "as it is, and seven kinds of holes"
    outline = (abs(pixels - (40, 110, 255)).sum(axis=2) < 6).any(axis=0)
    assert not outline[66 : 66 + 128].any(), "the first column has no holes"
    assert all(outline[66 + column * 136 : 66 + column * 136 + 128].any() for column in range(1, 8))
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    code, _, error = check(capsys, many, "--out", tmp_path / "sheet.txt")
    assert code == 1
    assert "is no name for a sheet" in error
