"""English words that say nothing about what is asked.

Left out of keyword search, since the score of a rare one ("whom" in a technical memory) would be noise. Other languages do
without a list: BM25 gives frequent words little weight by itself. "may" and "will" are missing on purpose, the one is a
month and the other a name.
"""

STOP_WORDS = frozenset(
    """
    a about above after again against all am an and any are as at be because been before being below between both but by
    can could d did do does doing don down during each few for from further had has have having he her here hers herself
    him himself his how i if in into is it its itself just ll m me might more most must my myself no nor not now of off on
    once only or other our ours ourselves out over own re s same shall she should so some such t than that the their theirs
    them themselves then there these they this those through to too under until up ve very was we were what when where
    which while who whom whose why with would you your yours yourself yourselves
    """.split()  # noqa: SIM905 (a list literal would hide the words among quotes)
)
