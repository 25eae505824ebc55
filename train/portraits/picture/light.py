"""How the face is lit: a key light with shadows, a fill, a rim, and the light of the surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..kernels.scene import Lights

# Mean brightness (linear) that a skin of tone 0 … 5 is exposed for.
BRIGHTNESS = (0.43, 0.385, 0.32, 0.25, 0.175, 0.12)


@dataclass(frozen=True)
class Lighting:
    """Lights and how the camera is exposed: `exposure` is a factor on the brightness that the skin's tone asks for."""

    lights: Lights
    exposure: float


def sample_lighting(rng: np.random.Generator) -> Lighting:
    """One of five situations that portraits are taken in."""
    situation = rng.choice(5, p=(0.36, 0.22, 0.18, 0.14, 0.10))
    return (_studio, _overcast, _window, _sun, _lamps)[situation](rng)


def brightness(tone: float) -> float:
    """Mean linear brightness of well exposed skin of a tone 0 … 5."""
    return float(np.interp(tone, range(len(BRIGHTNESS)), BRIGHTNESS))


def _studio(rng) -> Lighting:
    """A key light from a side, a weak fill from the other, a rim from behind."""
    azimuth, warmth = rng.uniform(-55, 55), rng.random()
    key = _light(azimuth, rng.uniform(15, 50), rng.uniform(1.7, 2.6) * _white(warmth))
    fill = _light(
        -np.sign(azimuth) * rng.uniform(25, 70), rng.uniform(0, 25), rng.uniform(0.3, 0.75) * _white(1 - warmth)
    )
    rim = _light(_side(rng) * rng.uniform(120, 155), rng.uniform(15, 45), np.full(3, rng.uniform(0.3, 1.6)))
    return _lighting(rng, [key, fill, rim], ambient=rng.uniform(0.28, 0.50))


def _overcast(rng) -> Lighting:
    """Soft light from all around, most of it from above."""
    key = _light(rng.uniform(-40, 40), rng.uniform(35, 65), rng.uniform(0.7, 1.3) * _white(rng.uniform(0.5, 1)))
    fill = _light(rng.uniform(-70, 70), rng.uniform(-5, 20), np.full(3, rng.uniform(0.3, 0.6)))
    rim = _light(_side(rng) * rng.uniform(110, 150), rng.uniform(20, 50), np.full(3, rng.uniform(0.1, 0.5)))
    return _lighting(rng, [key, fill, rim], ambient=rng.uniform(0.7, 1.0))


def _window(rng) -> Lighting:
    """A large light from one side; the other falls off, lit by the room."""
    side = _side(rng)
    key = _light(side * rng.uniform(55, 80), rng.uniform(10, 30), rng.uniform(1.6, 2.3) * _white(rng.uniform(0.4, 1)))
    fill = _light(-side * rng.uniform(30, 60), rng.uniform(5, 25), rng.uniform(0.35, 0.7) * _white(rng.uniform(0, 0.5)))
    rim = _light(side * rng.uniform(110, 140), rng.uniform(10, 40), np.full(3, rng.uniform(0.2, 0.9)))
    return _lighting(rng, [key, fill, rim], ambient=rng.uniform(0.35, 0.55), sideways=0.25 * side)


def _sun(rng) -> Lighting:
    """Warm, hard light from high up, blue from the sky, light thrown back from the ground."""
    key = _light(rng.uniform(-60, 60), rng.uniform(28, 52), rng.uniform(2.2, 3.0) * np.array([1.0, 0.93, 0.82]))
    bounce = _light(rng.uniform(-40, 40), rng.uniform(-30, -10), rng.uniform(0.3, 0.55) * np.array([1.0, 0.95, 0.85]))
    rim = _light(_side(rng) * rng.uniform(120, 155), rng.uniform(15, 40), rng.uniform(0.3, 1.0) * _white(0.9))
    return _lighting(rng, [key, bounce, rim], ambient=rng.uniform(0.45, 0.65), sky=1.15)


def _lamps(rng) -> Lighting:
    """An evening: a warm key light, a coloured one against it."""
    side, hue = _side(rng), rng.random()
    key = _light(side * rng.uniform(15, 50), rng.uniform(10, 40), rng.uniform(1.5, 2.2) * np.array([1.0, 0.86, 0.70]))
    fill = _light(-side * rng.uniform(45, 75), rng.uniform(0, 25), rng.uniform(0.5, 0.9) * _tint(hue, 0.45))
    rim = _light(-side * rng.uniform(115, 150), rng.uniform(10, 40), rng.uniform(0.6, 1.8) * _tint(hue, 0.6))
    return _lighting(rng, [key, fill, rim], ambient=rng.uniform(0.22, 0.36))


def _lighting(rng, lights, ambient: float, sideways: float = 0.0, sky: float = 1.06) -> Lighting:
    directions, colours = zip(*lights, strict=True)
    above = ambient * np.array([2 - sky, 1.0, sky])
    return Lighting(
        Lights(
            np.array(directions, np.float32),
            np.array(colours, np.float32),
            above.astype(np.float32),
            (ambient * rng.uniform(0.4, 0.65) * np.array([1.05, 1.0, 0.93])).astype(np.float32),
            float(np.clip(sideways + rng.uniform(-0.15, 0.15), -0.4, 0.4)),
        ),
        exposure=float(np.exp(np.clip(rng.normal(0, 0.12), -0.28, 0.22))),
    )


def _light(azimuth: float, elevation: float, colour: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Direction and colour of a light; degrees from straight ahead to +x, and upwards."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)]), colour


def _side(rng) -> int:
    return int(rng.choice((-1, 1)))


def _white(coolness: float) -> np.ndarray:
    """From candle-tinted (0) to sky-tinted (1) white."""
    return np.array([1.0, 0.93, 0.84]) * (1 - coolness) + np.array([0.92, 0.96, 1.0]) * coolness


def _tint(hue: float, saturation: float) -> np.ndarray:
    """A bright colour of a hue 0..1."""
    wheel = np.clip(np.abs((hue * 6 + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
    return 1 - saturation * (1 - wheel)
