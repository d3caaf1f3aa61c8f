"""What people look at in a terminal or a notebook: rich renderables and plain text."""
