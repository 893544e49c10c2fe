"""In the image: whenever a learner's server starts, the working copy of the lessons is brought up to date.

It is the folder that `stylelearn lab` keeps: a lesson that the learner has changed stays as it is.
"""

from stylelearn.cli import working_copy

working_copy.update(working_copy.default(), working_copy.course())
