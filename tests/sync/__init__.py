"""Lip sync by a set's own networks beside a second opinion; measured, not part of the suite."""
