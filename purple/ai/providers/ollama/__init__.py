"""Ollama. Source: its API document, `POST /api/chat` with `format`."""

from collections.abc import Mapping
from typing import Any

import httpx
import ollama

from purple.domain.errors import UnavailableError
from purple.settings.app import AiSettings


class OllamaProvider:
    """See `domain.ports.ModelProvider`."""

    def __init__(self, settings: AiSettings) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        """Provider and model."""
        return f"ollama/{self._settings.model}"

    async def complete(self, *, system: str, prompt: str, schema: Mapping[str, Any]) -> str:
        """One answer, held to the schema by Ollama's decoder."""
        settings = self._settings
        client = ollama.AsyncClient(host=settings.base_url or None, timeout=settings.timeout_s)
        try:
            answer = await client.chat(
                model=settings.model,
                messages=[{"role": "system", "content": system}, {"role": "user", "content": prompt}],
                format=dict(schema),
                options={"temperature": 0, "num_predict": settings.max_tokens},
            )
        except (ollama.ResponseError, httpx.HTTPError, ConnectionError) as error:
            raise UnavailableError(f"the model {self.name} did not answer: {error}"[:300]) from error
        finally:
            await client.close()  # type: ignore[no-untyped-call]  # the library forgot its annotation
        return answer.message.content or ""
