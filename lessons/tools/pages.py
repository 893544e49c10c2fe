"""What `collect.py` found, as pages for a browser: marks for the teacher, and what the room mixed up for all."""

from collections import Counter, defaultdict
from html import escape

STYLE = """
:root { color-scheme: light dark; font: 18px/1.4 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem; border-bottom: 1px solid #8888; }
progress { width: 12rem; accent-color: #1a7f37; } li { margin: .3rem 0; } .many { font-size: 1.3em; }
"""
Row = tuple[str, str, dict[str, str]]  # file, lesson, exercise -> what its check said


def marks_page(rows: list[Row]) -> str:
    """A table for each lesson: learners down, exercises across; the check's words on pointing at a mark."""
    parts = []
    for lesson in sorted({row[1] for row in rows}):
        own = [(name, said) for name, of, said in rows if of == lesson]
        exercises = list(dict.fromkeys(exercise for _, said in own for exercise in said))
        head = "".join(f"<th>{escape(exercise)}</th>" for exercise in exercises)
        parts.append(f"<h2>{escape(lesson)}</h2><table><tr><th>file</th>{head}<th>solved</th></tr>")
        for name, said in own:
            words = [said.get(exercise, "–") for exercise in exercises]
            marks = "".join(f'<td title="{escape(each)}">{each[0]}</td>' for each in words)
            solved = sum(each[0] == "✓" for each in said.values())
            parts.append(f"<tr><td>{escape(name)}</td>{marks}<td>{solved} of {len(exercises)}</td></tr>")
        parts.append("</table>")
    return _page("Marks", parts)


def room_page(rows: list[tuple[str, dict[str, str]]], refresh: int | None = None) -> str:
    """How many have solved each exercise, and which mistakes were named how often; no names of learners."""
    said = defaultdict(list)
    for lesson, verdicts in rows:
        for exercise, words in verdicts.items():
            said[lesson, exercise].append(words)
    parts, last = [f"<p>{len(rows)} notebooks. ✓ solved, ✗ tried, and what was probably mixed up.</p>"], ""
    for (lesson, exercise), words in sorted(said.items()):
        parts.append(f"<h2>{escape(lesson)}</h2>" if lesson != last else "")
        last, solved = lesson, sum(each[0] == "✓" for each in words)
        parts.append(f'<h3>{escape(exercise)}</h3><p><progress value="{solved}" max="{len(words)}"></progress> ')
        parts.append(f"{solved} of {len(words)} solved</p><ul>")
        for mistake, count in Counter(each[2:] for each in words if each[0] == "✗").most_common():
            parts.append(f"<li{' class=many' if count > 1 else ''}><b>{count} ×</b> {escape(mistake)}</li>")
        parts.append("</ul>")
    return _page("What the room mixed up", parts, refresh)


def _page(title: str, parts: list[str], refresh: int | None = None) -> str:
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    head = f'<meta charset="utf-8">{again}<meta name="viewport" content="width=device-width"><title>{title}</title>'
    body = "\n".join([f"<h1>{title}</h1>", *parts])
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{body}</body></html>\n'
