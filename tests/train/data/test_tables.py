"""An `index.csv` as people and their spreadsheets write it."""

from __future__ import annotations

import pytest

from train.cli import main
from train.config import Source
from train.data.sources.source import found_in, rows_of

from ..conftest import draw_face

ROWS = [("happy/003.png", "happy", "003"), ("neutral/004.png", "neutral", "004")]

TABLES = {
    "semicolons": "file;emotion;identity\nhappy/003.png;happy;003\nneutral/004.png;neutral;004\n",
    "tabs": "file\temotion\tidentity\nhappy/003.png\thappy\t003\nneutral/004.png\tneutral\t004\n",
    "bars": "file|emotion|identity\nhappy/003.png|happy|003\nneutral/004.png|neutral|004\n",
    "capitals": "File,EMOTION,Identity\nhappy/003.png,happy,003\nneutral/004.png,neutral,004\n",
    "Windows' paths": "file,emotion,identity\nhappy\\003.png,happy,003\n.\\neutral\\004.png,neutral,004\n",
    "rows of nothing": "file,emotion,identity\n\nhappy/003.png,happy,003\n,,\nneutral/004.png,neutral,004\n,,\n ,,\n\n",
    "rows of nothing first": ",,\n\nfile,emotion,identity\nhappy/003.png,happy,003\nneutral/004.png,neutral,004\n",
    "columns of nothing": "file,emotion,identity,,\nhappy/003.png,happy,003,,\nneutral/004.png,neutral,004,,,,\n",
    "spaces": "file , emotion, identity\nhappy/003.png , happy , 003\n neutral/004.png,\u00a0neutral,004 \n",
    "quotes": '"file";"emotion";"identity"\n"happy/003.png"; "happy"; "003"\n"neutral/004.png";"neutral";"004"\n',
    "Excel's first line": "sep=;\nfile;emotion;identity\nhappy/003.png;happy;003\nneutral/004.png;neutral;004\n",
    "one column more": "file;note;emotion;identity\nhappy/003.png;a, b;happy;003\nneutral/004.png;;neutral;004\n",
    "hidden files": "file,emotion,identity\nhappy/003.png,happy,003\nhappy/._003.png,happy,003\n"
    "neutral/004.png,neutral,004\n.Trash/005.png,happy,5\n",
}  # fmt: skip

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")  # the last with its mark, as spreadsheets save "Unicode text"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["Linux", "Windows", "old Macs"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_it_is_read_as_it_is_meant(tmp_path, table, encoding, line_end):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "index.csv").write_bytes(table.replace("\n", line_end).encode(encoding))
    rows = rows_of(Source("faces"), tmp_path)
    expected = [((tmp_path / "faces" / file), emotion, f"faces/{identity}") for file, emotion, identity in ROWS]
    assert [(row.file, row.emotion, row.identity) for row in rows] == expected


def test_a_file_whose_name_has_a_backslash_is_found(tmp_path):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "a\\b.png").touch()
    (tmp_path / "faces" / "index.csv").write_text("file,emotion\na\\b.png,happy\nc\\d.png,happy\n")
    assert [row.file.name for row in rows_of(Source("faces"), tmp_path)] == ["a\\b.png", "d.png"]


@pytest.mark.parametrize("name", ["Index.csv", "INDEX.CSV"])
def test_the_tables_name_may_be_in_capitals(tmp_path, name):
    (tmp_path / "faces" / "happy").mkdir(parents=True)
    draw_face("happy", 1).save(tmp_path / "faces" / "happy" / "a.png")
    (tmp_path / "faces" / name).write_text("file,emotion\nhappy/a.png,glad\n")
    (tmp_path / "faces" / "notes.csv").write_text("x")
    assert [row.emotion for row in rows_of(Source("faces"), tmp_path)] == ["glad"]


def test_uses_are_told_apart_however_they_are_written(tmp_path):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "index.csv").write_text(
        "file,emotion,Use\na.png,happy, Train\nb.png,happy,test\nc.png,happy,\n"
    )
    found = found_in(Source("faces"), tmp_path)
    assert [row.file.name for row in found.rows] == ["a.png"]
    assert found.other_uses == {"test": 1, "": 1}


def test_a_refusal_comes_whole_into_the_report(tmp_path, capsys):
    folder = tmp_path / ("faces-" + "of-the-people-in-our-street-" * 5 + "2024")
    folder.mkdir()
    draw_face("happy", 1).save(folder / "a.png")
    (folder / "index.csv").write_text('picture;feeling\n"a; b.png";happy\n')
    assert main(["check", str(folder)]) == 1
    report = capsys.readouterr().out
    sentence = (
        f"{folder}/index.csv lacks the column emotion and file: its columns, separated by semicolons, are 'picture', "
        "'feeling'; its first line names its columns"
    )
    assert sentence in " ".join(report.split())
