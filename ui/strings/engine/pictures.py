"""What the engine says of pictures: findings, reasons, verdicts, faces, warnings."""

from __future__ import annotations

DE = {
    # Words within sentences
    "photograph": "Foto",
    "drawing": "Zeichnung",
    "line art": "Strichzeichnung",
    "pixel art": "Pixelkunst",
    "screenshot or text": "Bildschirmfoto oder Text",
    "a worn picture": "ein mitgenommenes Bild",
    "this picture": "dieses Bild",
    "a worn photograph": "ein mitgenommenes Foto",
    "this photograph": "dieses Foto",
    "a worn drawing": "eine mitgenommene Zeichnung",
    "this drawing": "diese Zeichnung",
    "a worn line art": "eine mitgenommene Strichzeichnung",
    "this line art": "diese Strichzeichnung",
    "a worn pixel art": "mitgenommene Pixelkunst",
    "this pixel art": "diese Pixelkunst",
    "a worn screenshot or text": "mitgenommenen Bildschirmtext",
    "this screenshot or text": "diesen Bildschirmtext",
    "gray": "grau",
    "with transparency": "mit Transparenz",
    "visible compression blocks": "sichtbare Kompressionsblöcke",
    "blurred": "unscharf",
    "noise of sigma {}": "Rauschen mit Sigma {}",
    "JPEG quality {}": "JPEG-Qualität {}",
    "{}x{} pixels": "{}x{} Pixel",
    "1 face": "1 Gesicht",
    "{} faces": "{} Gesichter",
    "whole": "am Stück",
    "in tiles of {} pixels": "in Kacheln von {} Pixeln",
    "a rough guess until the model has run once": "grob geschätzt, bis das Modell einmal gelaufen ist",
    # Reasons
    "It looks like a {} ({}): {}.": "Das sieht aus wie: {} ({}): {}.",
    "The picture: {}.": "Das Bild: {}.",
    "It may be a photograph or a drawing: {}.": "Es kann ein Foto oder eine Zeichnung sein: {}.",
    "Runs {}, in about {} s with {} MB{}.": "Läuft {}, in etwa {} s mit {} MB{}.",
    "Large enough already: cleaned and sharpened at its own size.": "Schon groß genug: in gleicher Größe gereinigt "
    "und geschärft.",
    "Small picture: x4 gives {}x{}.": "Kleines Bild: x4 ergibt {}x{}.",
    "Middle-sized picture: x2 gives {}x{}; x4 would be more than most uses need.": "Mittelgroßes Bild: x2 ergibt "
    "{}x{}; x4 wäre mehr, als man meist braucht.",
    "Pixel art: enlarged pixel by pixel, since any network would smear its squares.": "Pixelkunst: Pixel für Pixel "
    "vergrößert, denn jedes Netz würde ihre Quadrate verwischen.",
    "{} is the best installed model for {} at x{}.{}": "{} ist das beste installierte Modell für {} bei x{}.{}",
    "Photograph or drawing: not sure. {} is chosen, since it serves both.": "Foto oder Zeichnung: nicht sicher. {} ist "
    "gewählt, da es beidem dient.",
    "Photograph or drawing: not sure. {} is chosen, since it serves both; {} would suit a drawing better and could "
    "spoil a photograph.": "Foto oder Zeichnung: nicht sicher. {} ist gewählt, da es beidem dient; {} wäre für eine "
    "Zeichnung besser und könnte ein Foto verderben.",
    "Photograph or drawing: not sure. {} is chosen, since no model that serves both is installed.": "Foto oder "
    "Zeichnung: nicht sicher. {} ist gewählt, da kein Modell für beides installiert ist.",
    "This model has no denoise control; realesr-general-x4v3 with its twin would have.": "Dieses Modell hat keine "
    "Rauschregelung; realesr-general-x4v3 mit seinem Zwilling hätte sie.",
    "Denoise strength {} for noise of sigma {}.": "Entrauschen mit Stärke {} bei Rauschen mit Sigma {}.",
    "{}, larger than {} pixels: sharp enough to be left alone.": "{}, größer als {} Pixel: scharf genug, um so zu "
    "bleiben.",
    "{} found, but no face model is installed; `{} models download GFPGANv1.4` (349 MB) would restore "
    "faces.": "{} gefunden, aber kein Gesichtsmodell ist installiert; `{} models download GFPGANv1.4` "
    "(349 MB) würde Gesichter wiederherstellen.",
    "{}, less than {} pixels high: too small.": "{}, unter {} Pixel hoch: zu klein.",
    "{} found, but not where eyes and mouth are; `{} models download {}` (0.2 MB) would locate them, so "
    "that faces can be restored.": "{} gefunden, aber nicht, wo Augen und Mund sind; `{} models download "
    "{}` (0,2 MB) würde sie finden, damit Gesichter wiederhergestellt werden können.",
    "{} found, {} pixels high at most: faces are restored.": "{} gefunden, höchstens {} Pixel hoch: Gesichter werden "
    "wiederhergestellt.",
    # Verdicts
    "Faithful: reduced to the original's size it is practically the original.": "Treu: auf die Größe des Originals "
    "verkleinert ist es praktisch das Original.",
    "Faithful: reduced to the original's size, differences are hard to see.": "Treu: auf die Größe des Originals "
    "verkleinert sind Unterschiede kaum zu sehen.",
    "Mostly faithful: some structures or tones differ from the original.": "Weitgehend treu: einige Strukturen oder "
    "Töne weichen vom Original ab.",
    "Partly invented: visible structures differ from the original. Compare before you trust details.": "Teils "
    "erfunden: sichtbare Strukturen weichen vom Original ab. Vor dem Vertrauen auf Einzelheiten vergleichen.",
    "Largely invented: this is another picture than the original.": "Großteils erfunden: das ist ein anderes Bild "
    "als das Original.",
    "The two pictures have different shapes, so they cannot be compared.": "Die beiden Bilder haben verschiedene "
    "Formen und sind nicht vergleichbar.",
    "The reference is {}x{} pixels and the result {}x{}; they must have the same size.": "Die Vorlage hat {}x{} "
    "Pixel, das Ergebnis {}x{}; beide müssen gleich groß sein.",
    "The pictures are too small to be compared: at least 24 pixels a side are needed.": "Die Bilder sind für einen "
    "Vergleich zu klein: mindestens 24 Pixel je Seite sind nötig.",
    # Faces
    "{} pixels high.": "{} Pixel hoch.",
    "Its eyes and mouth were not located: the detector YuNet (0.2 MB) is not installed.": "Augen und Mund wurden "
    "nicht gefunden: der Finder YuNet (0,2 MB) ist nicht installiert.",
    "It lies in the part that is cut away.": "Es liegt im abgeschnittenen Teil.",
    "Skipped by choice.": "Auf Wunsch ausgelassen.",
    "It is drawn; face models know photographs only.": "Es ist gezeichnet; Gesichtsmodelle kennen nur Fotos.",
    "Too small: {} of at least {} pixels high.": "Zu klein: {} Pixel hoch, mindestens {} sind nötig.",
    "Already {} pixels high: a face model would take detail away.": "Schon {} Pixel hoch: ein Gesichtsmodell nähme "
    "Einzelheiten weg.",
    "Sharp already.": "Schon scharf.",
    "Not among the chosen ones.": "Nicht unter den gewählten.",
    "Another face is nearer to the middle.": "Ein anderes Gesicht ist näher an der Mitte.",
    "Its features changed (likeness {}).": "Die Züge haben sich geändert (Ähnlichkeit {}).",
    "After restoring it is no face any more.": "Nach dem Wiederherstellen ist es kein Gesicht mehr.",
    "Eyes, nose or mouth moved by {} of the distance between the eyes.": "Augen, Nase oder Mund sind um {} des "
    "Augenabstands verrutscht.",
    "{}{} is not installed. {} would bring it; everything else was done.": "{}{} ist nicht installiert. {} lädt es; "
    "alles andere ist getan.",
    "{}{} are not installed. {} would bring them; everything else was done.": "{}{} sind nicht installiert. {} laden "
    "sie; alles andere ist getan.",
    "{} and {}": "{} und {}",
    "Faces were not restored: {}": "Gesichter wurden nicht wiederhergestellt: {}",
    "There is no face model '{}'. Known: {}.": "Es gibt kein Gesichtsmodell „{}“. Bekannt: {}.",
    "'{}' ({}) is not a face model.": "„{}“ ({}) ist kein Gesichtsmodell.",
    "Memory of {} ran short: faces were restored on the CPU.": "Der Speicher von {} wurde knapp: Gesichter wurden "
    "auf der CPU wiederhergestellt.",
    "The face model '{}' gives no valid pixels even in fp32: its file is damaged.": "Das Gesichtsmodell „{}“ liefert "
    "selbst in fp32 keine gültigen Pixel: seine Datei ist beschädigt.",
    "Not enough memory for the face model '{}', not even for one face on the CPU. Close other programs, or switch "
    "face restoration off.": "Der Speicher reicht nicht für das Gesichtsmodell „{}“, nicht einmal für ein Gesicht "
    "auf der CPU. Andere Programme schließen oder die Gesichter ausschalten.",
    "The face model changed {} too far from the picture; what changed {}.": "Das Gesichtsmodell hat sich zu weit vom "
    "Bild entfernt ({}); das Geänderte {}.",
    "face {}": "Gesicht {}",
    "faces {}": "Gesichter {}",
    "was blended back": "wurde zurückgeblendet",
    "is shown all the same, as was asked for": "wird wie gewünscht trotzdem gezeigt",
    "No face model could be used.": "Kein Gesichtsmodell war brauchbar.",
    "No restored faces are remembered for '{}': it was made without, changed since, or long ago. Enhance the "
    "picture again with --faces on.": "Zu „{}“ sind keine wiederhergestellten Gesichter gemerkt: es wurde ohne "
    "gemacht, seither geändert oder ist alt. Das Bild noch einmal mit Gesichtern verbessern.",
    "Say which strength the faces shall have.": "Welche Stärke sollen die Gesichter haben?",
    "Face {} was not restored; restored: {}.": "Gesicht {} wurde nicht wiederhergestellt; wiederhergestellt: {}.",
    "The strength of a face must be between 0 and 1 (given: {}).": "Die Stärke eines Gesichts liegt zwischen 0 und 1 "
    "(angegeben: {}).",
    # Warnings and errors of a run
    "Cancelled; nothing was written.": "Abgebrochen; nichts wurde geschrieben.",
    "Not enough memory for '{}' even with the smallest tile. Turn automatic tiles on, use half precision, switch "
    "face enhancement off, close other programs, or run on the CPU.": "Der Speicher reicht für „{}“ selbst mit der "
    "kleinsten Kachel nicht. Automatische Kacheln oder halbe Genauigkeit wählen, Gesichter ausschalten, andere "
    "Programme schließen oder auf der CPU rechnen.",
    "Not enough memory for '{}'. Close other programs or use smaller tiles.": "Der Speicher reicht für „{}“ nicht. "
    "Andere Programme schließen oder kleinere Kacheln wählen.",
    "Memory ran short: tiles were made smaller (now {} pixels) and the work went on.": "Der Speicher wurde knapp: "
    "die Kacheln wurden verkleinert (nun {} Pixel), und es ging weiter.",
    "{} holds 8 bits a channel; the input's 16 were reduced.": "{} fasst 8 Bit je Kanal; die 16 des Originals wurden "
    "verringert.",
    "Animations are written with 8 bits a channel; the input's 16 were reduced.": "Animationen werden mit 8 Bit je "
    "Kanal geschrieben; die 16 des Originals wurden verringert.",
    "Faces in animations are not restored: they would flicker.": "Gesichter in Animationen werden nicht "
    "wiederhergestellt: sie würden flackern.",
    "{} holds one picture: only the first frame is kept.": "{} fasst ein einziges Bild: nur das erste bleibt.",
    "{}; the picture was run again in fp32.": "{}; das Bild wurde noch einmal in fp32 gerechnet.",
    "'{}' gives no valid pixels even in fp32: its checkpoint is damaged.": "„{}“ liefert selbst in fp32 keine "
    "gültigen Pixel: seine Datei ist beschädigt.",
    "'{}' has no denoise strength; it was ignored.": "„{}“ kennt keine Rauschstärke; sie blieb unbeachtet.",
    "The picture was reduced to {}x{} pixels to stay below {} MB.": "Das Bild wurde auf {}x{} Pixel verkleinert, um "
    "unter {} MB zu bleiben.",
    "'{}' cannot be made as small as {} bytes; allow a larger file.": "„{}“ lässt sich nicht auf {} Bytes "
    "verkleinern; eine größere Datei erlauben.",
    "Quality was lowered to {} to stay below {} MB.": "Die Qualität wurde auf {} gesenkt, um unter {} MB zu bleiben.",
    "Enhanced {}x{} to {}x{} with {} ({}, {}, {}) in {} s.": "{}x{} zu {}x{} verbessert mit {} ({}, {}, {}) in {} s.",
    "fidelity must be between 0 and 1 (given: {}).": "Die Treue liegt zwischen 0 und 1 (angegeben: {}).",
    "The two pictures have different channels; they are not a result and its input.": "Die beiden Bilder haben "
    "verschiedene Kanäle; sie sind nicht Ergebnis und Original.",
    "The picture is large enough already; it was written anew at its own size.": "Das Bild ist schon groß genug; es "
    "wurde in seiner Größe neu geschrieben.",
    "'{}' cannot be written: pictures are saved as {}. Choose such a name, or a format (--format).": "„{}“ kann nicht "
    "geschrieben werden: Bilder werden als {} gespeichert. Einen solchen Namen oder ein Format (--format) wählen.",
    "'{}' is an animation, for which no largest file size can be kept. Leave that out, or save as JPEG, AVIF or "
    "TIFF, which hold its first frame.": "„{}“ ist eine Animation, für die sich keine größte Dateigröße einhalten "
    "lässt. Diese weglassen, oder als JPEG, AVIF oder TIFF speichern, die ihr erstes Bild fassen.",
    "The picture is large enough already; it was copied unchanged.": "Das Bild ist schon groß genug; es wurde "
    "unverändert kopiert.",
    "This result holds too much of the original to be moved back; run it again.": "Dieses Ergebnis enthält zu viel "
    "vom Original, um es zurückzunehmen; bitte noch einmal rechnen.",
    "The restored faces of '{}' are no longer remembered, and would be lost; run it again with the fidelity that you "
    "want.": "Die wiederhergestellten Gesichter von „{}“ sind nicht mehr gemerkt und gingen verloren; bitte mit der "
    "gewünschten Treue noch einmal rechnen.",
    "The same picture was enhanced with these settings before (run {}); its result was taken.": "Dasselbe Bild wurde "
    "mit diesen Einstellungen schon verbessert (Lauf {}); dessen Ergebnis wurde übernommen.",
    "side must be between 32 and 1024 pixels (given: {}).": "Die Seite liegt zwischen 32 und 1024 Pixeln (angegeben: "
    "{}).",
    "The result would be {}x{} pixels ({} megapixels); the limit is {}. Choose a smaller scale or raise "
    "REALESRGAN_MAX_OUTPUT_MEGAPIXELS.": "Das Ergebnis hätte {}x{} Pixel ({} Megapixel); die Grenze ist {}. Kleiner "
    "vergrößern oder REALESRGAN_MAX_OUTPUT_MEGAPIXELS erhöhen.",
    "The goal is {} times the input ({}x{}); at most {} times is possible.": "Das Ziel ist das {}-Fache des "
    "Originals ({}x{}); höchstens das {}-Fache ist möglich.",
    "a seamless texture cannot be cropped: its borders would no longer meet": "eine sich wiederholende Textur kann "
    "nicht beschnitten werden: Ihre Ränder träfen sich nicht mehr",
    "give one goal for the output size, not {}": "nur ein Ziel für die Größe angeben, nicht {}",
    "This does not look like a normal map: its RGB vectors are not of length 1.": "Das sieht nicht nach einer "
    "Normalenkarte aus: ihre RGB-Vektoren haben nicht die Länge 1.",
}
