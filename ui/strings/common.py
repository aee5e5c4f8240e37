"""Words that belong to the frame and to several tabs."""

from __future__ import annotations

EN = {
    "app_tagline": "Enlarge and restore pictures and films, on this machine.",
    "tab_image": "Image Enhancement",
    "tab_video": "Video",
    "tab_batch": "Batch",
    "tab_presets": "Presets",
    "tab_system": "System Info",
    "cancel": "Cancel",
    "refresh": "Refresh",
    "queue_waiting": "Waiting: place {position} in the queue.",
    "queue_full": "{waiting} jobs are waiting already. Try again in a moment.",
    "seconds": "{seconds:.1f} s",
    "minutes": "{minutes} min {seconds:02d} s",
    "hours": "{hours} h {minutes:02d} min",
    "days": "{days} days {hours} h",
    "left": "about {time} left",
    "progress": "{stage}: {done} of {total}",
    "not_done": "**Not done.** {reason}",
    "toast_note": "Note",
    "toast_trouble": "That did not work",
}

DE = {
    "app_tagline": "Bilder und Filme vergrößern und auffrischen, auf diesem Rechner.",
    "tab_image": "Bild verbessern",
    "tab_video": "Video",
    "tab_batch": "Stapel",
    "tab_presets": "Vorlagen",
    "tab_system": "System",
    "cancel": "Abbrechen",
    "refresh": "Aktualisieren",
    "queue_waiting": "Wartet: Platz {position} in der Schlange.",
    "queue_full": "Es warten schon {waiting} Aufträge. Bitte gleich noch einmal versuchen.",
    "seconds": "{seconds:.1f} s",
    "minutes": "{minutes} min {seconds:02d} s",
    "hours": "{hours} h {minutes:02d} min",
    "days": "{days} Tage {hours} h",
    "left": "noch etwa {time}",
    "progress": "{stage}: {done} von {total}",
    "not_done": "**Nicht ausgeführt.** {reason}",
    "toast_note": "Hinweis",
    "toast_trouble": "Das ging nicht",
}
