"""Search: Elasticsearch, and the same port on PostgreSQL full text."""
