"""`stylelearn bench`: the figures that this course promises, measured on your machine.

Speed depends on the machine and on what else it does, so nothing here is compared with a number from elsewhere: the
two things compared take turns in the same run, and what counts is their ratio (`measuring.py`). ::

    stylelearn bench encoder --judge squeezenet1_0.pth     # is `mini` a good encoder?    (encoder.py, quality.py)
    stylelearn bench gatys                                 # what does our loop cost?     (gatys.py, peers.py)
    stylelearn bench feedforward --judge squeezenet1_0.pth # one pass of a network        (feedforward.py, amortised.py)
    stylelearn bench adjustable                            # a slider for each layer      (adjustable.py)
    stylelearn bench matting                               # photographs, lesson 07       (matting.py)
    stylelearn bench swap                                  # patches, speed and video     (swap.py)
    stylelearn bench glyphs --baseline zi2zi.safetensors   # letters, lesson 09           (glyphs.py)
    stylelearn bench course                                # all methods on one pair      (course.py)

Without a name, `stylelearn bench` does all of them and prints one table; with --quick it only tells whether they run.
Beside others it measures where these are installed: `pip install "stylelearn[bench]"`.
"""
