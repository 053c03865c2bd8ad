"""Use cases over ports and a unit of work; one call is one transaction unless it says otherwise."""
