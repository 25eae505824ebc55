"""A model's emotions: their names, their order and the neutral one. Nothing here knows how many there are."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from ..words import shown


class UnknownEmotion(ValueError):
    """An emotion that the model does not have; the text lists those it has."""

    def __init__(self, name: str, known: tuple[str, ...]):
        near = difflib.get_close_matches(str(name)[:80].lower(), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"this model has no emotion {shown(name)}; it knows {', '.join(known)}{hint}")
        self.name, self.known = name, known


@dataclass(frozen=True)
class EmotionSet:
    """The emotions of a model: `names` in the order of its labels, and which of them is `neutral`, the origin.

    Raises:
        ValueError: no names, a name twice or empty, or a neutral that is not among them.
    """

    names: tuple[str, ...]
    neutral: str

    def __post_init__(self):
        object.__setattr__(self, "names", tuple(self.names))
        if not self.names or any(not isinstance(name, str) or not name.strip() for name in self.names):
            raise ValueError(f"an emotion set needs at least one name and no empty ones, but it is {list(self.names)}")
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"each emotion may be named only once, but the set is {', '.join(self.names)}")
        if self.neutral not in self.names:
            raise ValueError(f"the neutral emotion {self.neutral!r} is not one of {', '.join(self.names)}")

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """The place of `name` in a label; raises `UnknownEmotion`, which lists the known names."""
        if name not in self.names:
            raise UnknownEmotion(name, self.names)
        return self.names.index(name)
