"""Statistics of some Entities.

In:   keys, a level, a span.
Out:  a row for each period that is known, with how it is known. TooManyError rather than an endless answer.
"""
