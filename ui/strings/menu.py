"""Words of the menu beside the title: the language, and the keys."""

from __future__ import annotations

EN = {
    "menu_language": "Language",
    "menu_auto": "Language: automatic",
    "menu_keys": "Keyboard shortcuts",
    "menu_close": "Close",
    "key_enhance": "Enhance the picture",
    "key_cancel": "Cancel what runs",
    "key_before": "Before, after, and back",
    "key_heat": "Show where the result differs",
    "key_one": "One picture pixel on one of the screen",
    "key_fit": "Fit the picture in",
    "key_zoom": "Zoom in and out",
    "key_full": "Full screen",
    "key_help": "This list",
}

DE = {
    "menu_language": "Sprache",
    "menu_auto": "Sprache: automatisch",
    "menu_keys": "Tastenkürzel",
    "menu_close": "Schließen",
    "key_enhance": "Bild verbessern",
    "key_cancel": "Abbrechen, was läuft",
    "key_before": "Vorher, nachher und zurück",
    "key_heat": "Zeigen, wo das Ergebnis abweicht",
    "key_one": "Ein Bildpunkt auf einen des Schirms",
    "key_fit": "Bild einpassen",
    "key_zoom": "Vergrößern und verkleinern",
    "key_full": "Vollbild",
    "key_help": "Diese Liste",
}
