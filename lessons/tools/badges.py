"""Badges in the README for a repository on GitHub: Binder, Codespaces, and the site that .github/workflows publishes.

`make badges REPOSITORY=owner/name` puts them in, `make badges` takes them out.
"""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
MARK = "<!-- make badges REPOSITORY=owner/name -->\n"
START = "lab/tree/lessons/00_welcome.ipynb"
BADGES = f"""\
[![Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/{{0}}/{{1}}/HEAD?urlpath={START})
[![Codespaces](https://github.com/codespaces/badge.svg)](https://codespaces.new/{{0}}/{{1}})
[![Site](https://github.com/{{0}}/{{1}}/actions/workflows/site.yml/badge.svg)](https://{{0}}.github.io/{{1}}/)
"""


def with_badges(readme: str, repository: str) -> str:
    """The README with the badges of `repository`, "owner/name", below its mark; with none if that is empty.

    Raises:
        ValueError: it is no such name, or the README has no mark.
    """
    if repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise ValueError(f"REPOSITORY is {repository!r}; write owner/name, as GitHub does")
    if MARK not in readme:
        raise ValueError(f"README.md has lost the line that the badges stand below: {MARK}")
    badges = BADGES.format(*repository.split("/")) if repository else ""
    return re.sub(f"{MARK}(\\[!\\[.*\n)*", MARK + badges, readme)


if __name__ == "__main__":
    try:
        README.write_text(with_badges(README.read_text(encoding="utf-8"), sys.argv[1]), encoding="utf-8")
    except ValueError as error:
        sys.exit(str(error))
