"""The pad's geometry by itself, in the browser that will run it: any number of emotions, there and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.comfyui.server import Server

COUNTS = [1, 2, 3, 4, 5, 6, 7, 12, 40]


@pytest.fixture(scope="module")
def script(browser, server: Server, pack_name: str) -> Iterator:
    """`script(body, argument)` runs JavaScript in which `pad` is the geometry module."""
    page = browser.new_page()
    folder = f"{server.url}/extensions/{pack_name}/js"
    page.goto(f"{folder}/emotion_pad_geometry.js")
    load = "const pad = await import('./emotion_pad_geometry.js'), view = await import('./emotion_pad_view.js');"
    yield lambda body, argument=None: page.evaluate(f"async given => {{ {load} {body} }}", argument)
    page.close()


@pytest.mark.parametrize("count", COUNTS)
def test_a_mix_of_neighbours_is_found_again_at_its_place(script, count: int) -> None:
    found = script(
        """const corners = pad.cornersOf(given), answers = [];
        for (let first = 0; first < given; first += 1)
            for (const [here, there] of [[1, 0], [0.5, 0.5], [0.3, 0.9], [0, 0], [1.5, 0]]) {
                const asked = corners.map(() => 0);
                asked[first] += here;
                if (given > 2) asked[(first + 1) % given] += there;
                answers.push([asked, pad.weightsAt(pad.placeOf(asked, corners), corners)]);
            }
        return answers""",
        count,
    )
    assert len(found) == 5 * count
    for asked, answer in found:
        assert answer == pytest.approx(asked, abs=1e-6)


@pytest.mark.parametrize("count", COUNTS)
def test_every_place_is_a_mix_of_two_at_most(script, count: int) -> None:
    found = script(
        """const corners = pad.cornersOf(given), answers = [];
        for (let angle = 0; angle < 360; angle += 7)
            for (const reach of [0, 0.2, 0.9, 1.4, 30]) {
                const place = { x: reach * Math.cos(angle), y: reach * Math.sin(angle) };
                const kept = pad.within(place, corners), weights = pad.weightsAt(kept, corners);
                answers.push([place, kept, weights, pad.placeOf(weights, corners), pad.strengthOf(weights)]);
            }
        return answers""",
        count,
    )
    for place, kept, weights, back, strength in found:
        assert len(weights) == count
        assert sum(weight != 0 for weight in weights) <= 2
        assert min(weights) >= 0
        assert strength == pytest.approx(sum(weights))
        assert strength <= 1.5 + 1e-6
        assert kept["x"] * place["y"] == pytest.approx(kept["y"] * place["x"], abs=1e-6), "it turned aside"
        if count > 2:
            assert back == pytest.approx(kept, abs=1e-6)


def test_one_emotion_is_a_line(script) -> None:
    weights = "return pad.weightsAt(given, pad.cornersOf(1))"
    assert script(weights, {"x": 0.7, "y": -0.4}) == pytest.approx([0.4])
    assert script(weights, {"x": 0.7, "y": 0.4}) == [0]


def test_an_emotion_keeps_its_pair_and_a_new_one_takes_an_idle_one(script) -> None:
    pairs = [{"emotion": emotion, "weight": weight} for emotion, weight in [("a", 1), ("b", 0.2), ("c", 0), ("d", 0)]]
    names = ["a", "b", "c", "d", "e", "f"]
    placed = script(
        "return pad.pairsWith(given.pairs, given.names, [0, 0, 0, 0.123, 0.777, 0])", {"pairs": pairs, "names": names}
    )
    assert placed == [
        {"emotion": "e", "weight": 0.78},
        {"emotion": "b", "weight": 0},
        {"emotion": "c", "weight": 0},
        {"emotion": "d", "weight": 0.12},
    ]


def test_emotions_that_are_mixed_stand_side_by_side(script) -> None:
    order = "return pad.arranged(['a', 'b', 'c', 'd', 'e'], given)"
    pairs = [
        {"emotion": emotion, "weight": weight} for emotion, weight in [("a", 0), ("d", 0.6), ("gone", 1), ("b", 1)]
    ]
    assert script(order, pairs) == ["d", "b", "a", "c", "e"]
    assert script(order, []) == ["a", "b", "c", "d", "e"]


def test_the_same_emotion_twice_counts_twice_and_is_written_once(script) -> None:
    pairs = [{"emotion": "a", "weight": 0.25}, {"emotion": "a", "weight": 0.5}, {"emotion": "gone", "weight": 1}]
    assert script("return pad.weightsIn(given, ['a', 'b'])", pairs) == [0.75, 0]
    placed = script("return pad.pairsWith(given, ['a', 'b'], [0.5, 0.5])", pairs)
    assert placed == [
        {"emotion": "a", "weight": 0.5},
        {"emotion": "b", "weight": 0.5},
        {"emotion": "gone", "weight": 0},
    ]


@pytest.mark.parametrize("count", [0, *COUNTS])
def test_the_pad_draws_any_number_of_emotions(script, count: int) -> None:
    names = [f"emotion number {number}" for number in range(count)]
    drawn = script(
        """const seen = new view.EmotionPad(() => {}, () => {}, () => {});
        seen.show(given, given.map((_, index) => (index === 0 ? -0.5 : 0)), true);
        const all = [...seen.element.querySelectorAll('text:not(.mix)')].map(text => text.textContent);
        return [all, seen.element.getAttribute('aria-valuetext'), seen.element.outerHTML.includes('NaN')]""",
        names,
    )
    assert drawn == [names, f"{names[0]} −0.50" if names else "neutral", False]
