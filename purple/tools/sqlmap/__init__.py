"""sqlmap: SQL injection, proven."""
