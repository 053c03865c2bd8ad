"""Nikto: dangerous files, outdated servers and careless settings of web servers."""
