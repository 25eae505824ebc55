from __future__ import annotations

import pytest

from ecgan_core.emotions.keyframes import KeyframeError, parse_keyframes, timeline

EMOTIONS = ("neutral", "happy", "sad", "surprised", "my joy", "cosy-2", "take 7", "2026-11-28/smirk_00001_")


def parsed(text: str) -> list[tuple[int, dict[str, float]]]:
    return [(key.frame, key.weights) for key in parse_keyframes(text, EMOTIONS, "neutral")]


def test_keyframes_are_lines_of_text() -> None:
    text = """
    24: 0.6 happy + 0.4 surprised   # a mix
    0: neutral
    12: Happy 0.8

    48: my joy 1.2 - .5*sad
    50: cosy-2 + take 7 0.5
    60: - 0.5 sad
    """
    assert parsed(text) == [
        (0, {}),
        (12, {"happy": 0.8}),
        (24, {"happy": 0.6, "surprised": 0.4}),
        (48, {"my joy": 1.2, "sad": -0.5}),
        (50, {"cosy-2": 1.0, "take 7": 0.5}),
        (60, {"sad": -0.5}),
    ]
    assert parsed("7: take 7") == [(7, {"take 7": 1.0})]
    for dated in ("2026-11-28/smirk_00001_ 0.5", "0.5 2026-11-28/smirk_00001_"):
        assert parsed(f"7: {dated} - sad") == [(7, {"2026-11-28/smirk_00001_": 0.5, "sad": -1.0})]
    assert parsed("7: happy 0.5 + happy 0.25 + neutral 3") == [(7, {"happy": 0.75})]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no keyframes; write a line for each, such as 0: neutral and 12: happy 0.8"),
        ("# nothing", "no keyframes"),
        ("0: neutral\nhappy", "line 2: 'happy' does not begin with a frame"),
        ("-3: happy", "line 1: '-3: happy' does not begin with a frame"),
        ("0: neutral\n\n1.5: happy", "line 3: .* does not begin with a frame"),
        ("0: happpy", "line 1: there is no emotion 'happpy'; known are neutral, happy"),
        ("0: 0.5 happy 0.5", "line 1: .* is no emotion with a weight"),
        ("0:", "line 1: '' is no emotion with a weight"),
        ("0: happy + ", "line 1: '' is no emotion with a weight"),
        ("0: happy 11", "line 1: the weight 11 of happy is beyond 10"),
        ("4: happy\n4: sad", "line 2: frame 4 is in line 1 already"),
        ("999999: sad", "line 1: frame 999999 is beyond"),
    ],
)
def test_a_wrong_line_is_named_with_what_would_be_right(text: str, sentence: str) -> None:
    with pytest.raises(KeyframeError, match=sentence):
        parsed(text)


def test_names_are_told_apart_by_more_than_their_spaces() -> None:
    keys = parse_keyframes("1: my smirk 0.5\n2: 2 my  smirk", ("neutral", "my  smirk"), "neutral")
    assert [key.weights for key in keys] == [{"my  smirk": 0.5}, {"my  smirk": 2.0}]


def test_a_line_of_very_many_spaces_is_read_at_once() -> None:
    with pytest.raises(KeyframeError, match="there is no emotion 'a b'"):
        parsed(f"0: a{' ' * 100_000}b")
    assert parsed(f"0: my{' ' * 100_000}joy 0.5") == [(0, {"my joy": 0.5})]


def happy(frames: int, easing: str = "linear", loop: bool = False, text: str = "0: neutral\n4: happy\n8: sad") -> list:
    weights = timeline(parse_keyframes(text, EMOTIONS, "neutral"), frames, easing, loop)
    assert len(weights) == frames
    return [frame.get("happy", 0.0) for frame in weights]


def test_weights_go_from_one_keyframe_to_the_next() -> None:
    assert happy(11) == [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0, 0, 0]
    assert timeline(parse_keyframes("4: happy\n8: sad", EMOTIONS, "neutral"), 7)[6] == {"happy": 0.5, "sad": 0.5}
    assert happy(10, "hold") == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0]
    eased = happy(5, "ease")
    assert eased[0] == 0
    assert eased[1] == pytest.approx(0.15625)
    assert eased[2] == 0.5
    assert eased[4] == 1
    assert happy(3, text="1: happy") == [1, 1, 1], "before the first keyframe and after the last one"


def test_a_loop_ends_where_it_begins() -> None:
    looped = happy(12, loop=True, text="0: happy\n6: neutral")
    assert looped[:7] == pytest.approx([1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0], abs=1e-5)
    assert looped[7:] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6], abs=1e-5)
    late = happy(8, loop=True, text="2: happy\n6: neutral")
    assert late == pytest.approx([0.5, 0.75, 1, 0.75, 0.5, 0.25, 0, 0.25]), "the way back goes through the seam"
    assert happy(3, loop=True, text="0: neutral\n8: happy") == [0, 0.125, 0.25], "a clip that ends before the last one"
