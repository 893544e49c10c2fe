"""The labs: widgets to play with what a lesson teaches. The only place of stylelearn that imports ipywidgets.

    from stylelearn.lab import GatysLab
    GatysLab(content="chelsea", style="waves")

A new lab derives from `Lab`, gives its controls and says what its job is; see `welcome.py`, the smallest one. One
whose picture is a single pass of a network derives from `LiveLab`; see `live.py`.
"""

from stylelearn.lab.adain import AdaINLab
from stylelearn.lab.base import Lab
from stylelearn.lab.cin import CinLab
from stylelearn.lab.gatys import GatysLab
from stylelearn.lab.inversion import InversionLab
from stylelearn.lab.johnson import JohnsonLab
from stylelearn.lab.live import LiveLab
from stylelearn.lab.pictures import PictureChooser
from stylelearn.lab.runner import Job, Runner
from stylelearn.lab.welcome import WelcomeLab

__all__ = [
    "AdaINLab",
    "CinLab",
    "GatysLab",
    "InversionLab",
    "Job",
    "JohnsonLab",
    "Lab",
    "LiveLab",
    "PictureChooser",
    "Runner",
    "WelcomeLab",
]
