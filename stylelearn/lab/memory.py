"""The picture remembers: what is written into it, how it comes back into the lab, and the same as code."""

from collections.abc import Mapping
from typing import Any

from stylelearn.images import shown_name
from stylelearn.lab.widgets.choosers import PictureChooser


def named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as others may see them: of a path or an address only the name."""
    return {name: shown_name(value) if isinstance(value, str) else value for name, value in settings.items()}


def written(lab: str, made: Mapping[str, Any], controls: Mapping[str, Any]) -> dict[str, Any]:
    """What a saved picture holds: its settings, and how to know pictures again that are not the course's."""
    own = {
        name: each.fingerprint(each.value)
        for name, each in controls.items()
        if isinstance(each, PictureChooser) and not each.find(each.value, None)
    }
    return {**named(made), "lab": lab, **({"pictures": own} if own else {})}


def found(inside: Mapping[str, Any], controls: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The settings that a saved picture holds, each picture by its name here; and which pictures are not here."""
    settings, missing = dict(inside), []
    prints = settings.pop("pictures", {})
    for name, chooser in controls.items():
        if isinstance(chooser, PictureChooser) and name in settings:
            value = settings.pop(name)
            if here := chooser.find(value, prints.get(name)):
                settings[name] = here
            else:
                missing.append(f"{name}: {value}")
    return settings, missing


def code(lab: str, made: Mapping[str, Any], file_name: str) -> str:
    """The lines that make the same picture with the package."""
    made = dict(made)
    if (steps := made.pop("steps_done", None)) is not None:
        made["first_steps"] = steps
    own = "  # yours: put the name of its file here"
    arguments = "".join(
        f"    {name}={value!r},{own if str(value).startswith('upload: ') else ''}\n" for name, value in made.items()
    )
    return f"from stylelearn.lab import {lab}\n\nlab = {lab}(\n{arguments})\nlab.save({file_name!r})"
