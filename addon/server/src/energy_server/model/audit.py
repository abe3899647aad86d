"""What Home Assistant's recorder says it has, for comparison with what we have."""

from collections.abc import Mapping
from dataclasses import dataclass

from energy_server.model.coverage import Span


@dataclass(frozen=True, slots=True)
class Counted:
    """How many readings the recorder has of these Entities in each full UTC hour of the span, (key, start) -> count."""

    span: Span
    keys: tuple[str, ...]
    counts: Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Digested:
    """Texts that change when the recorder's hourly statistics of (key, span) do."""

    keys: tuple[str, ...]
    digests: Mapping[tuple[str, Span], str]
