"""The nouns of the project: clip, column, gate, config, fingerprint. Imports nothing heavy."""
