"""Curation: stages, recipes, sources, downloads. Knows video and faces; the engine works."""
