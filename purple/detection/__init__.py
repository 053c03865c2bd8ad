"""Sensors and SIEMs: what the blue side saw. Grows in with the blue half."""
