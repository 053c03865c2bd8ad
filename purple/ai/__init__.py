"""Language models that advise: a provider by name, and the prompts."""

from importlib.resources import files

from purple.ai.providers.ollama import OllamaProvider
from purple.ai.providers.openai_compatible import OpenAiProvider
from purple.domain.ports import ModelProvider
from purple.settings.app import AiSettings


def provider(settings: AiSettings) -> ModelProvider | None:
    """The configured model, or None."""
    match settings.provider:
        case "ollama":
            return OllamaProvider(settings)
        case "openai":
            return OpenAiProvider(settings)
        case "none":
            return None


def prompt(name: str) -> str:
    """The text of a prompt."""
    return (files(__name__) / "prompts" / f"{name}.md").read_text(encoding="utf-8")
