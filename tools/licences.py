"""What the dependencies' licences are, from their installed metadata.

    python -m tools.licences

prints a table, and fails where what is needed to run or to train is under a licence that is not on the list of those
that ask for no more than their text to be kept. What the demo's ComfyUI needs, and what developers need, is listed too
and may have any licence: neither is handed on with the pack.
"""

from __future__ import annotations

import importlib.metadata as metadata
import re
import sys
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.host import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]

USES = ("run", "train", "host", "dev")  # the first that a package is needed for is the one that is told
CHECKED = ("run", "train")
ALLOWED = {
    *(
        "0BSD",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CNRI-Python",
    ),
    *("CC0-1.0", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"),
}  # MPL-2.0 asks more for its own files only, and of those we hand on none
FREE_TEXT = (
    (r"apache", "Apache-2.0"),
    (r"mozilla|\bmpl", "MPL-2.0"),
    (r"3-clause|new bsd|modified bsd", "BSD-3-Clause"),
    (r"2-clause|simplified bsd", "BSD-2-Clause"),
    (r"\bbsd\b", "BSD"),
    (r"\bisc\b", "ISC"),
    (r"python software foundation|\bpsf", "PSF-2.0"),
    (r"\bmit\b", "MIT"),
)  # before metadata had a field for the identifier, authors wrote what they liked


def uses() -> dict[str, str]:
    """What each installed package is needed for, by name, with all that it needs itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {"run": [*project["dependencies"], "torch"]} | project["optional-dependencies"]
    found: dict[str, str] = {}
    for use in USES:
        pending = [Requirement(line) for line in wanted[use]]
        while pending:
            requirement = pending.pop()
            name = canonicalize_name(requirement.name)
            if name in found or not _applies(requirement):
                continue
            try:
                needs = metadata.requires(name) or []
            except metadata.PackageNotFoundError:  # of an extra that nobody installed
                continue
            found[name] = use
            pending += [Requirement(line) for line in needs]
    return found


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def licence_of(name: str) -> str:
    """The licence of an installed package as an SPDX expression, as far as its metadata tells; "?" if it does not."""
    about = metadata.metadata(name)
    for expression in about.get_all("License-Expression") or []:
        return expression
    trove = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    text = "\n".join(about.get_all("License") or []).strip()
    for said in (*trove, text.splitlines()[0] if text else ""):
        for pattern, identifier in FREE_TEXT:
            if re.search(pattern, said, re.IGNORECASE):
                return identifier
    return text if text in ALLOWED else "?"


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met with the licences of the list; of those joined by OR, one is enough."""
    terms = re.split(r"\s+AND\s+", expression.replace("(", " ").replace(")", " ").strip())
    return all(any(choice.strip() in ALLOWED for choice in re.split(r"\s+OR\s+", term)) for term in terms)


def refused(rows: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """Sentences about the rows (package, version, licence, use) that we may not depend on."""
    return [
        f"{name} {version} is needed to {use} and its licence is {licence}, which is not on the list of tools/licences"
        for name, version, licence, use in rows
        if use in CHECKED and not is_allowed(licence)
    ]


def rows() -> list[tuple[str, str, str, str]]:
    """(package, version, licence, use) of all that is needed, by use and name."""
    listed = [(name, metadata.version(name), licence_of(name), use) for name, use in uses().items()]
    return sorted(listed, key=lambda row: (USES.index(row[3]), row[0]))


def main() -> int:
    table = rows()
    for name, version, licence, use in [("package", "version", "licence", "used for"), *table]:
        print(f"{name:<28}{version:<20}{use:<10}{licence}")
    for sentence in (problems := refused(table)):
        print(sentence, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
