"""What the engine says of videos."""

from __future__ import annotations

TEXTS = {
    "{} is for short clips: {} frames are more than {}. Choose a range (start, end) or save as .mp4.": "{} es para "
    "fragmentos cortos: {} fotogramas son más de {}. Elija un intervalo (inicio, fin) o guarde como .mp4.",
    "The clip has more than {} frames. Choose a range, or save as .mp4.": "El fragmento tiene más de {} fotogramas. "
    "Elija un intervalo o guarde como .mp4.",
    "{} is the installed model that suits {} and is quick enough for thousands of frames.": "{} es el modelo "
    "instalado que se adapta a {} y es bastante rápido para miles de fotogramas.",
    "The video is interlaced: its frames were made whole (bwdif). `--deinterlace off` leaves them.": "El vídeo está "
    "entrelazado: sus fotogramas se han completado (bwdif). `--deinterlace off` los deja como están.",
    "The video looks telecined (cinema spread over 29.97 frames a second): `--deinterlace telecine` gives the "
    "23.976 a second back that it was made of.": "El vídeo parece pasado por telecine (cine repartido en 29,97 "
    "fotogramas por segundo): `--deinterlace telecine` devuelve los 23,976 por segundo de los que se hizo.",
    "No telecine was found in the video; one frame in five was left out of it all the same.": "No se ha encontrado "
    "telecine en el vídeo; aun así se ha omitido uno de cada cinco fotogramas.",
    "Telecine is undone in films of 29.97 frames a second; '{}' has {}. Choose another `--deinterlace`.": "El "
    "telecine se deshace en vídeos de 29,97 fotogramas por segundo; «{}» tiene {}. Elija otro `--deinterlace`.",
    "The video is interlaced: its lines belong to two moments, and were left so.": "El vídeo está entrelazado: sus "
    "líneas pertenecen a dos instantes, y se han dejado así.",
    "The video has colour at full resolution (4:4:4); {} is written with half of it (4:2:0) here. H.264 and H.265 "
    "in .mkv or .mp4 keep it.": "El vídeo tiene el color a resolución completa (4:4:4); {} se escribe aquí con la "
    "mitad (4:2:0). H.264 y H.265 en .mkv o .mp4 la conservan.",
    "The video has colour in every line (4:2:2); {} is written with that of every other one (4:2:0) here. H.264 and "
    "H.265 in .mkv or .mp4 keep it.": "El vídeo tiene color en cada línea (4:2:2); {} se escribe aquí con el de una "
    "de cada dos (4:2:0). H.264 y H.265 en .mkv o .mp4 lo conservan.",
    "The video's colour is sampled as {}, which no encoder here writes; it became {}.": "El color del vídeo está "
    "muestreado como {}, que aquí no escribe ningún codificador; se ha convertido en {}.",
    "The video's transparency was left out.": "La transparencia del vídeo se ha omitido.",
    "HDR10+ or Dolby Vision fits the frames as they were; it was left out. HDR10's own data is kept.": "HDR10+ o "
    "Dolby Vision corresponde a los fotogramas tal como eran; se ha omitido. Los datos propios de HDR10 se "
    "conservan.",
    "The video's colour matrix is not known here; it was read as BT.709.": "La matriz de color del vídeo no se "
    "conoce aquí; se ha leído como BT.709.",
    "Face restoration is for pictures: frame by frame it would flicker. It was left out.": "La restauración de "
    "rostros es para imágenes: fotograma a fotograma parpadearía. Se ha omitido.",
    "A file size cannot be asked for a video; use the video quality. It was ignored.": "No se puede pedir un tamaño "
    "de archivo para un vídeo; use la calidad del vídeo. Se ha ignorado.",
    "Animated pictures have no sound: it was left out.": "Las imágenes animadas no tienen sonido: se ha omitido.",
    "{} needs even sides: {}x{} became {}x{} by repeating the last row or column.": "{} necesita lados pares: {}x{} "
    "pasó a ser {}x{} repitiendo la última fila o columna.",
    "Many players cannot show H.264 with 10 bits; H.265 is the usual choice.": "Muchos reproductores no pueden "
    "mostrar H.264 con 10 bits; lo habitual es H.265.",
    "The video's {} bits a channel became 10.": "Los {} bits por canal del vídeo pasaron a ser 10.",
    "{} {} frames from {}x{} to {}x{} with {} ({}, {}, {}) in {} s, {} frames a second.": "{} {} fotogramas de "
    "{}x{} a {}x{} con {} ({}, {}, {}) en {} s, {} fotogramas por segundo.",
    "'{}' cannot be written: videos are saved as {}, short clips also as .gif and .webp.": "«{}» no se puede "
    "escribir: los vídeos se guardan como {}, los fragmentos cortos también como .gif y .webp.",
    "A video of {}x{} pixels cannot be encoded as {}: at most {} a side. Choose a smaller scale.": "Un vídeo de "
    "{}x{} píxeles no se puede codificar como {}: como máximo {} por lado. Elija una ampliación menor.",
    "The video cannot be encoded as {} to '{}': {}.": "El vídeo no se puede codificar como {} en «{}»: {}.",
    "{} files do not hold {} here; choose {}, or save as .mkv.": "Los archivos {} no admiten aquí {}; elija {} o "
    "guarde como .mkv.",
    "The {} encoder gave {} pictures for {} frames; choose another codec.": "El codificador {} dio {} imágenes para "
    "{} fotogramas; elija otro códec.",
    "{}; the video goes on in fp32.": "{}; el vídeo continúa en fp32.",
    "Not enough memory for a frame of {}x{} pixels even with the smallest tile. Close other programs, choose a "
    "smaller scale, or use smaller tiles.": "No hay memoria suficiente para un fotograma de {}x{} píxeles ni "
    "siquiera con la tesela más pequeña. Cierre otros programas, elija una ampliación menor o use teselas más "
    "pequeñas.",
    "'{}' cannot enhance this video: {}": "«{}» no puede mejorar este vídeo: {}",
    "{} packets of the input's sound or subtitles are damaged; they were left out.": "{} paquetes de sonido o "
    "subtítulos de la entrada están dañados; se han omitido.",
    "The finished parts hold {} frames instead of {}; run again from the start.": "Las partes terminadas contienen "
    "{} fotogramas en lugar de {}; ejecútelo de nuevo desde el principio.",
    "'{}' cannot be written as {}: {}.": "«{}» no se puede escribir como {}: {}.",
    "'{}' is not a time; write seconds (12.5) or minutes:seconds (1:30).": "«{}» no es un tiempo; escriba segundos "
    "(12.5) o minutos:segundos (1:30).",
    "Cancelled; the last frames took too long to finish. Start again to go on.": "Cancelado; los últimos fotogramas "
    "tardaron demasiado en terminar. Empiece de nuevo para continuar.",
    "The process that enhanced '{}' ended (code {}); what was finished is kept, and the same job goes on from "
    "there.": "El proceso que mejoraba «{}» terminó (código {}); lo que estaba hecho se conserva, y el mismo trabajo "
    "continúa desde ahí.",
    "'{}' holds no frames{}.": "«{}» no contiene fotogramas{}.",
    "in that range": "en ese intervalo",
    "The same command goes on from there.": "El mismo trabajo continúa desde ahí.",
    "Cancelled: the file holds the first {}{} frames.{}": "Cancelado: el archivo contiene los primeros {}{} "
    "fotogramas.{}",
    "of {}": "de {}",
    "Cancelled: the file holds the first {} of {} frames.{}": "Cancelado: el archivo contiene los primeros {} de {} "
    "fotogramas.{}",
    "Cancelled: the first {} of {} frames were written.{}": "Cancelado: se escribieron los primeros {} de {} "
    "fotogramas.{}",
    "The input is cut off or damaged: {} of {} frames could be read.": "La entrada está cortada o dañada: se "
    "pudieron leer {} de {} fotogramas.",
    "{} frames could not be decoded; each repeats the one before it.": "{} fotogramas no se pudieron descodificar; "
    "cada uno repite el anterior.",
    "The network failed on {} frames; they were enlarged by interpolation.": "La red falló en {} fotogramas; se "
    "ampliaron por interpolación.",
    "This video is being enhanced with these settings already; wait for it.": "Este vídeo ya se está mejorando con "
    "estos ajustes; espere a que termine.",
    "Sound track {} ({}) cannot be kept in this container; it was encoded as {}.": "La pista de sonido {} ({}) no "
    "se puede conservar en este contenedor; se ha codificado como {}.",
    "Sound track {} ({}) cannot be kept in this container.": "La pista de sonido {} ({}) no se puede conservar en "
    "este contenedor.",
    "Only the first of several video tracks was enhanced and kept.": "Solo se mejoró y se conservó la primera de "
    "varias pistas de vídeo.",
    "Subtitle track {} ({}) cannot be kept in this container; .mkv holds it.": "La pista de subtítulos {} ({}) no "
    "se puede conservar en este contenedor; .mkv la admite.",
    "'{}' is not a video that can be read: {}.": "«{}» no es un vídeo que se pueda leer: {}.",
    "'{}' holds no video{}.": "«{}» no contiene vídeo{}.",
    "(only {})": "(solo {})",
    "'{}' is cut off: the index of its frames is missing, as after a broken download or recording. Copy or download "
    "it again.": "«{}» está cortado: falta el índice de sus fotogramas, como después de una descarga o grabación "
    "interrumpida. Cópielo o descárguelo de nuevo.",
    "There is no file '{}'.": "No existe el archivo «{}».",
    "'{}' is empty: it has no bytes. Copy or download it again.": "«{}» está vacío: no tiene bytes. Cópielo o "
    "descárguelo de nuevo.",
    "{} cannot be read: {}.": "{} no se puede leer: {}.",
    "'{}' holds no frames.": "«{}» no contiene fotogramas.",
    "'{}' has {} MB; the limit is {} MB (REALESRGAN_MAX_VIDEO_MB).": "«{}» tiene {} MB; el límite es {} MB "
    "(REALESRGAN_MAX_VIDEO_MB).",
    "'{}' lasts {} minutes; the limit is {} (REALESRGAN_MAX_VIDEO_MINUTES).": "«{}» dura {} minutos; el límite es "
    "{} (REALESRGAN_MAX_VIDEO_MINUTES).",
    "'{}' is cut off or damaged: none of its frames can be decoded. Copy or download it again.": "«{}» está cortado "
    "o dañado: no se puede descodificar ninguno de sus fotogramas. Cópielo o descárguelo de nuevo.",
    "A frame of '{}' has {}x{} pixels; the limit is {} megapixels (REALESRGAN_MAX_IMAGE_MEGAPIXELS).": "Un "
    "fotograma de «{}» tiene {}x{} píxeles; el límite es {} megapíxeles (REALESRGAN_MAX_IMAGE_MEGAPIXELS).",
    "'{}' holds no numbered pictures{}, such as 0001.png.": "«{}» no contiene imágenes numeradas{}, como 0001.png.",
    "from number {} on": "desde el número {}",
    "'{}' and '{}' have the same number.": "«{}» y «{}» tienen el mismo número.",
    "'{}' holds several sequences ({}); name one by its pattern, such as '{}'.": "«{}» contiene varias secuencias "
    "({}); indique una por su patrón, como «{}».",
    "'{}' has {}x{} pixels, but '{}' {}x{}: the frames of a film are of one size.": "«{}» tiene {}x{} píxeles, pero "
    "«{}» {}x{}: los fotogramas de un vídeo son de un mismo tamaño.",
    "'{}' is of another size than it was.": "«{}» tiene otro tamaño que antes.",
    "Numbered pictures are whole frames: deinterlacing is for films.": "Las imágenes numeradas son fotogramas "
    "enteros: desentrelazar es para vídeos.",
    "A film has its own frame rate; a rate is for numbered pictures.": "Un vídeo tiene su propia frecuencia de "
    "fotogramas; indicarla es para imágenes numeradas.",
    "Numbers are missing among the pictures: {}. The frames follow each other without a gap.": "Faltan números "
    "entre las imágenes: {}. Los fotogramas se suceden sin huecos.",
    "The pictures' colour profile ({}) was left out: players show films like sRGB.": "El perfil de color de las "
    "imágenes ({}) se ha omitido: los reproductores muestran los vídeos como sRGB.",
    "Transparency became black.": "La transparencia pasó a ser negro.",
    "{} holds 8 bits a channel; the input's {} were reduced.": "{} admite 8 bits por canal; los {} de la entrada se "
    "han reducido.",
    "The frames hold the HDR film's values as they are coded (PQ or HLG); pictures do not say so.": "Los fotogramas "
    "contienen los valores del vídeo HDR tal como están codificados (PQ o HLG); las imágenes no lo indican.",
    "Pictures have no sound: it was left out.": "Las imágenes no tienen sonido: se ha omitido.",
    "'{}' cannot be written: frames are saved as .png, .jpg, .webp or .tif; films have no number in their names.": ""
    "«{}» no se puede escribir: los fotogramas se guardan como .png, .jpg, .webp o .tif; los vídeos no llevan "
    "número en su nombre.",
    "{} older pictures with such names lie in '{}' beside the frames.": "{} imágenes más antiguas con esos nombres "
    "están en «{}» junto a los fotogramas.",
    "Cancelled: the first {}{} frames were written.{}": "Cancelado: se escribieron los primeros {}{} fotogramas.{}",
    "Two of the pictures are called '{}'; a film needs one of each number.": "Dos de las imágenes se llaman «{}»; "
    "un vídeo necesita una de cada número.",
}
