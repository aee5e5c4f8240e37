"""What the engine says of pictures: findings, reasons, verdicts, faces, warnings."""

from __future__ import annotations

TEXTS = {
    # Words within sentences
    "photograph": "fotografía",
    "drawing": "dibujo",
    "line art": "dibujo de líneas",
    "pixel art": "pixel art",
    "screenshot or text": "captura de pantalla o texto",
    "a worn picture": "una imagen deteriorada",
    "this picture": "esta imagen",
    "a worn photograph": "una fotografía deteriorada",
    "this photograph": "esta fotografía",
    "a worn drawing": "un dibujo deteriorado",
    "this drawing": "este dibujo",
    "a worn line art": "un dibujo de líneas deteriorado",
    "this line art": "este dibujo de líneas",
    "a worn pixel art": "pixel art deteriorado",
    "this pixel art": "este pixel art",
    "a worn screenshot or text": "una captura de pantalla o texto deteriorados",
    "this screenshot or text": "esta captura de pantalla o texto",
    "gray": "gris",
    "with transparency": "con transparencia",
    "visible compression blocks": "bloques de compresión visibles",
    "blurred": "borrosa",
    "noise of sigma {}": "ruido de sigma {}",
    "JPEG quality {}": "calidad JPEG {}",
    "{}x{} pixels": "{}x{} píxeles",
    "1 face": "1 rostro",
    "{} faces": "{} rostros",
    "whole": "de una vez",
    "in tiles of {} pixels": "en teselas de {} píxeles",
    "a rough guess until the model has run once": "una estimación aproximada hasta que el modelo se haya ejecutado "
    "una vez",
    # Reasons
    "It looks like a {} ({}): {}.": "Parece: {} ({}): {}.",
    "The picture: {}.": "La imagen: {}.",
    "It may be a photograph or a drawing: {}.": "Puede ser una fotografía o un dibujo: {}.",
    "Runs {}, in about {} s with {} MB{}.": "Se ejecuta {}, en unos {} s con {} MB{}.",
    "Large enough already: cleaned and sharpened at its own size.": "Ya es bastante grande: se limpia y se hace más "
    "nítida a su mismo tamaño.",
    "Small picture: x4 gives {}x{}.": "Imagen pequeña: x4 da {}x{}.",
    "Middle-sized picture: x2 gives {}x{}; x4 would be more than most uses need.": "Imagen de tamaño medio: x2 da "
    "{}x{}; x4 sería más de lo que suele hacer falta.",
    "Pixel art: enlarged pixel by pixel, since any network would smear its squares.": "Pixel art: se amplía píxel a "
    "píxel, ya que cualquier red emborronaría sus cuadrados.",
    "{} is the best installed model for {} at x{}.{}": "{} es el mejor modelo instalado para {} a x{}.{}",
    "Photograph or drawing: not sure. {} is chosen, since it serves both.": "Fotografía o dibujo: no es seguro. Se "
    "elige {}, ya que sirve para ambos.",
    "Photograph or drawing: not sure. {} is chosen, since it serves both; {} would suit a drawing better and could "
    "spoil a photograph.": "Fotografía o dibujo: no es seguro. Se elige {}, ya que sirve para ambos; {} sería mejor "
    "para un dibujo y podría estropear una fotografía.",
    "Photograph or drawing: not sure. {} is chosen, since no model that serves both is installed.": "Fotografía o "
    "dibujo: no es seguro. Se elige {}, ya que no hay instalado ningún modelo que sirva para ambos.",
    "This model has no denoise control; realesr-general-x4v3 with its twin would have.": "Este modelo no tiene "
    "control del ruido; realesr-general-x4v3 con su gemelo lo tendría.",
    "Denoise strength {} for noise of sigma {}.": "Reducción de ruido de intensidad {} para un ruido de sigma {}.",
    "{}, larger than {} pixels: sharp enough to be left alone.": "{}, de más de {} píxeles: bastante nítido para "
    "dejarlo como está.",
    "{} found, but no face model is installed; `{} models download GFPGANv1.4` (349 MB) would restore "
    "faces.": "Hay {}, pero no hay instalado ningún modelo de rostros; `{} models download GFPGANv1.4` "
    "(349 MB) permitiría restaurar los rostros.",
    "{}, less than {} pixels high: too small.": "{}, de menos de {} píxeles de alto: demasiado pequeño.",
    "{} found, but not where eyes and mouth are; `{} models download {}` (0.2 MB) would locate them, so "
    "that faces can be restored.": "Hay {}, pero no se sabe dónde están los ojos y la boca; `{} models "
    "download {}` (0,2 MB) los localizaría para poder restaurar los rostros.",
    "{} found, {} pixels high at most: faces are restored.": "Hay {}, de {} píxeles de alto como máximo: se "
    "restauran los rostros.",
    # Verdicts
    "Faithful: reduced to the original's size it is practically the original.": "Fiel: reducido al tamaño del "
    "original, es prácticamente el original.",
    "Faithful: reduced to the original's size, differences are hard to see.": "Fiel: reducido al tamaño del "
    "original, las diferencias apenas se ven.",
    "Mostly faithful: some structures or tones differ from the original.": "Fiel en su mayor parte: algunas "
    "estructuras o tonos difieren del original.",
    "Partly invented: visible structures differ from the original. Compare before you trust details.": "Inventado "
    "en parte: hay estructuras visibles que difieren del original. Compare antes de fiarse de los detalles.",
    "Largely invented: this is another picture than the original.": "Inventado en gran parte: es otra imagen que el "
    "original.",
    "The two pictures have different shapes, so they cannot be compared.": "Las dos imágenes tienen proporciones "
    "distintas, así que no se pueden comparar.",
    "The reference is {}x{} pixels and the result {}x{}; they must have the same size.": "La referencia tiene {}x{} "
    "píxeles y el resultado {}x{}; deben tener el mismo tamaño.",
    "The pictures are too small to be compared: at least 24 pixels a side are needed.": "Las imágenes son demasiado "
    "pequeñas para compararlas: hacen falta al menos 24 píxeles por lado.",
    # Faces
    "{} pixels high.": "{} píxeles de alto.",
    "Its eyes and mouth were not located: the detector YuNet (0.2 MB) is not installed.": "No se han localizado sus "
    "ojos ni su boca: el detector YuNet (0,2 MB) no está instalado.",
    "It lies in the part that is cut away.": "Está en la parte que se recorta.",
    "Skipped by choice.": "Omitido por elección.",
    "It is drawn; face models know photographs only.": "Está dibujado; los modelos de rostros solo conocen "
    "fotografías.",
    "Too small: {} of at least {} pixels high.": "Demasiado pequeño: {} píxeles de alto, y hacen falta al menos {}.",
    "Already {} pixels high: a face model would take detail away.": "Ya tiene {} píxeles de alto: un modelo de "
    "rostros le quitaría detalle.",
    "Sharp already.": "Ya es nítido.",
    "Not among the chosen ones.": "No está entre los elegidos.",
    "Another face is nearer to the middle.": "Hay otro rostro más cerca del centro.",
    "Its features changed (likeness {}).": "Sus rasgos han cambiado (parecido {}).",
    "After restoring it is no face any more.": "Después de restaurarlo ya no es un rostro.",
    "Eyes, nose or mouth moved by {} of the distance between the eyes.": "Los ojos, la nariz o la boca se han "
    "movido {} de la distancia entre los ojos.",
    "{}{} is not installed. {} would bring it; everything else was done.": "{}{} no está instalado. {} lo "
    "descargaría; todo lo demás está hecho.",
    "{}{} are not installed. {} would bring them; everything else was done.": "{}{} no están instalados. {} los "
    "descargarían; todo lo demás está hecho.",
    "{} and {}": "{} y {}",
    "Faces were not restored: {}": "No se han restaurado los rostros: {}",
    "There is no face model '{}'. Known: {}.": "No hay ningún modelo de rostros «{}». Se conocen: {}.",
    "'{}' ({}) is not a face model.": "«{}» ({}) no es un modelo de rostros.",
    "Memory of {} ran short: faces were restored on the CPU.": "La memoria de {} se quedó corta: los rostros se "
    "restauraron en la CPU.",
    "The face model '{}' gives no valid pixels even in fp32: its file is damaged.": "El modelo de rostros «{}» no "
    "da píxeles válidos ni siquiera en fp32: su archivo está dañado.",
    "Not enough memory for the face model '{}', not even for one face on the CPU. Close other programs, or switch "
    "face restoration off.": "No hay memoria suficiente para el modelo de rostros «{}», ni siquiera para un rostro "
    "en la CPU. Cierre otros programas o desactive la restauración de rostros.",
    "The face model changed {} too far from the picture; what changed {}.": "El modelo de rostros alejó demasiado "
    "de la imagen {}; lo que cambió {}.",
    "face {}": "el rostro {}",
    "faces {}": "los rostros {}",
    "was blended back": "se ha mezclado de nuevo con el original",
    "is shown all the same, as was asked for": "se muestra de todos modos, como se pidió",
    "No face model could be used.": "No se pudo usar ningún modelo de rostros.",
    "No restored faces are remembered for '{}': it was made without, changed since, or long ago. Enhance the "
    "picture again with --faces on.": "No se recuerdan rostros restaurados de «{}»: se hizo sin ellos, ha cambiado "
    "desde entonces o fue hace mucho. Vuelva a mejorar la imagen con --faces on.",
    "Say which strength the faces shall have.": "Indique qué intensidad deben tener los rostros.",
    "Face {} was not restored; restored: {}.": "El rostro {} no se restauró; restaurados: {}.",
    "The strength of a face must be between 0 and 1 (given: {}).": "La intensidad de un rostro debe estar entre 0 y "
    "1 (indicado: {}).",
    # Warnings and errors of a run
    "Cancelled; nothing was written.": "Cancelado; no se ha escrito nada.",
    "Not enough memory for '{}' even with the smallest tile. Turn automatic tiles on, use half precision, switch "
    "face enhancement off, close other programs, or run on the CPU.": "No hay memoria suficiente para «{}» ni "
    "siquiera con la tesela más pequeña. Active las teselas automáticas, use media precisión, desactive la mejora "
    "de rostros, cierre otros programas o ejecute en la CPU.",
    "Not enough memory for '{}'. Close other programs or use smaller tiles.": "No hay memoria suficiente para «{}». "
    "Cierre otros programas o use teselas más pequeñas.",
    "Memory ran short: tiles were made smaller (now {} pixels) and the work went on.": "La memoria se quedó corta: "
    "las teselas se hicieron más pequeñas (ahora {} píxeles) y el trabajo continuó.",
    "{} holds 8 bits a channel; the input's 16 were reduced.": "{} admite 8 bits por canal; los 16 de la entrada se "
    "han reducido.",
    "Animations are written with 8 bits a channel; the input's 16 were reduced.": "Las animaciones se escriben con 8 "
    "bits por canal; los 16 del original se redujeron.",
    "Faces in animations are not restored: they would flicker.": "Los rostros de las animaciones no se restauran: "
    "parpadearían.",
    "{} holds one picture: only the first frame is kept.": "{} admite una sola imagen: solo se conserva el primer "
    "fotograma.",
    "{}; the picture was run again in fp32.": "{}; la imagen se ejecutó de nuevo en fp32.",
    "'{}' gives no valid pixels even in fp32: its checkpoint is damaged.": "«{}» no da píxeles válidos ni siquiera "
    "en fp32: su archivo está dañado.",
    "'{}' has no denoise strength; it was ignored.": "«{}» no tiene reducción de ruido ajustable; se ha ignorado.",
    "The picture was reduced to {}x{} pixels to stay below {} MB.": "La imagen se redujo a {}x{} píxeles para no "
    "superar {} MB.",
    "'{}' cannot be made as small as {} bytes; allow a larger file.": "«{}» no se puede hacer tan pequeño como {} "
    "bytes; permita un archivo más grande.",
    "Quality was lowered to {} to stay below {} MB.": "La calidad se bajó a {} para no superar {} MB.",
    "Enhanced {}x{} to {}x{} with {} ({}, {}, {}) in {} s.": "Mejorado de {}x{} a {}x{} con {} ({}, {}, {}) en {} s.",
    "fidelity must be between 0 and 1 (given: {}).": "La fidelidad debe estar entre 0 y 1 (indicado: {}).",
    "The two pictures have different channels; they are not a result and its input.": "Las dos imágenes tienen "
    "canales distintos; no son un resultado y su entrada.",
    "The picture is large enough already; it was written anew at its own size.": "La imagen ya es bastante grande; "
    "se ha escrito de nuevo a su mismo tamaño.",
    "'{}' cannot be written: pictures are saved as {}. Choose such a name, or a format (--format).": "«{}» no se "
    "puede escribir: las imágenes se guardan como {}. Elija un nombre así o un formato (--format).",
    "'{}' is an animation, for which no largest file size can be kept. Leave that out, or save as JPEG, AVIF or "
    "TIFF, which hold its first frame.": "«{}» es una animación, para la que no se puede respetar un tamaño máximo "
    "de archivo. Quítelo, o guarde como JPEG, AVIF o TIFF, que contienen su primer fotograma.",
    "The picture is large enough already; it was copied unchanged.": "La imagen ya es bastante grande; se ha "
    "copiado sin cambios.",
    "This result holds too much of the original to be moved back; run it again.": "Este resultado contiene "
    "demasiado del original para volver atrás; ejecútelo de nuevo.",
    "The restored faces of '{}' are no longer remembered, and would be lost; run it again with the fidelity that "
    "you want.": "Los rostros restaurados de «{}» ya no se recuerdan y se perderían; ejecútelo de nuevo con la "
    "fidelidad que desee.",
    "The same picture was enhanced with these settings before (run {}); its result was taken.": "La misma imagen ya "
    "se mejoró con estos ajustes (ejecución {}); se ha tomado su resultado.",
    "side must be between 32 and 1024 pixels (given: {}).": "El lado debe estar entre 32 y 1024 píxeles (indicado: "
    "{}).",
    "The result would be {}x{} pixels ({} megapixels); the limit is {}. Choose a smaller scale or raise "
    "REALESRGAN_MAX_OUTPUT_MEGAPIXELS.": "El resultado tendría {}x{} píxeles ({} megapíxeles); el límite es {}. "
    "Elija una ampliación menor o aumente REALESRGAN_MAX_OUTPUT_MEGAPIXELS.",
    "The goal is {} times the input ({}x{}); at most {} times is possible.": "El objetivo es {} veces la entrada "
    "({}x{}); como máximo son posibles {} veces.",
    "a seamless texture cannot be cropped: its borders would no longer meet": "una textura que se repite no se "
    "puede recortar: sus bordes ya no coincidirían",
    "give one goal for the output size, not {}": "indique un solo objetivo para el tamaño de salida, no {}",
    "This does not look like a normal map: its RGB vectors are not of length 1.": "Esto no parece un mapa de "
    "normales: sus vectores RGB no tienen longitud 1.",
}
