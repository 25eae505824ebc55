"""A workflow described in Python: nodes by name, what is set on them, what feeds them, and where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Node:
    """One node.

    Args:
        name: what the others call it; nobody sees it.
        type: the node's id.
        at, size: its corner and its size on the canvas.
        inputs: input → (name of another node, its output).
        widgets: widget → value; the others keep their defaults.
        title: instead of the node's display name.
        muted: it does not run until somebody unmutes it.
    """

    name: str
    type: str
    at: tuple[int, int]
    size: tuple[int, int]
    inputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    widgets: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    muted: bool = False

    def overlaps(self, other: Node, title_bar: int = 30) -> bool:
        """Whether the two would lie on each other."""
        (x, y), (width, height) = self.at, self.size
        (other_x, other_y), (other_width, other_height) = other.at, other.size
        apart = x + width <= other_x or other_x + other_width <= x
        return not (apart or y + height + title_bar <= other_y or other_y + other_height + title_bar <= y)


@dataclass(frozen=True)
class Group:
    """A titled frame around nodes: x, y, width, height."""

    title: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Workflow:
    """An example: its file name, the nodes in it, and which of them makes the picture for its thumbnail."""

    name: str
    nodes: tuple[Node, ...]
    shows: str
    groups: tuple[Group, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For the page: nodes, links as [from, output, to, input], groups."""
        nodes = [
            {
                "name": node.name,
                "type": node.type,
                "title": node.title,
                "at": list(node.at),
                "size": list(node.size),
                "widgets": dict(node.widgets),
                "muted": node.muted,
            }
            for node in self.nodes
        ]
        links = [
            [source, output, node.name, slot] for node in self.nodes for slot, (source, output) in node.inputs.items()
        ]
        return {
            "nodes": nodes,
            "links": links,
            "groups": [{"title": group.title, "box": list(group.box)} for group in self.groups],
        }
