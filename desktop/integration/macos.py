"""macOS: Quick Actions of the Finder (Automator workflows), and an application that opens the window."""

from __future__ import annotations

import io
import plistlib
import shlex
import subprocess
from pathlib import Path
from typing import Any

from desktop.integration.entries import ACTIONS, APPLICATION, ICONS, Action, Entry, Places
from desktop.words import NAME

_IDENTIFIER = "org.realesrgan-ultimate.application"
_FILES = "com.apple.cocoa.string"
_SERVICES = Path("/System/Library/CoreServices/pbs")


def entries(places: Places, command: tuple[str, ...], language: str) -> list[Entry]:
    """All files of the bundles. Quick Actions are shown by one name, so it has one language."""
    made = []
    for action in ACTIONS:
        bundle = places.home / "Library" / "Services" / f"{action.label(language)}.workflow" / "Contents"
        made.append(Entry(bundle / "Info.plist", plistlib.dumps(_service(action, language))))
        made.append(Entry(bundle / "document.wflow", plistlib.dumps(_workflow(command, action))))
    bundle = places.home / "Applications" / f"{NAME}.app" / "Contents"
    script = f"#!/bin/sh\nexec {shlex.join([*command, '--window'])}\n"
    made.append(Entry(bundle / "Info.plist", plistlib.dumps(_application())))
    made.append(Entry(bundle / "MacOS" / APPLICATION, script.encode(), True))
    made.append(Entry(bundle / "Resources" / "icon.icns", _icon()))
    return made


def made(places: Places) -> list[Path]:
    """Nothing besides the entries."""
    return []


def tell(places: Places, there: bool) -> None:
    """The Finder looks for new services."""
    if there:
        tidy(places)


def tidy(places: Places) -> None:
    """The same after they are gone."""
    if _SERVICES.exists():
        subprocess.run([str(_SERVICES), "-update"], capture_output=True, timeout=60, check=False)


def _icon() -> bytes:
    from PIL import Image

    kept = io.BytesIO()
    with Image.open(ICONS / "icon.png") as picture:
        picture.convert("RGBA").save(kept, "icns")
    return kept.getvalue()


def _application() -> dict[str, Any]:
    return {
        "CFBundleName": NAME,
        "CFBundleDisplayName": NAME,
        "CFBundleIdentifier": _IDENTIFIER,
        "CFBundleExecutable": APPLICATION,
        "CFBundleIconFile": "icon",
        "CFBundlePackageType": "APPL",
        "CFBundleVersion": "1",
        "NSHighResolutionCapable": True,
    }


def _service(action: Action, language: str) -> dict[str, Any]:
    kinds = ["public.image"] if action.pictures_only else ["public.image", "public.movie", "public.folder"]
    return {
        "NSServices": [
            {
                "NSMenuItem": {"default": action.label(language)},
                "NSMessage": "runWorkflowAsService",
                "NSRequiredContext": {"NSApplicationIdentifier": "com.apple.finder"},
                "NSSendFileTypes": kinds,
            }
        ]
    }


def _workflow(command: tuple[str, ...], action: Action) -> dict[str, Any]:
    """One step: a shell script that gets the files as its arguments (``inputMethod`` 1), whatever their names hold."""
    script = f'exec {shlex.join([*command, *action.arguments])} "$@"'
    step = {
        "AMAccepts": {"Container": "List", "Optional": True, "Types": [_FILES]},
        "AMActionVersion": "2.0.3",
        "AMApplication": ["Automator"],
        "AMParameterProperties": {
            name: {} for name in ("COMMAND_STRING", "CheckedForUserDefaultShell", "inputMethod", "shell", "source")
        },
        "AMProvides": {"Container": "List", "Types": [_FILES]},
        "ActionBundlePath": "/System/Library/Automator/Run Shell Script.action",
        "ActionName": "Run Shell Script",
        "ActionParameters": {
            "COMMAND_STRING": script,
            "CheckedForUserDefaultShell": True,
            "inputMethod": 1,
            "shell": "/bin/sh",
            "source": "",
        },
        "BundleIdentifier": "com.apple.RunShellScript",
        "CFBundleVersion": "2.0.3",
        "Class Name": "RunShellScriptAction",
        "CanShowSelectedItemsWhenRun": False,
        "CanShowWhenRun": True,
    }
    kind = "com.apple.Automator.fileSystemObject" + (".image" if action.pictures_only else "")
    return {
        "AMApplicationBuild": "512",
        "AMApplicationVersion": "2.10",
        "AMDocumentVersion": "2",
        "actions": [{"action": step, "isViewVisible": 1}],
        "connectors": {},
        "workflowMetaData": {
            "applicationBundleID": "com.apple.finder",
            "applicationPath": "/System/Library/CoreServices/Finder.app",
            "inputTypeIdentifier": kind,
            "outputTypeIdentifier": "com.apple.Automator.nothing",
            "presentationMode": 11,
            "processesInput": False,
            "serviceApplicationBundleID": "com.apple.finder",
            "serviceApplicationPath": "/System/Library/CoreServices/Finder.app",
            "serviceInputTypeIdentifier": kind,
            "serviceOutputTypeIdentifier": "com.apple.Automator.nothing",
            "serviceProcessesInput": False,
            "workflowTypeIdentifier": "com.apple.Automator.servicesMenu",
        },
    }


__all__ = ["entries", "made", "tell", "tidy"]
