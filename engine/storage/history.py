"""What was done: every run with its input, settings, model, timings and outcome, in a database.

SQLite in a file of the data folder by default; any address that SQLAlchemy understands otherwise. Several threads and
processes may use one history at a time.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack

from engine.types import EnhanceResult, EnhanceSettings
from utils.engine_config import EngineConfig
from utils.errors import HistoryError
from utils.json_types import JsonObject

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection, Engine, Row, Select, Table

logger = logging.getLogger(__name__)

DATABASE_NAME = "history.db"
_BUSY_SECONDS = 15
_CREATE_ATTEMPTS = 5
_NOT_UTF8 = re.compile(r"\\u(d[89a-f][0-9a-f]{2})")


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        id: 0 until it is recorded.
        created: UTC, when it ended.
        input_hash, model_hash: SHA-256; empty where unknown (the model's: for classical resamplers).
        key: SHA-256 of everything that decides the result's pixels and format, see ``recording.run_key``.
        settings: as JSON values, only those that differ from the defaults.
        outcome: "done", "failed" or "cancelled"; ``error`` says why.
        output_bytes: size of the output file when it was written.
        seconds: load, inference, total.
    """

    input_name: str
    input_path: str
    input_hash: str
    key: str
    settings: JsonObject
    outcome: str
    model: str = ""
    model_hash: str = ""
    backend: str = ""
    device: str = ""
    precision: str = ""
    input_size: tuple[int, int] = (0, 0)
    output_size: tuple[int, int] = (0, 0)
    output_path: str = ""
    output_bytes: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    metrics: JsonObject = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: str = ""
    id: int = 0
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def output_is_there(self) -> bool:
        """Whether the output file still exists, with the size that it was written with."""
        if not self.output_path:
            return False
        try:
            return Path(self.output_path).stat().st_size == self.output_bytes
        except OSError:
            return False

    def enhance_settings(self) -> EnhanceSettings:
        """The settings, to run again. Raises ``InvalidSettingsError`` when this version knows them no more."""
        return EnhanceSettings.create(**self.settings)

    def to_json(self) -> JsonObject:
        """The fields as JSON values, the time in ISO 8601, and whether the output is still there."""
        values = asdict(self)
        values["created"] = self.created.isoformat(timespec="seconds")
        values["output_is_there"] = self.output_is_there
        return values


class KnownOfRun(TypedDict):
    """The fields of a ``Run`` that the engine's result does not hold."""

    input_name: str
    input_path: str
    input_hash: str
    key: str
    settings: JsonObject
    model_hash: NotRequired[str]


class History:
    """Records and finds runs.

    Args:
        url: SQLAlchemy's address of the database, e.g. ``sqlite:////home/me/history.db``.

    Raises (every method): ``HistoryError`` when the database cannot be reached or used.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: Engine | None = None
        self._runs: Table | None = None

    @classmethod
    def from_config(cls, config: EngineConfig) -> History:
        """The history that the settings ask for: ``database_url``, else a file in ``data_dir``."""
        return cls(config.database_url or f"sqlite:///{Path(config.data_dir) / DATABASE_NAME}")

    def record(self, run: Run) -> Run:
        """Keep a run; returns it with its id."""
        values = {name: value for name, value in asdict(run).items() if name != "id"}
        for name in ("settings", "seconds", "metrics", "warnings", "input_size", "output_size"):
            values[name] = json.dumps(values[name], ensure_ascii=False, default=str)
        values = {name: _storable(value) if isinstance(value, str) else value for name, value in values.items()}
        values["created"] = run.created.astimezone(UTC).replace(tzinfo=None)
        with self._connected() as connection:
            key = connection.execute(self._table.insert().values(**values)).inserted_primary_key
        assert key is not None
        return Run(**{**{name: getattr(run, name) for name in run.__dataclass_fields__}, "id": int(key[0])})

    def find(self, key: str) -> Run | None:
        """The newest finished run with this key whose output is still there, unchanged in size."""
        table = self._table
        query = table.select().where(table.c.key == key, table.c.outcome == "done").order_by(table.c.id.desc())
        return next((run for run in self._fetch(query.limit(20)) if run.output_is_there), None)

    def get(self, number: int) -> Run:
        """A run by its id. Raises ``HistoryError`` when there is none."""
        runs = self._fetch(self._table.select().where(self._table.c.id == number))
        if not runs:
            raise HistoryError(f"There is no run {number} in the history.")
        return runs[0]

    def query(
        self,
        *,
        text: str = "",
        model: str = "",
        outcome: str = "",
        since: datetime | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Run]:
        """Runs, newest first.

        Args:
            text: part of the input's or the output's name, without regard to case.
            outcome: "done", "failed" or "cancelled".
            since: only runs from then on; a time without zone counts as UTC.
        """
        table, text = self._table, _storable(text)
        query = table.select().order_by(table.c.id.desc()).limit(limit).offset(offset)
        if text:
            query = query.where(
                table.c.input_name.icontains(text, autoescape=True)
                | table.c.output_path.icontains(text, autoescape=True)
            )
        if model:
            query = query.where(table.c.model == model)
        if outcome:
            query = query.where(table.c.outcome == outcome)
        if since is not None:
            aware = since if since.tzinfo else since.replace(tzinfo=UTC)
            query = query.where(table.c.created >= aware.astimezone(UTC).replace(tzinfo=None))
        return self._fetch(query)

    def count(self) -> int:
        """How many runs are recorded."""
        from sqlalchemy import func, select

        with self._connected() as connection:
            return int(connection.execute(select(func.count()).select_from(self._table)).scalar_one())

    def delete(self, number: int, *, with_output: bool = False) -> Run:
        """Forget a run; returns it.

        Args:
            with_output: delete its output file too, unless another file has taken its place or a later run names it.

        Raises:
            HistoryError: no such run, or the file cannot be deleted (then the run stays too).
        """
        run = self.get(number)
        if with_output and run.output_is_there and not self._others_with(run):
            try:
                Path(run.output_path).unlink()
            except OSError as error:
                raise HistoryError(f"'{run.output_path}' cannot be deleted: {error.strerror or error}.") from error
        with self._connected() as connection:
            connection.execute(self._table.delete().where(self._table.c.id == number))
        return run

    def clear(self) -> int:
        """Forget every run, keep all files; returns how many were forgotten."""
        with self._connected() as connection:
            return int(connection.execute(self._table.delete()).rowcount)

    def close(self) -> None:
        """Let go of the database's connections; the next use opens them again."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    # -- inside ------------------------------------------------------------------------------------------------------

    def _others_with(self, run: Run) -> bool:
        table = self._table
        query = table.select().where(table.c.output_path == _storable(run.output_path), table.c.id != run.id)
        return bool(self._fetch(query.limit(1)))

    @property
    def _table(self) -> Table:
        if self._runs is None:
            self._runs = _table()
        return self._runs

    def _fetch(self, query: Select[*tuple[object, ...]]) -> list[Run]:
        with self._connected() as connection:
            return [_run(row) for row in connection.execute(query)]

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A transaction; faults of the database become ``HistoryError``."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._open().begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, ImportError, UnicodeError, OverflowError) as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise HistoryError(f"The history at '{self._shown_url()}' cannot be used: {reason}.") from error

    def _open(self) -> Engine:
        if self._engine is None:
            from sqlalchemy import create_engine, event
            from sqlalchemy.engine import make_url

            url = make_url(self.url)
            is_sqlite = url.get_backend_name() == "sqlite"
            if is_sqlite and url.database and url.database != ":memory:":
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            made = create_engine(url, connect_args={"timeout": _BUSY_SECONDS} if is_sqlite else {})
            if is_sqlite:
                event.listen(made, "connect", _prepare_sqlite)
            self._create(made)
            self._engine = made
        return self._engine

    def _create(self, engine: Engine) -> None:
        """Make the table where it is missing. Another process may do so at the same moment, and wins."""
        from sqlalchemy.exc import OperationalError, ProgrammingError

        for attempt in range(_CREATE_ATTEMPTS):
            try:
                self._table.metadata.create_all(engine)
                return
            except (OperationalError, ProgrammingError):
                if attempt == _CREATE_ATTEMPTS - 1:
                    engine.dispose()
                    raise
                time.sleep(0.05 * (attempt + 1))

    def _shown_url(self) -> str:
        """The address without its password."""
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            return make_url(self.url).render_as_string(hide_password=True)
        except ArgumentError:
            return "an address that cannot be understood"


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    """Readers do not wait for writers, and a kill loses at most the last run."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _table() -> Table:
    from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, String, Table, Text

    def text(name: str) -> Column[str]:
        return Column(name, Text, nullable=False, default="")

    return Table(
        "runs",
        MetaData(),
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("created", DateTime, nullable=False, index=True),
        Column("key", String(64), nullable=False, index=True),
        Column("input_hash", String(64), nullable=False, index=True),
        Column("model_hash", String(64), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("outcome", String(16), nullable=False),
        Column("backend", String(40), nullable=False),
        Column("device", String(40), nullable=False),
        Column("precision", String(16), nullable=False),
        Column("output_bytes", BigInteger, nullable=False),
        *map(text, ("input_name", "input_path", "output_path", "settings", "seconds", "metrics", "warnings", "error")),
        text("input_size"),
        text("output_size"),
    )


def _storable(text: str) -> str:
    """Text that every database takes: bytes of a file name that are no UTF-8 become ``\\udc80`` ... ``\\udcff``.

    In JSON that is the way to write them anyway.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _as_it_was(text: str) -> str:
    return _NOT_UTF8.sub(lambda found: chr(int(found[1], 16)), text)


def _run(row: Row[*tuple[object, ...]]) -> Run:
    values = dict(row._mapping)
    for name in ("settings", "seconds", "metrics"):
        values[name] = json.loads(values[name])
    for name in ("warnings", "input_size", "output_size"):
        values[name] = tuple(json.loads(values[name]))
    for name in ("input_name", "input_path", "output_path", "error"):
        values[name] = _as_it_was(values[name])
    values["created"] = values["created"].replace(tzinfo=UTC)
    return Run(**values)


def run_of_result(result: EnhanceResult, **known: Unpack[KnownOfRun]) -> Run:
    """A finished run from an engine's result and ``known``, which the result does not hold."""
    told = result.to_json()
    return Run(
        outcome="done",
        model=result.model,
        backend=result.backend,
        device=result.device,
        precision=result.precision,
        input_size=result.input_size,
        output_size=result.output_size,
        output_path=str(result.output_path.resolve()) if result.output_path else "",
        output_bytes=result.output_path.stat().st_size if result.output_path else 0,
        seconds=told["seconds"],
        metrics=result.metrics,
        warnings=result.warnings,
        **known,
    )


__all__: Sequence[str] = ["History", "Run", "run_of_result"]
