"""What the engine says of documents: files of several pages."""

from __future__ import annotations

DE = {
    "1 page": "1 Seite",
    "{} pages": "{} Seiten",
    "'{}' has {}; there is no page {}.": "„{}“ hat {}; eine Seite {} gibt es nicht.",
    "'{}' has no page {}.": "„{}“ hat keine Seite {}.",
    "pages must look like 1-3,7 or 5-, counted from 1, not '{}'": "Seiten werden wie 1-3,7 oder 5- angegeben und ab 1 "
    "gezählt, nicht als „{}“",
    "'{}' has {} pages to be enhanced, and {} holds one. Save as TIFF or PDF, or choose one page (--pages 1).": "„{}“ "
    "hat {} Seiten, die verbessert werden sollen, und {} fasst eine. Als TIFF oder PDF speichern, oder eine Seite "
    "wählen (--pages 1).",
    "'{}' becomes a document, for which no largest file size can be kept. Leave that out, or choose one page (--pages "
    "1) and save it as JPEG.": "„{}“ wird ein Dokument, für das sich keine größte Dateigröße einhalten lässt. Diese "
    "weglassen, oder eine Seite wählen (--pages 1) und als JPEG speichern.",
    "Faces are numbered on one page, and '{}' has {} to be enhanced. Choose one page (--pages 1) or no faces.": "In "
    "„{}“ sollen {} Seiten verbessert werden, und Gesichter sind auf einer Seite nummeriert. Eine Seite wählen "
    "(--pages 1) oder keine Gesichter.",
    "Page {} could not be enhanced and was put in as it is: {}": "Seite {} ließ sich nicht verbessern und wurde "
    "unverändert übernommen: {}",
    "Page {} could not be read and was left out: {}": "Seite {} ließ sich nicht lesen und fehlt im Ergebnis: {}",
    "Page {}: {}": "Seite {}: {}",
    "The fidelity of a document's pages cannot be moved afterwards; run it again.": "Die Treue lässt sich bei den "
    "Seiten eines Dokuments nicht nachträglich verschieben; bitte noch einmal rechnen.",
    "'{}' is protected by a password. Save it without one in a PDF program, and take that file.": "„{}“ ist durch ein "
    "Kennwort geschützt. In einem PDF-Programm ohne Kennwort speichern und diese Datei nehmen.",
    "'{}' has more than {} pages, which is the limit (REALESRGAN_MAX_PAGES). Cut it into parts, or raise the "
    "limit.": "„{}“ hat mehr als {} Seiten; das ist die Grenze (REALESRGAN_MAX_PAGES). In Teile zerlegen oder die "
    "Grenze anheben.",
    "'{}' has a page without an area ({}x{} points).": "„{}“ hat eine Seite ohne Fläche ({}x{} Punkt).",
    "'{}' holds a picture of {}x{} pixels on a page; the limit is {} megapixels (REALESRGAN_MAX_IMAGE_"
    "MEGAPIXELS).": "„{}“ enthält auf einer Seite ein Bild von {}x{} Pixeln; die Grenze ist {} Megapixel "
    "(REALESRGAN_MAX_IMAGE_MEGAPIXELS).",
    "A page of '{}' took over {} seconds to draw, and was given up.": "Eine Seite von „{}“ zu zeichnen dauerte über {} "
    "Sekunden und wurde aufgegeben.",
    "'{}' holds parts that are over {} MB once they are unpacked; it is refused.": "„{}“ enthält Teile, die entpackt "
    "über {} MB groß sind; die Datei wird abgelehnt.",
    "'{}' cannot be put into a PDF.": "„{}“ lässt sich nicht in ein PDF einsetzen.",
}
