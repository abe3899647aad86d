"""The command line of `energy-server verify`.

In:   arguments; the token from the setting or the data folder, as for the server.
Out:  a table on stdout; exit status 0 when nothing is missing or different, 1 when something is, 2 when it could not
      be found out, with a line on stderr that says why.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from energy_server.api.auth import load_token
from energy_server.errors import StoreUnavailableError
from energy_server.model.coverage import Span
from energy_server.settings import Settings, SettingsError, load
from energy_server.verify.compare import History, Reason, Verdict, verdict
from energy_server.verify.recorder import EPOCH, MICROSECOND, RecorderFile, RecorderFileError, opened
from energy_server.verify.stored import ServerRefusedError, StoredEntity, StoredReadings, asking

GOOD, BAD, UNKNOWN = 0, 1, 2
SETTLED_AFTER_US = 120_000_000
"""What is newer may still be on its way."""
SHOWN = 5


def _instant(text: str) -> int:
    when = datetime.fromisoformat(text)
    return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND


def _parser() -> argparse.ArgumentParser:
    cli = argparse.ArgumentParser(
        prog="energy-server verify",
        description="Compare what the running server has stored with Home Assistant's recorder, reading by reading.",
        allow_abbrev=False,
    )
    cli.add_argument("--recorder", type=Path, required=True, metavar="FILE", help="Home Assistant's database file.")
    cli.add_argument("--start", type=_instant, metavar="TIME", help="ISO 8601, UTC unless it says; the oldest state.")
    cli.add_argument("--end", type=_instant, metavar="TIME", help="ISO 8601; two minutes ago unless given.")
    cli.add_argument("--entity", action="append", metavar="ENTITY_ID", help="May be given several times; else all.")
    cli.add_argument("--site", help="Id of the Home Assistant, where the server knows several.")
    cli.add_argument("--url", help="Address of the server; this machine's by default.")
    cli.add_argument("--data-path", type=Path, help="The server's data folder, where its token is.")
    return cli


async def _judge(
    recorder: RecorderFile, server: StoredReadings, entity: StoredEntity, start_us: int | None, end_us: int
) -> Verdict:
    oldest_us = recorder.oldest_us(entity.entity_id)
    since_us = oldest_us or 0 if start_us is None else start_us
    span = Span(since_us, max(since_us, end_us))
    recorded = recorder.readings(entity.entity_id, span, counter=entity.counter)
    stored = await server.readings(entity, span) if span.until_us > span.since_us else {}
    history = History(oldest_us, recorder.unwritten(entity.entity_id, counter=entity.counter))
    return verdict(recorded, stored, entity.unit, history)


async def _verify(arguments: argparse.Namespace, url: str, token: str) -> int:
    now_us = (datetime.now(UTC) - EPOCH) // MICROSECOND
    end_us = now_us - SETTLED_AFTER_US if arguments.end is None else arguments.end
    verdicts: dict[str, Verdict] = {}
    with opened(arguments.recorder) as recorder:
        async with asking(url, token, arguments.site) as server:
            entities = {entity.entity_id: entity for entity in await server.entities()}
            chosen: Sequence[str] = arguments.entity or sorted(entities)
            for entity_id in chosen:
                if entity_id not in entities:
                    raise ServerRefusedError(f"the server does not know {entity_id}")
                verdicts[entity_id] = await _judge(recorder, server, entities[entity_id], arguments.start, end_us)
                _print_one(entity_id, verdicts[entity_id])
    _print_sum(verdicts)
    return GOOD if all(found.good for found in verdicts.values()) else BAD


def _print_one(entity_id: str, found: Verdict) -> None:
    extra = sum(found.extra.values())
    print(
        f"{entity_id:<48} {found.recorded:>9} recorded {found.stored:>9} stored {len(found.missing):>5} missing "
        f"{len(found.different):>5} different {extra:>5} extra"
    )
    for reason, count in found.extra.items():
        print(f"    {count} extra: {reason}")
    for instant_us in found.missing[:SHOWN]:
        print(f"    missing: {_iso(instant_us)}")
    for instant_us, wanted, stored in found.different[:SHOWN]:
        print(f"    different: {_iso(instant_us)} recorded {wanted} stored {stored}")
    if found.unknown_units:
        print(f"    values not compared, of an unknown unit: {', '.join(sorted(found.unknown_units))}")


def _print_sum(verdicts: dict[str, Verdict]) -> None:
    total = list(verdicts.values())
    reasons = {reason: sum(found.extra.get(reason, 0) for found in total) for reason in Reason}
    print(
        f"{len(total)} entities, {sum(found.recorded for found in total)} recorded readings: "
        f"missing {sum(len(found.missing) for found in total)}, "
        f"different {sum(len(found.different) for found in total)}, extra {sum(reasons.values())}"
    )
    for reason, count in reasons.items():
        if count:
            print(f"  extra {count}: {reason}")


def _iso(instant_us: int) -> str:
    return (EPOCH + instant_us * MICROSECOND).isoformat()


def _settings(data_path: Path | None) -> Settings:
    return load({} if data_path is None else {"data_path": str(data_path)}, None)


def main(arguments: Sequence[str]) -> int:
    """Run the command; return the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = _settings(chosen.data_path)
        token = load_token(settings.token, settings.data_path)
        return asyncio.run(_verify(chosen, chosen.url or f"http://127.0.0.1:{settings.port}", token))
    except (RecorderFileError, ServerRefusedError, SettingsError, StoreUnavailableError) as err:
        print(f"energy-server verify: {err}", file=sys.stderr)
        return UNKNOWN
