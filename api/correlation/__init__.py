"""Which sightings are one vulnerability, on the facade."""
