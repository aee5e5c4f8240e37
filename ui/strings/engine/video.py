"""What the engine says of videos."""

from __future__ import annotations

DE = {
    "{} is for short clips: {} frames are more than {}. Choose a range (start, end) or save as .mp4.": "{} ist für "
    "kurze Clips: {} Bilder sind mehr als {}. Einen Abschnitt wählen oder als .mp4 speichern.",
    "The clip has more than {} frames. Choose a range, or save as .mp4.": "Der Clip hat mehr als {} Bilder. Einen "
    "Abschnitt wählen oder als .mp4 speichern.",
    "{} is the installed model that suits {} and is quick enough for thousands of frames.": "{} ist das installierte "
    "Modell, das zu {} passt und für Tausende von Bildern schnell genug ist.",
    "The video is interlaced: its frames were made whole (bwdif). `--deinterlace off` leaves them.": "Das Video ist "
    "verschränkt (interlaced): seine Bilder wurden entflochten (bwdif). `--deinterlace off` lässt sie, wie sie sind.",
    "The video looks telecined (cinema spread over 29.97 frames a second): `--deinterlace telecine` gives the 23.976 "
    "a second back that it was made of.": "Das Video sieht nach einem auf 29,97 Bilder je Sekunde verteilten Kinofilm "
    "aus (Telecine): `--deinterlace telecine` gibt die 23,976 je Sekunde zurück, aus denen es gemacht ist.",
    "No telecine was found in the video; one frame in five was left out of it all the same.": "Im Video wurde kein "
    "Telecine gefunden; eines von fünf Bildern wurde trotzdem weggelassen.",
    "Telecine is undone in films of 29.97 frames a second; '{}' has {}. Choose another `--deinterlace`.": "Telecine "
    "wird in Filmen mit 29,97 Bildern je Sekunde aufgehoben; „{}“ hat {}. Ein anderes `--deinterlace` wählen.",
    "The video is interlaced: its lines belong to two moments, and were left so.": "Das Video ist verschränkt "
    "(interlaced): seine Zeilen gehören zu zwei Zeitpunkten und wurden so belassen.",
    "The video has colour at full resolution (4:4:4); {} is written with half of it (4:2:0) here. H.264 and H.265 in "
    ".mkv or .mp4 keep it.": "Das Video hat Farbe in voller Auflösung (4:4:4); {} wird hier mit halber geschrieben "
    "(4:2:0). H.264 und H.265 in .mkv oder .mp4 behalten sie.",
    "The video has colour in every line (4:2:2); {} is written with that of every other one (4:2:0) here. H.264 and "
    "H.265 in .mkv or .mp4 keep it.": "Das Video hat Farbe in jeder Zeile (4:2:2); {} wird hier mit der jeder zweiten "
    "geschrieben (4:2:0). H.264 und H.265 in .mkv oder .mp4 behalten sie.",
    "The video's colour is sampled as {}, which no encoder here writes; it became {}.": "Die Farbe des Videos ist als "
    "{} abgetastet, was hier kein Kodierer schreibt; sie wurde zu {}.",
    "The video's transparency was left out.": "Die Transparenz des Videos wurde weggelassen.",
    "HDR10+ or Dolby Vision fits the frames as they were; it was left out. HDR10's own data is kept.": "HDR10+ oder "
    "Dolby Vision passt nur zu den Bildern, wie sie waren; es wurde weggelassen. Die Daten von HDR10 bleiben.",
    "The video's colour matrix is not known here; it was read as BT.709.": "Die Farbmatrix des Videos ist hier nicht "
    "bekannt; es wurde als BT.709 gelesen.",
    "Face restoration is for pictures: frame by frame it would flicker. It was left out.": "Gesichter werden nur in "
    "Bildern wiederhergestellt: Bild für Bild würde es flackern. Es wurde weggelassen.",
    "A file size cannot be asked for a video; use the video quality. It was ignored.": "Eine Dateigröße gibt es für "
    "Videos nicht; die Videoqualität wählen. Sie blieb unbeachtet.",
    "Animated pictures have no sound: it was left out.": "Animierte Bilder haben keinen Ton: er wurde weggelassen.",
    "{} needs even sides: {}x{} became {}x{} by repeating the last row or column.": "{} braucht gerade Seiten: {}x{} "
    "wurde {}x{}, die letzte Zeile oder Spalte wurde wiederholt.",
    "Many players cannot show H.264 with 10 bits; H.265 is the usual choice.": "Viele Abspieler zeigen H.264 mit 10 "
    "Bit nicht; üblich ist H.265.",
    "The video's {} bits a channel became 10.": "Aus den {} Bit je Kanal des Videos wurden 10.",
    "{} {} frames from {}x{} to {}x{} with {} ({}, {}, {}) in {} s, {} frames a second.": "{} {} Bilder von {}x{} zu "
    "{}x{} mit {} ({}, {}, {}) in {} s, {} Bilder je Sekunde.",
    "'{}' cannot be written: videos are saved as {}, short clips also as .gif and .webp.": "„{}“ kann nicht "
    "geschrieben werden: Videos werden als {} gespeichert, kurze Clips auch als .gif und .webp.",
    "A video of {}x{} pixels cannot be encoded as {}: at most {} a side. Choose a smaller scale.": "Ein Video mit "
    "{}x{} Pixeln kann nicht als {} kodiert werden: höchstens {} je Seite. Kleiner vergrößern.",
    "The video cannot be encoded as {} to '{}': {}.": "Das Video kann nicht als {} nach „{}“ kodiert werden: {}.",
    "{} files do not hold {} here; choose {}, or save as .mkv.": "{}-Dateien fassen {} hier nicht; {} wählen oder "
    "als .mkv speichern.",
    "The {} encoder gave {} pictures for {} frames; choose another codec.": "Der {}-Kodierer gab {} Bilder für {}; "
    "einen anderen Codec wählen.",
    "{}; the video goes on in fp32.": "{}; das Video geht in fp32 weiter.",
    "Not enough memory for a frame of {}x{} pixels even with the smallest tile. Close other programs, choose a "
    "smaller scale, or use smaller tiles.": "Der Speicher reicht für ein Bild von {}x{} Pixeln selbst mit der "
    "kleinsten Kachel nicht. Andere Programme schließen, kleiner vergrößern oder kleinere Kacheln wählen.",
    "'{}' cannot enhance this video: {}": "„{}“ kann dieses Video nicht verbessern: {}",
    "{} packets of the input's sound or subtitles are damaged; they were left out.": "{} Pakete von Ton oder "
    "Untertiteln sind beschädigt; sie wurden weggelassen.",
    "The finished parts hold {} frames instead of {}; run again from the start.": "Die fertigen Teile enthalten {} "
    "statt {} Bilder; von vorn beginnen.",
    "'{}' cannot be written as {}: {}.": "„{}“ kann nicht als {} geschrieben werden: {}.",
    "'{}' is not a time; write seconds (12.5) or minutes:seconds (1:30).": "„{}“ ist keine Zeit; Sekunden (12.5) "
    "oder Minuten:Sekunden (1:30) schreiben.",
    "Cancelled; the last frames took too long to finish. Start again to go on.": "Abgebrochen; die letzten Bilder "
    "brauchten zu lange. Zum Weitermachen noch einmal beginnen.",
    "The process that enhanced '{}' ended (code {}); what was finished is kept, and the same job goes on from "
    "there.": "Der Prozess, der „{}“ verbesserte, endete (Code {}); das Fertige bleibt, und derselbe Auftrag geht "
    "dort weiter.",
    "'{}' holds no frames{}.": "„{}“ enthält keine Bilder{}.",
    "in that range": "in diesem Abschnitt",
    "The same command goes on from there.": "Derselbe Auftrag geht dort weiter.",
    "Cancelled: the file holds the first {}{} frames.{}": "Abgebrochen: die Datei enthält die ersten {}{} Bilder.{}",
    "of {}": "von {}",
    "Cancelled: the file holds the first {} of {} frames.{}": "Abgebrochen: die Datei enthält die ersten {} von {} "
    "Bildern.{}",
    "Cancelled: the first {} of {} frames were written.{}": "Abgebrochen: die ersten {} von {} Bildern wurden "
    "geschrieben.{}",
    "The input is cut off or damaged: {} of {} frames could be read.": "Die Eingabe ist abgeschnitten oder "
    "beschädigt: {} von {} Bildern waren lesbar.",
    "{} frames could not be decoded; each repeats the one before it.": "{} Bilder waren nicht lesbar; jedes "
    "wiederholt das davor.",
    "The network failed on {} frames; they were enlarged by interpolation.": "Das Netz versagte bei {} Bildern; sie "
    "wurden interpoliert.",
    "This video is being enhanced with these settings already; wait for it.": "Dieses Video wird mit diesen "
    "Einstellungen gerade verbessert; bitte darauf warten.",
    "Sound track {} ({}) cannot be kept in this container; it was encoded as {}.": "Tonspur {} ({}) passt nicht in "
    "dieses Dateiformat; sie wurde als {} kodiert.",
    "Sound track {} ({}) cannot be kept in this container.": "Tonspur {} ({}) passt nicht in dieses Dateiformat.",
    "Only the first of several video tracks was enhanced and kept.": "Nur die erste von mehreren Videospuren wurde "
    "verbessert und behalten.",
    "Subtitle track {} ({}) cannot be kept in this container; .mkv holds it.": "Untertitelspur {} ({}) passt nicht "
    "in dieses Dateiformat; .mkv fasst sie.",
    "'{}' is not a video that can be read: {}.": "„{}“ ist kein lesbares Video: {}.",
    "'{}' holds no video{}.": "„{}“ enthält kein Video{}.",
    "(only {})": "(nur {})",
    "'{}' is cut off: the index of its frames is missing, as after a broken download or recording. Copy or "
    "download it again.": "„{}“ ist abgeschnitten: das Verzeichnis seiner Bilder fehlt, wie nach einem abgebrochenen "
    "Laden oder Aufnehmen. Noch einmal kopieren oder laden.",
    "There is no file '{}'.": "Die Datei „{}“ gibt es nicht.",
    "'{}' is empty: it has no bytes. Copy or download it again.": "„{}“ ist leer: 0 Bytes. Noch einmal kopieren oder "
    "laden.",
    "{} cannot be read: {}.": "{} ist nicht lesbar: {}.",
    "'{}' holds no frames.": "„{}“ enthält keine Bilder.",
    "'{}' has {} MB; the limit is {} MB (REALESRGAN_MAX_VIDEO_MB).": "„{}“ hat {} MB; die Grenze ist {} MB "
    "(REALESRGAN_MAX_VIDEO_MB).",
    "'{}' lasts {} minutes; the limit is {} (REALESRGAN_MAX_VIDEO_MINUTES).": "„{}“ dauert {} Minuten; die Grenze "
    "ist {} (REALESRGAN_MAX_VIDEO_MINUTES).",
    "'{}' is cut off or damaged: none of its frames can be decoded. Copy or download it again.": "„{}“ ist "
    "abgeschnitten oder beschädigt: keines seiner Bilder ist lesbar. Noch einmal kopieren oder laden.",
    "A frame of '{}' has {}x{} pixels; the limit is {} megapixels (REALESRGAN_MAX_IMAGE_MEGAPIXELS).": "Ein Bild von "
    "„{}“ hat {}x{} Pixel; die Grenze ist {} Megapixel (REALESRGAN_MAX_IMAGE_MEGAPIXELS).",
    "'{}' holds no numbered pictures{}, such as 0001.png.": "„{}“ enthält keine nummerierten Bilder{} wie 0001.png.",
    "from number {} on": "ab Nummer {}",
    "'{}' and '{}' have the same number.": "„{}“ und „{}“ haben dieselbe Nummer.",
    "'{}' holds several sequences ({}); name one by its pattern, such as '{}'.": "„{}“ enthält mehrere Bildfolgen "
    "({}); eine durch ihr Muster nennen, etwa „{}“.",
    "'{}' has {}x{} pixels, but '{}' {}x{}: the frames of a film are of one size.": "„{}“ hat {}x{} Pixel, „{}“ aber "
    "{}x{}: die Bilder eines Films sind gleich groß.",
    "'{}' is of another size than it was.": "„{}“ hat eine andere Größe als vorher.",
    "Numbered pictures are whole frames: deinterlacing is for films.": "Nummerierte Bilder sind ganze Bilder: "
    "entflochten werden Filme.",
    "A film has its own frame rate; a rate is for numbered pictures.": "Ein Film hat seine eigene Bildrate; eine Rate "
    "ist für nummerierte Bilder.",
    "Numbers are missing among the pictures: {}. The frames follow each other without a gap.": "Zwischen den Bildern "
    "fehlen Nummern: {}. Die Bilder folgen ohne Lücke aufeinander.",
    "The pictures' colour profile ({}) was left out: players show films like sRGB.": "Das Farbprofil der Bilder ({}) "
    "wurde weggelassen: Abspieler zeigen Filme wie sRGB.",
    "Transparency became black.": "Transparenz wurde schwarz.",
    "{} holds 8 bits a channel; the input's {} were reduced.": "{} fasst 8 Bit je Kanal; die {} der Eingabe wurden "
    "verringert.",
    "The frames hold the HDR film's values as they are coded (PQ or HLG); pictures do not say so.": "Die Einzelbilder "
    "enthalten die Werte des HDR-Films, wie sie kodiert sind (PQ oder HLG); Bilder sagen das nicht dazu.",
    "Pictures have no sound: it was left out.": "Bilder haben keinen Ton: er wurde weggelassen.",
    "'{}' cannot be written: frames are saved as .png, .jpg, .webp or .tif; films have no number in their names.": "„"
    "{}“ kann nicht geschrieben werden: Einzelbilder werden als .png, .jpg, .webp oder .tif gespeichert; Filme haben "
    "keine Nummer im Namen.",
    "{} older pictures with such names lie in '{}' beside the frames.": "{} ältere Bilder mit solchen Namen liegen in "
    "„{}“ neben den Einzelbildern.",
    "Cancelled: the first {}{} frames were written.{}": "Abgebrochen: die ersten {}{} Bilder wurden geschrieben.{}",
    "Two of the pictures are called '{}'; a film needs one of each number.": "Zwei der Bilder heißen „{}“; ein Film "
    "braucht von jeder Nummer eines.",
}
