"""SARIF: results of tools that ran elsewhere, such as code scanners in CI."""
