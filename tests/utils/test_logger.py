"""The log: one file that later looks find again, nothing written twice, no folder needed to start."""

from __future__ import annotations

import json
import logging

import pytest

from utils.logger import log_tail, setup_logging


@pytest.fixture(autouse=True)
def root():
    """The root logger, afterwards as it was before."""
    logger = logging.getLogger()
    level, handlers = logger.level, list(logger.handlers)
    yield logger
    setup_logging(None)
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logging.captureWarnings(False)


def test_what_is_logged_is_in_the_file_once_however_often_it_is_set_up(tmp_path):
    for _ in range(3):
        setup_logging(tmp_path / "logs")
    logging.getLogger("engine.test").info("a picture: %s", "ünïcode")
    logging.getLogger("engine.test").debug("too small a thing")
    (line,) = log_tail(tmp_path / "logs").splitlines()
    assert line.endswith("INFO engine.test: a picture: ünïcode")


@pytest.mark.parametrize("as_json", [False, True])
def test_names_that_are_no_text_are_escaped(tmp_path, capsys, as_json):
    setup_logging(tmp_path, as_json=as_json, console_level="CRITICAL")
    logging.getLogger("engine.test").info("'%s'", b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert r"'caf\udce9'" in log_tail(tmp_path)
    assert "Logging error" not in capsys.readouterr().err


def test_as_json_every_line_is_an_object_with_its_traceback(tmp_path):
    setup_logging(tmp_path, as_json=True, console_level="CRITICAL")
    try:
        raise ValueError("näher")
    except ValueError:
        logging.getLogger("engine.test").exception("It failed")
    entry = json.loads(log_tail(tmp_path))
    assert (entry["level"], entry["logger"], entry["message"]) == ("ERROR", "engine.test", "It failed")
    assert "ValueError: näher" in entry["traceback"]


def test_standard_output_stays_free(tmp_path, capsys):
    setup_logging(tmp_path, console_level="ERROR")
    logging.getLogger("engine.test").warning("a small thing")
    logging.getLogger("engine.test").error("a large thing")
    shown = capsys.readouterr()
    assert shown.out == "" and "large" in shown.err and "small" not in shown.err


def test_a_folder_that_cannot_be_written_costs_the_file_alone(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    setup_logging(tmp_path / "file" / "logs")
    logging.getLogger("engine.test").warning("still told")
    errors = capsys.readouterr().err
    assert "No log file" in errors and "still told" in errors
    assert log_tail(tmp_path / "file" / "logs") == ""


def test_the_tail_is_the_last_lines(tmp_path):
    setup_logging(tmp_path, console_level="CRITICAL")
    for number in range(50):
        logging.getLogger("engine.test").info("line %d", number)
    assert [line.rpartition(" ")[2] for line in log_tail(tmp_path, 3).splitlines()] == ["47", "48", "49"]
