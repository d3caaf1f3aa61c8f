"""Work: plans, journal, rulings, executors. Knows items and stages, nothing of video or scores."""
