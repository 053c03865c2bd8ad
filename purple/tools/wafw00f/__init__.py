"""wafw00f: whether a web application firewall stands before a site."""
