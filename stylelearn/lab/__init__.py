"""The labs: widgets to play with what a lesson teaches, one file a lesson. Only here is ipywidgets imported.

    from stylelearn.lab import GatysLab
    GatysLab(content="chelsea", style="waves")
    GatysLab(content="chelsea", style="waves", show="sliders")  # for a projector
    GatysLab(content="chelsea", style="waves", hide=["size"])  # its value stays

A new lab derives from `steps.StepLab`, gives its controls and says what its job is; see `welcome.py`, the smallest one.
One whose picture is a single pass of a network derives from `live.LiveLab`; see `johnson.py`.
"""

from stylelearn.lab.adain import AdaINLab as AdaINLab
from stylelearn.lab.adjustable import AdjustableLab as AdjustableLab
from stylelearn.lab.cin import CinLab as CinLab
from stylelearn.lab.compare import CompareLab as CompareLab
from stylelearn.lab.emd import EMDLab as EMDLab
from stylelearn.lab.gatys import GatysLab as GatysLab
from stylelearn.lab.inversion import InversionLab as InversionLab
from stylelearn.lab.johnson import JohnsonLab as JohnsonLab
from stylelearn.lab.photo import PhotoLab as PhotoLab
from stylelearn.lab.study import StudyLab as StudyLab
from stylelearn.lab.style_swap import StyleSwapLab as StyleSwapLab
from stylelearn.lab.welcome import WelcomeLab as WelcomeLab
from stylelearn.lab.widgets.mask_editor import MaskPainter as MaskPainter
