"""``tfw curate``: from sources to a commit, and what a run would take."""
