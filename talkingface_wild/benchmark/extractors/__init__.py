"""What is measured of each video or pair before any metric: features, stored once by content."""
