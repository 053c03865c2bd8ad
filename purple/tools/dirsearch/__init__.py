"""dirsearch: paths that a web server answers for, by a second mind than ffuf's."""
