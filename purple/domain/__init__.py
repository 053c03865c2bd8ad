"""The words and rules of the platform: standard library only, no input or output."""
