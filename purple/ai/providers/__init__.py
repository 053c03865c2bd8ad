"""One folder a provider of language models."""
