"""Tests of parts together, on real servers."""
