"""The finished table: schema, commits, loading, report, review. Reads rulings; measures nothing."""
