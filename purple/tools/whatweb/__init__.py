"""WhatWeb: what a web server and its pages are made of."""
