"""What every picture must be: whole, with words that do not run into each other."""

from itertools import combinations

import numpy as np


def looked_at(axes):
    """Draw the figure of axes; refuse what is cut off, and labels of ticks that overlap."""
    figure = np.asarray(axes, dtype=object).ravel()[0].figure
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    slack = 0.03
    assert box.x0 > -slack and box.y0 > -slack, "something is cut off"
    assert box.x1 < width + slack and box.y1 < height + slack, "something is cut off"
    for ax in figure.axes:
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            shown = [
                tick.label1.get_window_extent()
                for tick in axis.get_major_ticks()
                if low <= tick.get_loc() <= high and tick.label1.get_visible()
            ]
            for a, b in combinations([box for box in shown if box.width > 0.0], 2):
                assert not a.overlaps(b), f"ticks of {ax.get_xlabel()!r} overlap"
    return axes


def words(legend):
    """What a legend says."""
    return [text.get_text() for text in legend.get_texts()]
