"""Work: plans, the journal, rulings and executors. Knows items and stages, nothing of video or scores."""
