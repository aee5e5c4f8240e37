"""Notifications of the desktop, through what each system has for them; nothing has to be installed."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path

from desktop.words import NAME

logger = logging.getLogger(__name__)

ICON = Path(__file__).with_name("icon.png")
_SECONDS = 10.0
_MOST = 500
"""Characters of a title or a text; a notification shows fewer."""
_MAC = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)
_WINDOWS = """
$null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$null = [Windows.Data.Xml.Dom.XmlDocument, Windows.Data.Xml.Dom.XmlDocument, ContentType = WindowsRuntime]
$title = [System.Security.SecurityElement]::Escape($env:NOTICE_TITLE)
$text = [System.Security.SecurityElement]::Escape($env:NOTICE_TEXT)
$xml = New-Object Windows.Data.Xml.Dom.XmlDocument
$xml.LoadXml("<toast><visual><binding template='ToastGeneric'><text>$title</text><text>$text</text></binding></visual></toast>")
$app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
$toast = New-Object Windows.UI.Notifications.ToastNotification $xml
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($app).Show($toast)
"""  # noqa: E501 - an element in one piece


def notify(title: str, text: str) -> bool:
    """Show a notification; False where this desktop has none. Waits a few seconds at most, raises nothing."""
    command, environment = command_for(_plain(title), _plain(text))
    if command is None:
        logger.info("This desktop shows no notifications")
        return False
    try:
        subprocess.run(command, env={**os.environ, **environment}, capture_output=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        logger.info("A notification could not be shown: %s", error)
        return False
    return True


def command_for(title: str, text: str, platform: str = sys.platform) -> tuple[list[str] | None, dict[str, str]]:
    """What shows a notification, and the variables that it reads. None where there is nothing."""
    if platform == "darwin":
        lines = [part for line in _MAC for part in ("-e", line)]
        return ["/usr/bin/osascript", *lines, title, text], {}
    if platform == "win32":
        command = ["powershell.exe", "-NoProfile", "-NonInteractive", "-Command", _WINDOWS]
        return command, {"NOTICE_TITLE": title, "NOTICE_TEXT": text}
    if tool := shutil.which("notify-send"):
        return [tool, f"--app-name={NAME}", f"--icon={ICON}", "--", title, escape(text, quote=False)], {}
    if tool := shutil.which("gdbus"):
        name = "org.freedesktop.Notifications"
        call = [tool, "call", "--session", "--dest", name, "--object-path", "/org/freedesktop/Notifications"]
        quoted = [json.dumps(one) for one in (str(ICON), title, escape(text, quote=False))]
        return [*call, "--method", f"{name}.Notify", json.dumps(NAME), "0", *quoted, "[]", "{}", "-1"], {}
    return None, {}


def _plain(text: str) -> str:
    """Without what would end it early or cannot be handed on."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:_MOST]


__all__ = ["ICON", "command_for", "notify"]
