"""ZAP: reports of the web application scanner."""
