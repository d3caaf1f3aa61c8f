"""Work: plans, journal, rulings, executors. Knows items and stages, nothing of video or scores.

How a run goes round (``run.Run``):

1. ``table.build_table`` reads the journal: a row per item with all that was measured of it.
2. ``ruling.rule`` walks the plan over that table, gates and barriers included, columns at a time:
   a verdict for each item, and a list of which item wants which stage next.
3. Nothing left to do: that ruling is the run's answer, of which a commit is written. Else an
   executor hands the list, up to the next barrier, to workers, in this process or on Ray.
4. ``worker.Worker`` carries each item from stage to stage. It judges the same gates one item at a
   time (``core.gate.judge``), so that no costly stage sees what is rejected already.
5. Every outcome goes to a log on the disk before the next stage sees it; caches go when their last
   reader is through. A kill costs what was in hand, no more.
6. ``journal.Journal`` gathers the logs into Parquet, by item and stage fingerprint. Back to 1.

Gates are thus applied twice, by 2 and by 4; ``tests/reference/ruling.py`` holds both to one text.
"""
