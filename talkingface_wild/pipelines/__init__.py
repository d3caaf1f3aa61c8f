"""Curation: stages, recipes, sources, downloads. Knows video and faces; leaves work and tables to the engine."""
