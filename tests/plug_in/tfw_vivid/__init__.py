"""A stage, a metric and a generator for talkingface_wild, in a package of their own."""
