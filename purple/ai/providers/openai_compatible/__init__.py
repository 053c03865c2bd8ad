"""Any server that speaks OpenAI's chat completions with a JSON schema."""

from collections.abc import Mapping
from typing import Any

import openai

from purple.domain.errors import UnavailableError
from purple.settings.app import AiSettings


class OpenAiProvider:
    """See `domain.ports.ModelProvider`."""

    def __init__(self, settings: AiSettings) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        """Provider and model."""
        return f"openai/{self._settings.model}"

    async def complete(self, *, system: str, prompt: str, schema: Mapping[str, Any]) -> str:
        """One answer, held to the schema by the server where it can."""
        settings = self._settings
        client = openai.AsyncOpenAI(
            base_url=settings.base_url or None,
            api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
            timeout=settings.timeout_s,
            max_retries=1,
        )
        try:
            async with client:
                answer = await client.chat.completions.create(
                    model=settings.model,
                    messages=[{"role": "system", "content": system}, {"role": "user", "content": prompt}],
                    temperature=0,
                    max_tokens=settings.max_tokens,
                    response_format={
                        "type": "json_schema",
                        "json_schema": {"name": "triage", "schema": dict(schema), "strict": True},
                    },
                )
        except openai.OpenAIError as error:
            raise UnavailableError(f"the model {self.name} did not answer: {error}"[:300]) from error
        return (answer.choices[0].message.content if answer.choices else "") or ""
