"""Where videos come from: folders, lists, links and searches, all ending in one list of sources."""
