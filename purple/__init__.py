"""Purple: the library that workers, API and command line share."""
