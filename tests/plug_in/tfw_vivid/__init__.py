"""A stage and a metric for talkingface_wild, in a package of their own."""
