"""The schedules of the facade."""
