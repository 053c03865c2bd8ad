"""ffuf: paths that a web server answers for though nothing links to them."""
