"""ZAP: crawls a web application, looks at what it answers and attacks it; reads its reports of runs elsewhere, too."""
