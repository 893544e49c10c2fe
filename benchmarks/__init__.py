"""`python -m benchmarks`: the figures that this course promises, measured on your machine.

Speed depends on the machine and on what else it does, so nothing here is compared with a number from elsewhere: the
two things compared take turns in the same run, and what counts is their ratio (`measuring.py`). ::

    python -m benchmarks encoder --judge squeezenet1_0.pth     # is `mini` a good encoder?    (encoder.py, quality.py)
    python -m benchmarks gatys                                 # what does our loop cost?     (gatys.py)
    python -m benchmarks feedforward --judge squeezenet1_0.pth # one pass of a network    (feedforward.py, amortised.py)
    python -m benchmarks adjustable                            # a slider for each layer      (adjustable.py)
    python -m benchmarks matting                               # photographs, lesson 07       (matting.py)
    python -m benchmarks swap                                  # patches, speed and video     (swap.py)
    python -m benchmarks glyphs --baseline zi2zi.safetensors   # letters, lesson 09           (glyphs.py)
    python -m benchmarks course                                # all methods on one pair      (course.py)

Without a name it measures all of them and prints one table; --quick only tells whether they run.
"""
