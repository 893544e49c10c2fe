"""Tables in Markdown, which notebooks and READMEs show as tables."""

from collections.abc import Collection, Sequence


def markdown(rows: Sequence[Sequence[str]], right: Collection[int]) -> str:
    """Rows of cells, the heads first; the columns in `right`, from 0, hold numbers and are aligned at the right."""
    rules = ["---:" if column in right else "---" for column in range(len(rows[0]))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (rows[0], rules, *rows[1:]))
