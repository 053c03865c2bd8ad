"""Models that advise, behind one port."""
