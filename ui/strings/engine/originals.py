"""What the engine says of originals that are replaced in place, and brought back."""

from __future__ import annotations

DE = {
    "A folder for the originals is only used where they are replaced (--in-place).": "Ein Ordner für die Originale "
    "wird nur gebraucht, wo sie ersetzt werden (--in-place).",
    "A folder that is watched cannot be replaced in place: results would come in again.": "In einem beobachteten "
    "Ordner kann nichts ersetzt werden: Ergebnisse kämen wieder herein.",
    "Pictures in '{}' cannot be replaced in place. Extract them first.": "Bilder in „{}“ können nicht an ihrer Stelle "
    "ersetzt werden. Sie zuerst entpacken.",
    "Name a folder for the originals.": "Einen Ordner für die Originale nennen.",
    "Another program is replacing originals of '{}'. Wait for it.": "Ein anderes Programm ersetzt gerade Originale "
    "von „{}“. Darauf warten.",
    "'{}' is a link; name the file that it points to, '{}'.": "„{}“ ist eine Verknüpfung; die Datei nennen, auf die "
    "sie zeigt: „{}“.",
    "'{}' is no file that could be replaced.": "„{}“ ist keine Datei, die ersetzt werden könnte.",
    "'{}' is not replaced: '{}' exists already.": "„{}“ wird nicht ersetzt: „{}“ gibt es schon.",
    "'{}' cannot be replaced: its folder may not be written.": "„{}“ kann nicht ersetzt werden: In seinen Ordner darf "
    "nicht geschrieben werden.",
    "'{}' was changed while it was enhanced; it was left as it is.": "„{}“ wurde während der Verbesserung geändert und "
    "blieb, wie es ist.",
    "'{}' cannot be kept in '{}': {}. It stays as it is, and was not replaced.": "„{}“ kann nicht in „{}“ aufgehoben "
    "werden: {}. Es bleibt, wie es ist, und wurde nicht ersetzt.",
    "'{}' cannot be moved to the trash: {}. It stays as it is; name a folder for the originals instead (--backup).": ""
    "„{}“ kann nicht in den Papierkorb: {}. Es bleibt, wie es ist; stattdessen einen Ordner für die Originale nennen "
    "(--backup).",
    "No run '{}' that replaced originals is there to be undone.": "Es gibt keinen Lauf „{}“, der Originale "
    "ersetzt hat.",
    "No run that replaced originals is there to be undone.": "Es gibt keinen Lauf, der Originale ersetzt hat.",
    "'{}' is not brought back: another file of that name is there.": "„{}“ wird nicht zurückgeholt: Eine andere Datei "
    "heißt so.",
    "'{}' is not brought back: '{}' was changed since, and is left alone.": "„{}“ wird nicht zurückgeholt: „{}“ wurde "
    "seither geändert und bleibt, wie es ist.",
    "'{}' cannot be brought back: {}.": "„{}“ kann nicht zurückgeholt werden: {}.",
    "The original of '{}' is not in '{}' any more, or was changed there.": "Das Original von „{}“ ist nicht mehr in "
    "„{}“ oder wurde dort geändert.",
    "'{}' lies in the system's trash; put it back from there. '{}' stays.": "„{}“ liegt im Papierkorb des Systems und "
    "ist von dort zurückzuholen. „{}“ bleibt.",
    "The original of '{}' is not in the trash any more.": "Das Original von „{}“ ist nicht mehr im Papierkorb.",
}
