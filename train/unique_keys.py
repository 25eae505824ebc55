"""YAML as recipes are written in it: none may say a thing twice."""

from __future__ import annotations

from typing import Any

import yaml


def load_yaml(text: str) -> Any:
    """What a text of YAML says; raises yaml.YAMLError, which says where, if it is none or a key is there twice."""
    return yaml.load(text, Loader=UniqueKeys)


class UniqueKeys(yaml.SafeLoader):
    """YAML's safe loader for recipes: it refuses a key given twice, where the plain one would silently keep the last.

    It looks at a mapping as it is written: `<<` brings in keys of others later, whose place one's own may take.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"the key {key.value!r} is there twice; take one of them out"
                raise yaml.composer.ComposerError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return node
