"""Systems that are not ours: how their outputs are named, and how their command is run."""
