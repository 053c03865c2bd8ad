"""Language models that advise: a provider by name, and the prompts."""

from importlib.resources import files

from purple.domain.ports import ModelProvider
from purple.settings.app import AiSettings


def provider(settings: AiSettings) -> ModelProvider | None:
    """The configured model, or None. Only its own client is imported: some take a second, and tens of megabytes."""
    match settings.provider:
        case "ollama":
            from purple.ai.providers.ollama import OllamaProvider  # noqa: PLC0415 - see above

            return OllamaProvider(settings)
        case "openai":
            from purple.ai.providers.openai_compatible import OpenAiProvider  # noqa: PLC0415 - see above

            return OpenAiProvider(settings)
        case "none":
            return None


def prompt(name: str) -> str:
    """The text of a prompt."""
    return (files(__name__) / "prompts" / f"{name}.md").read_text(encoding="utf-8")
