"""The labs: widgets to play with what a lesson teaches. The only place of stylelearn that imports ipywidgets.

    from stylelearn.lab import GatysLab
    GatysLab(content="chelsea", style="waves")

A new lab derives from `Lab`, gives its controls and says what its job is; see `welcome.py`, the smallest one.
"""

from stylelearn.lab.base import Lab
from stylelearn.lab.gatys import GatysLab
from stylelearn.lab.inversion import InversionLab
from stylelearn.lab.pictures import PictureChooser
from stylelearn.lab.runner import Job, Runner
from stylelearn.lab.welcome import WelcomeLab

__all__ = ["GatysLab", "InversionLab", "Job", "Lab", "PictureChooser", "Runner", "WelcomeLab"]
