"""What the engine says of files, folders, ZIP files and batches."""

from __future__ import annotations

DE = {
    # Batches
    "'{}' is refused: its member '{}' would be written outside.": "„{}“ wird abgelehnt: „{}“ darin würde außerhalb "
    "geschrieben.",
    "'{}' is refused: with '{}' it is over the limit of extracted bytes.": "„{}“ wird abgelehnt: mit „{}“ ist die "
    "Grenze der entpackten Bytes überschritten.",
    "'{}' is not a ZIP file that can be read: {}.": "„{}“ ist keine lesbare ZIP-Datei: {}.",
    "'{}' cannot be extracted: {}.": "„{}“ kann nicht entpackt werden: {}.",
    "'{}' holds {} pictures; the limit is {}.": "„{}“ enthält {} Bilder; die Grenze ist {}.",
    "{} batches are waiting already. Try again when some have ended.": "Es warten schon {} Stapel. Bitte noch "
    "einmal, wenn einige fertig sind.",
    "{}: {}; see the log.": "{}: {}; siehe Protokoll.",
    "Another batch is writing to '{}'. Wait for it, or choose another output folder.": "Ein anderer Stapel schreibt "
    "nach „{}“. Darauf warten oder einen anderen Ordner wählen.",
    "Cannot write the journal in '{}': {}.": "Das Protokoll in „{}“ kann nicht geschrieben werden: {}.",
    "The name template '{}' has unknown fields: {}.": "Die Namensvorlage „{}“ hat unbekannte Felder: {}.",
    "The name template '{}' does not give a file name ('{}').": "Die Namensvorlage „{}“ ergibt keinen Dateinamen "
    "(„{}“).",
    "The name template '{}' needs {stem} or {number} to tell files apart.": "Die Namensvorlage „{}“ braucht {stem} "
    "oder {number}, um Dateien zu unterscheiden.",
    "The name template '{}' cannot be used ({}); its fields are {}.": "Die Namensvorlage „{}“ ist nicht brauchbar "
    "({}); ihre Felder sind {}.",
    "'{}' would become '{}', but {}; it becomes '{}'.": "„{}“ würde „{}“, aber {}; es wird „{}“.",
    "so would '{}'": "so hieße auch „{}“",
    "that is one of the inputs": "so heißt eines der Originale",
    "a file of that name exists": "eine Datei heißt schon so",
    "The results will take about {} GB, but only {} GB are free on that disk.": "Die Ergebnisse brauchen etwa {} GB, "
    "aber nur {} GB sind dort frei.",
    "No picture was found in {}. Name picture files, folders or ZIP files.": "In {} wurde kein Bild gefunden. "
    "Bilder, Ordner oder ZIP-Dateien nennen.",
    "{} Choose another name template or output folder.": "{} Eine andere Namensvorlage oder einen anderen Ordner "
    "wählen.",
    "No unfinished batch is in '{}'. Name the pictures to enhance.": "In „{}“ ist kein unfertiger Stapel. Die Bilder "
    "nennen, die verbessert werden sollen.",
    "'{}' cannot be used: {}. Start the batch anew.": "„{}“ ist nicht brauchbar: {}. Den Stapel neu beginnen.",
    "'{}' failed unexpectedly ({}: {}); see the log.": "„{}“ ist unerwartet gescheitert ({}: {}); siehe Protokoll.",
    # Reading
    "'{}' does not exist.": "„{}“ gibt es nicht.",
    "'{}' cannot be read: {}.": "„{}“ ist nicht lesbar: {}.",
    "Cannot read '{}': {}.": "„{}“ ist nicht lesbar: {}.",
    "'{}' is damaged: it claims {}x{} pixels, and WebP holds {} a side.": "„{}“ ist beschädigt: angeblich {}x{} Pixel, "
    "und WebP fasst {} je Seite.",
    "'{}' is not a picture that can be read (PNG, JPEG, WebP, AVIF, TIFF, GIF, BMP, HEIC, JPEG XL, JPEG 2000, PSD, "
    "HDR, OpenEXR, camera raw, PDF), or it is damaged at its very start.": "„{}“ ist kein lesbares Bild (PNG, JPEG, "
    "WebP, AVIF, TIFF, GIF, BMP, HEIC, JPEG XL, JPEG 2000, PSD, HDR, OpenEXR, Kamera-Rohdaten, PDF), oder es ist schon "
    "am Anfang beschädigt.",
    "'{}' needs the package {}: pip install {}.": "„{}“ braucht das Paket {}: pip install {}.",
    "'{}' holds {} MB of channels, which are decoded together, and at most {} are read. Save it with red, green, blue "
    "and alpha only.": "„{}“ hat {} MB an Kanälen, die zusammen gelesen werden; gelesen werden höchstens {}. Nur mit "
    "Rot, Grün, Blau und Alpha speichern.",
    "'{}' is an animation: only its first frame is read.": "„{}“ ist eine Animation: Nur ihr erstes Bild wird gelesen.",
    "The colour profile of '{}' cannot be read; its colours were taken as sRGB.": "Das Farbprofil von „{}“ ist nicht "
    "lesbar; seine Farben gelten als sRGB.",
    "The colour profile of '{}' cannot be computed with; its colours were made sRGB.": "Mit dem Farbprofil von „{}“ "
    "lässt sich nicht rechnen; seine Farben wurden zu sRGB.",
    "'{}' cannot be saved as JPEG XL with losses: its colour profile cannot be computed with ({}). Save it "
    "lossless.": "„{}“ kann nicht als JPEG XL mit Verlusten gespeichert werden: Mit seinem Farbprofil lässt sich nicht "
    "rechnen ({}). Verlustfrei speichern.",
    "'{}' is an HEIC picture, which needs the package pillow-heif: pip install pillow-heif.": "„{}“ ist ein "
    "HEIC-Bild; dafür ist das Paket pillow-heif nötig: pip install pillow-heif.",
    "'{}' is empty (0 bytes).": "„{}“ ist leer (0 Bytes).",
    "'{}' has {} MB; the limit is {} MB (REALESRGAN_MAX_IMAGE_MB).": "„{}“ hat {} MB; die Grenze ist {} MB "
    "(REALESRGAN_MAX_IMAGE_MB).",
    "'{}' has no pixels ({}x{}).": "„{}“ hat keine Pixel ({}x{}).",
    "'{}' is {}x{} ({} megapixels); the limit is {} (REALESRGAN_MAX_IMAGE_MEGAPIXELS). It was not decoded.": "„{}“ "
    "ist {}x{} groß ({} Megapixel); die Grenze ist {} (REALESRGAN_MAX_IMAGE_MEGAPIXELS). Es wurde nicht gelesen.",
    "'{}' has {} frames of {}x{}, too many pixels in all.": "„{}“ hat {} Bilder von {}x{}, zusammen zu viele Pixel.",
    "The EXIF of '{}' is damaged and was left out.": "Die EXIF-Daten von „{}“ sind beschädigt und wurden weggelassen.",
    "the picture": "des Bildes",
    "'{}' is a folder, not a picture.": "„{}“ ist ein Ordner, kein Bild.",
    "'{}' is refused: {}": "„{}“ wird abgelehnt: {}",
    "'{}' is damaged or cut off: {}.": "„{}“ ist beschädigt oder abgeschnitten: {}.",
    "What can still be decoded of it can be saved: salvage (--salvage).": "Was davon noch lesbar ist, kann gerettet "
    "werden: beschädigte Bilder retten (--salvage).",
    "Nothing of its pixels can be decoded.": "Von seinen Pixeln ist nichts mehr lesbar.",
    "'{}' is damaged: it ends within scan {} of a progressive JPEG, of which {} % is missing; the whole picture is "
    "there, but with less detail.": "„{}“ ist beschädigt: Es endet im {}. Durchgang eines progressiven JPEG, von dem "
    "{} % fehlen; das ganze Bild ist da, aber mit weniger Einzelheiten.",
    "'{}' is damaged: up to {} % of it is missing or wrong in the result.": "„{}“ ist beschädigt: Bis zu {} % davon "
    "fehlen im Ergebnis oder sind falsch.",
    "'{}' is damaged, but all of its pixels could be decoded; a few may be wrong.": "„{}“ ist beschädigt, aber alle "
    "Pixel waren lesbar; einzelne können falsch sein.",
    "'{}' is cut off: only its first {} frames can be decoded, and the file does not say how many there were.": ""
    "„{}“ ist abgeschnitten: Nur die ersten {} Bilder sind lesbar, und wie viele es waren, sagt die Datei nicht.",
    "'{}' is damaged: only the first {} of its {} frames can be decoded; missing: {}.": "„{}“ ist beschädigt: Nur die "
    "ersten {} von {} Bildern sind lesbar; es fehlen: {}.",
    "'{}' is damaged: {} % of it is missing, and gray or transparent in the result.": "„{}“ ist beschädigt: {} % davon "
    "fehlen und sind im Ergebnis grau oder durchsichtig.",
    "'{}' has more than {} frames, which is more than is read. Cut it into parts.": "„{}“ hat mehr als {} Bilder, "
    "mehr als gelesen werden. In Teile schneiden.",
    "'{}' is a {} file in spite of its name.": "„{}“ ist trotz seines Namens eine {}-Datei.",
    "'{}' is a TIFF of a colour kind that cannot be read; save it as RGB.": "„{}“ ist ein TIFF mit einer nicht "
    "lesbaren Farbart; als RGB speichern.",
    # Writing
    "'{}' is a folder; name a file for the result.": "„{}“ ist ein Ordner; eine Datei für das Ergebnis nennen.",
    "The result would overwrite its own input '{}'. Choose another name.": "Das Ergebnis würde sein Original „{}“ "
    "überschreiben. Einen anderen Namen wählen.",
    "'{}' exists already. Choose another name, or allow overwriting (--force).": "„{}“ gibt es schon. Einen anderen "
    "Namen wählen oder das Überschreiben erlauben.",
    "'{}' cannot be deleted: {}.": "„{}“ kann nicht gelöscht werden: {}.",
    "'{}' cannot be written: {}.": "„{}“ kann nicht geschrieben werden: {}.",
    "Cannot write '{}': {}.": "„{}“ kann nicht geschrieben werden: {}.",
    "Cannot write '{}': {}. Nothing was left behind.": "„{}“ kann nicht geschrieben werden: {}. Nichts blieb zurück.",
    "Cannot write to '{}': {}.": "Nach „{}“ kann nicht geschrieben werden: {}.",
    "Cannot write beside '{}': {}.": "Neben „{}“ kann nicht geschrieben werden: {}.",
    "the disk is full": "der Datenträger ist voll",
    "the disk quota is used up": "das Kontingent ist aufgebraucht",
    "the file would be too large for this file system": "die Datei wäre für dieses Dateisystem zu groß",
    "permission denied": "keine Berechtigung",
    "the file system is read-only": "das Dateisystem ist schreibgeschützt",
    "the name is too long": "der Name ist zu lang",
    "its folder is not a folder": "sein Ordner ist kein Ordner",
    "a folder has that name": "ein Ordner heißt so",
    "{} holds at most {} pixels a side; '{}' would be {}x{}. Save as PNG or TIFF, or choose a smaller size.": "{} "
    "fasst höchstens {} Pixel je Seite; „{}“ wäre {}x{}. Als PNG oder TIFF speichern oder kleiner wählen.",
    "{} holds at most {} pixels a side; '{}' would be {}x{}. Save the animation as PNG, or choose a smaller size.": ""
    "{} fasst höchstens {} Pixel je Seite; „{}“ wäre {}x{}. Die Animation als PNG speichern oder kleiner wählen.",
    "Pictures cannot be saved as '{}'.": "Bilder können nicht als „{}“ gespeichert werden.",
    "'{}' holds no animations: save '{}' as GIF, WebP, PNG or JPEG XL.": "„{}“ fasst keine Animationen: „{}“ als GIF, "
    "WebP, PNG oder JPEG XL speichern.",
    "its frames were encoded differently": "ihre Bilder wurden verschieden kodiert",
    "'{}' would be too long for {}.": "„{}“ wäre zu lang für {}.",
    "'{}' was not written: the animation has no frames.": "„{}“ wurde nicht geschrieben: die Animation hat keine "
    "Bilder.",
    "'{}' was not written: its frames differ in size ({}x{}, then {}x{}).": "„{}“ wurde nicht geschrieben: die "
    "Bilder sind verschieden groß ({}x{}, dann {}x{}).",
    "'{}' cannot be saved as {}: {}.": "„{}“ kann nicht als {} gespeichert werden: {}.",
    "{} holds 8 bits a channel, not {}.": "{} fasst 8 Bit je Kanal, nicht {}.",
    # What is handed in
    "There is no picture.": "Es ist kein Bild da.",
    "A PIL picture is needed, not {}.": "Ein PIL-Bild ist nötig, nicht {}.",
    "The picture has no pixels.": "Das Bild hat keine Pixel.",
    "The picture has {} megapixels; the limit is {}.": "Das Bild hat {} Megapixel; die Grenze ist {}.",
    "The picture is damaged: {}.": "Das Bild ist beschädigt: {}.",
    "{} is not a path: {}.": "{} ist kein Pfad: {}.",
    "{} cannot be a path: {}.": "{} kann kein Pfad sein: {}.",
    "'{}' leads out of the folder '{}'.": "„{}“ führt aus dem Ordner „{}“ hinaus.",
    "Give a file name.": "Einen Dateinamen angeben.",
    "{} cannot be a file name; {} can.": "{} kann kein Dateiname sein; {} schon.",
    # Said by the interface itself
    "This folder may not be named. Whoever runs the program can allow it with REALESRGAN_API_LIBRARY_ROOTS.": ""
    "Dieser Ordner darf nicht genannt werden. Wer das Programm betreibt, kann ihn mit REALESRGAN_API_LIBRARY_ROOTS "
    "erlauben.",
    "Choose pictures, a ZIP file or a folder first.": "Bitte zuerst Bilder, eine ZIP-Datei oder einen Ordner wählen.",
    "No picture is finished yet.": "Noch ist kein Bild fertig.",
    "'{}' is not a folder of the machine that the program runs on.": "„{}“ ist kein Ordner des Rechners, auf dem das "
    "Programm läuft.",
    "'{}' is not a folder: {}.": "„{}“ ist kein Ordner: {}.",
    "Choose a preset first.": "Bitte zuerst eine Vorlage wählen.",
    "Folders of this machine may not be named here. Upload the pictures instead.": "Ordner dieses Rechners dürfen "
    "hier nicht genannt werden. Die Bilder stattdessen hochladen.",
    "A batch is running here. Wait for it, or cancel it first.": "Hier läuft ein Stapel. Darauf warten oder ihn "
    "zuerst abbrechen.",
    "There is no job {} (any more).": "Den Auftrag {} gibt es nicht (mehr).",
    "Job {} is another person's.": "Der Auftrag {} gehört jemand anderem.",
    "Job {} does not wait any more, so its place cannot be changed.": "Der Auftrag {} wartet nicht mehr; sein Platz "
    "lässt sich nicht ändern.",
    "'{}' runs or waits with these settings already. Cancel it to begin anew.": "„{}“ läuft oder wartet mit diesen "
    "Einstellungen schon. Zum Neubeginnen erst abbrechen.",
    "What was to be done with the film cannot be read; start it anew.": "Was mit dem Film geschehen sollte, ist nicht "
    "lesbar; bitte neu beginnen.",
    "'{}' is not here any more: uploads are kept for a day. Choose the file again.": "„{}“ ist nicht mehr da: "
    "Hochgeladenes bleibt einen Tag. Die Datei noch einmal wählen.",
    "'{}' cannot be kept: {}.": "„{}“ kann nicht aufgehoben werden: {}.",
    "A side is a whole number of pixels, not '{}'.": "Eine Seite ist eine ganze Zahl von Pixeln, nicht „{}“.",
    "There is no batch to try again.": "Es gibt keinen Stapel zum Wiederholen.",
    "There is no unfinished batch.": "Es gibt keinen unfertigen Stapel.",
    "There are no presets of your own yet.": "Noch gibt es keine eigenen Vorlagen.",
    "Cancelled before it began.": "Vor dem Beginn abgebrochen.",
    "{} jobs are waiting already. Try again in a moment.": "Es warten schon {} Aufträge. Bitte gleich noch einmal.",
}
