"""CycloneDX: bills of materials with vulnerabilities."""
