"""From an address to a complete, probed and hashed file, politely; nothing here knows of stages."""
