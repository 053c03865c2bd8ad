"""CSV: a table whose columns are mapped."""
