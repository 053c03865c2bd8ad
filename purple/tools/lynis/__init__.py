"""Lynis: what it reports of a machine that it audited from inside."""
