"""What the engine says of files, folders, ZIP files and batches."""

from __future__ import annotations

TEXTS = {
    # Batches
    "'{}' is refused: its member '{}' would be written outside.": "«{}» se ha rechazado: su elemento «{}» se "
    "escribiría fuera.",
    "'{}' is refused: with '{}' it is over the limit of extracted bytes.": "«{}» se ha rechazado: con «{}» supera "
    "el límite de bytes extraídos.",
    "'{}' is not a ZIP file that can be read: {}.": "«{}» no es un archivo ZIP que se pueda leer: {}.",
    "'{}' cannot be extracted: {}.": "«{}» no se puede extraer: {}.",
    "'{}' holds {} pictures; the limit is {}.": "«{}» contiene {} imágenes; el límite es {}.",
    "{} batches are waiting already. Try again when some have ended.": "Ya hay {} lotes en espera. Inténtelo de "
    "nuevo cuando hayan terminado algunos.",
    "{}: {}; see the log.": "{}: {}; vea el registro.",
    "Another batch is writing to '{}'. Wait for it, or choose another output folder.": "Otro lote está escribiendo "
    "en «{}». Espere a que termine o elija otra carpeta de salida.",
    "Cannot write the journal in '{}': {}.": "No se puede escribir el diario en «{}»: {}.",
    "The name template '{}' has unknown fields: {}.": "La plantilla de nombres «{}» tiene campos desconocidos: {}.",
    "The name template '{}' does not give a file name ('{}').": "La plantilla de nombres «{}» no da un nombre de "
    "archivo («{}»).",
    "The name template '{}' needs {stem} or {number} to tell files apart.": "La plantilla de nombres «{}» necesita "
    "{stem} o {number} para distinguir los archivos.",
    "The name template '{}' cannot be used ({}); its fields are {}.": "La plantilla de nombres «{}» no se puede "
    "usar ({}); sus campos son {}.",
    "'{}' would become '{}', but {}; it becomes '{}'.": "«{}» pasaría a ser «{}», pero {}; pasa a ser «{}».",
    "so would '{}'": "«{}» también",
    "that is one of the inputs": "ese es uno de los originales",
    "a file of that name exists": "existe un archivo con ese nombre",
    "The results will take about {} GB, but only {} GB are free on that disk.": "Los resultados ocuparán unos {} "
    "GB, pero en ese disco solo hay {} GB libres.",
    "No picture was found in {}. Name picture files, folders or ZIP files.": "No se ha encontrado ninguna imagen en "
    "{}. Indique archivos de imagen, carpetas o archivos ZIP.",
    "{} Choose another name template or output folder.": "{} Elija otra plantilla de nombres u otra carpeta de salida.",
    "No unfinished batch is in '{}'. Name the pictures to enhance.": "No hay ningún lote sin terminar en «{}». "
    "Indique las imágenes que desea mejorar.",
    "'{}' cannot be used: {}. Start the batch anew.": "«{}» no se puede usar: {}. Empiece el lote de nuevo.",
    "'{}' failed unexpectedly ({}: {}); see the log.": "«{}» falló de forma inesperada ({}: {}); vea el registro.",
    # Reading
    "'{}' does not exist.": "«{}» no existe.",
    "'{}' cannot be read: {}.": "«{}» no se puede leer: {}.",
    "Cannot read '{}': {}.": "No se puede leer «{}»: {}.",
    "'{}' is damaged: it claims {}x{} pixels, and WebP holds {} a side.": "«{}» está dañado: dice tener {}x{} "
    "píxeles, y WebP admite {} por lado.",
    "'{}' is not a picture that can be read (PNG, JPEG, WebP, AVIF, TIFF, GIF, BMP, HEIC, JPEG XL, JPEG 2000, PSD, "
    "HDR, OpenEXR, camera raw, PDF), or it is damaged at its very start.": "«{}» no es una imagen que se pueda leer "
    "(PNG, JPEG, WebP, AVIF, TIFF, GIF, BMP, HEIC, JPEG XL, JPEG 2000, PSD, HDR, OpenEXR, RAW de cámara, PDF), o "
    "está dañado desde el principio.",
    "'{}' needs the package {}: pip install {}.": "«{}» necesita el paquete {}: pip install {}.",
    "'{}' holds {} MB of channels, which are decoded together, and at most {} are read. Save it with red, green, "
    "blue and alpha only.": "«{}» tiene {} MB de canales, que se descodifican juntos, y se leen como máximo {}. "
    "Guárdelo solo con rojo, verde, azul y alfa.",
    "'{}' is an animation: only its first frame is read.": "«{}» es una animación: solo se lee su primer fotograma.",
    "The colour profile of '{}' cannot be read; its colours were taken as sRGB.": "El perfil de color de «{}» no se "
    "puede leer; sus colores se han tomado como sRGB.",
    "The colour profile of '{}' cannot be computed with; its colours were made sRGB.": "No se puede calcular con el "
    "perfil de color de «{}»; sus colores se han pasado a sRGB.",
    "'{}' cannot be saved as JPEG XL with losses: its colour profile cannot be computed with ({}). Save it "
    "lossless.": "«{}» no se puede guardar como JPEG XL con pérdida: no se puede calcular con su perfil de color ({}). "
    "Guárdelo sin pérdida.",
    "'{}' is an HEIC picture, which needs the package pillow-heif: pip install pillow-heif.": "«{}» es una imagen "
    "HEIC, que necesita el paquete pillow-heif: pip install pillow-heif.",
    "'{}' is empty (0 bytes).": "«{}» está vacío (0 bytes).",
    "'{}' has {} MB; the limit is {} MB (REALESRGAN_MAX_IMAGE_MB).": "«{}» tiene {} MB; el límite es {} MB "
    "(REALESRGAN_MAX_IMAGE_MB).",
    "'{}' has no pixels ({}x{}).": "«{}» no tiene píxeles ({}x{}).",
    "'{}' is {}x{} ({} megapixels); the limit is {} (REALESRGAN_MAX_IMAGE_MEGAPIXELS). It was not decoded.": "«{}» "
    "mide {}x{} ({} megapíxeles); el límite es {} (REALESRGAN_MAX_IMAGE_MEGAPIXELS). No se ha descodificado.",
    "'{}' has {} frames of {}x{}, too many pixels in all.": "«{}» tiene {} fotogramas de {}x{}, demasiados píxeles "
    "en total.",
    "The EXIF of '{}' is damaged and was left out.": "Los datos EXIF de «{}» están dañados y se han omitido.",
    "the picture": "la imagen",
    "'{}' is a folder, not a picture.": "«{}» es una carpeta, no una imagen.",
    "'{}' is refused: {}": "«{}» se ha rechazado: {}",
    "'{}' is damaged or cut off: {}.": "«{}» está dañado o cortado: {}.",
    "What can still be decoded of it can be saved: salvage (--salvage).": "Lo que aún se puede descodificar se "
    "puede recuperar: recuperar imágenes dañadas (--salvage).",
    "Nothing of its pixels can be decoded.": "No se puede descodificar ninguno de sus píxeles.",
    "'{}' is damaged: it ends within scan {} of a progressive JPEG, of which {} % is missing; the whole picture is "
    "there, but with less detail.": "«{}» está dañado: termina en la pasada {} de un JPEG progresivo, de la que "
    "falta el {} %; la imagen entera está, pero con menos detalle.",
    "'{}' is damaged: up to {} % of it is missing or wrong in the result.": "«{}» está dañado: hasta el {} % falta "
    "o es incorrecto en el resultado.",
    "'{}' is damaged, but all of its pixels could be decoded; a few may be wrong.": "«{}» está dañado, pero se "
    "pudieron descodificar todos sus píxeles; algunos pueden ser incorrectos.",
    "'{}' is cut off: only its first {} frames can be decoded, and the file does not say how many there were.": ""
    "«{}» está cortado: solo se pueden descodificar sus {} primeros fotogramas, y el archivo no dice cuántos había.",
    "'{}' is damaged: only the first {} of its {} frames can be decoded; missing: {}.": "«{}» está dañado: solo se "
    "pueden descodificar los {} primeros de sus {} fotogramas; faltan: {}.",
    "'{}' is damaged: {} % of it is missing, and gray or transparent in the result.": "«{}» está dañado: falta el "
    "{} %, que en el resultado es gris o transparente.",
    "'{}' has more than {} frames, which is more than is read. Cut it into parts.": "«{}» tiene más de {} "
    "fotogramas, más de los que se leen. Divídalo en partes.",
    "'{}' is a {} file in spite of its name.": "«{}» es un archivo {} a pesar de su nombre.",
    "'{}' is a TIFF of a colour kind that cannot be read; save it as RGB.": "«{}» es un TIFF con una clase de color "
    "que no se puede leer; guárdelo como RGB.",
    # Writing
    "'{}' is a folder; name a file for the result.": "«{}» es una carpeta; indique un archivo para el resultado.",
    "The result would overwrite its own input '{}'. Choose another name.": "El resultado sobrescribiría su propia "
    "entrada «{}». Elija otro nombre.",
    "'{}' exists already. Choose another name, or allow overwriting (--force).": "«{}» ya existe. Elija otro nombre "
    "o permita sobrescribir (--force).",
    "'{}' cannot be deleted: {}.": "«{}» no se puede eliminar: {}.",
    "'{}' cannot be written: {}.": "«{}» no se puede escribir: {}.",
    "Cannot write '{}': {}.": "No se puede escribir «{}»: {}.",
    "Cannot write '{}': {}. Nothing was left behind.": "No se puede escribir «{}»: {}. No ha quedado nada.",
    "Cannot write to '{}': {}.": "No se puede escribir en «{}»: {}.",
    "Cannot write beside '{}': {}.": "No se puede escribir junto a «{}»: {}.",
    "the disk is full": "el disco está lleno",
    "the disk quota is used up": "la cuota de disco está agotada",
    "the file would be too large for this file system": "el archivo sería demasiado grande para este sistema de "
    "archivos",
    "permission denied": "permiso denegado",
    "the file system is read-only": "el sistema de archivos es de solo lectura",
    "the name is too long": "el nombre es demasiado largo",
    "its folder is not a folder": "su carpeta no es una carpeta",
    "a folder has that name": "una carpeta tiene ese nombre",
    "{} holds at most {} pixels a side; '{}' would be {}x{}. Save as PNG or TIFF, or choose a smaller size.": "{} "
    "admite como máximo {} píxeles por lado; «{}» tendría {}x{}. Guarde como PNG o TIFF, o elija un tamaño menor.",
    "{} holds at most {} pixels a side; '{}' would be {}x{}. Save the animation as PNG, or choose a smaller size.": ""
    "{} admite como máximo {} píxeles por lado; «{}» tendría {}x{}. Guarde la animación como PNG o elija un tamaño "
    "menor.",
    "Pictures cannot be saved as '{}'.": "Las imágenes no se pueden guardar como «{}».",
    "'{}' holds no animations: save '{}' as GIF, WebP, PNG or JPEG XL.": "«{}» no admite animaciones: guarde «{}» como "
    "GIF, WebP, PNG o JPEG XL.",
    "its frames were encoded differently": "sus fotogramas se codificaron de forma distinta",
    "'{}' would be too long for {}.": "«{}» sería demasiado largo para {}.",
    "'{}' was not written: the animation has no frames.": "«{}» no se ha escrito: la animación no tiene fotogramas.",
    "'{}' was not written: its frames differ in size ({}x{}, then {}x{}).": "«{}» no se ha escrito: sus fotogramas "
    "son de distinto tamaño ({}x{}, después {}x{}).",
    "'{}' cannot be saved as {}: {}.": "«{}» no se puede guardar como {}: {}.",
    "{} holds 8 bits a channel, not {}.": "{} admite 8 bits por canal, no {}.",
    # What is handed in
    "There is no picture.": "No hay ninguna imagen.",
    "A PIL picture is needed, not {}.": "Hace falta una imagen PIL, no {}.",
    "The picture has no pixels.": "La imagen no tiene píxeles.",
    "The picture has {} megapixels; the limit is {}.": "La imagen tiene {} megapíxeles; el límite es {}.",
    "The picture is damaged: {}.": "La imagen está dañada: {}.",
    "{} is not a path: {}.": "{} no es una ruta: {}.",
    "{} cannot be a path: {}.": "{} no puede ser una ruta: {}.",
    "'{}' leads out of the folder '{}'.": "«{}» lleva fuera de la carpeta «{}».",
    "Give a file name.": "Indique un nombre de archivo.",
    "{} cannot be a file name; {} can.": "{} no puede ser un nombre de archivo; {} sí.",
    # Said by the interface itself
    "This folder may not be named. Whoever runs the program can allow it with REALESRGAN_API_LIBRARY_ROOTS.": "Esta "
    "carpeta no se puede indicar. Quien ejecuta el programa puede permitirlo con REALESRGAN_API_LIBRARY_ROOTS.",
    "Choose pictures, a ZIP file or a folder first.": "Elija primero imágenes, un archivo ZIP o una carpeta.",
    "No picture is finished yet.": "Todavía no hay ninguna imagen terminada.",
    "'{}' is not a folder of the machine that the program runs on.": "«{}» no es una carpeta del equipo en el que "
    "se ejecuta el programa.",
    "'{}' is not a folder: {}.": "«{}» no es una carpeta: {}.",
    "Choose a preset first.": "Elija primero un preajuste.",
    "Folders of this machine may not be named here. Upload the pictures instead.": "Aquí no se pueden indicar "
    "carpetas de este equipo. Suba mejor las imágenes.",
    "A batch is running here. Wait for it, or cancel it first.": "Aquí hay un lote en marcha. Espere a que termine "
    "o cancélelo primero.",
    "There is no job {} (any more).": "No hay ningún trabajo {} (o ya no).",
    "Job {} is another person's.": "El trabajo {} es de otra persona.",
    "Job {} does not wait any more, so its place cannot be changed.": "El trabajo {} ya no está en espera, así que "
    "no se puede cambiar su puesto.",
    "'{}' runs or waits with these settings already. Cancel it to begin anew.": "«{}» ya está en marcha o en espera "
    "con estos ajustes. Cancélelo para empezar de nuevo.",
    "What was to be done with the film cannot be read; start it anew.": "Lo que había que hacer con el vídeo no se "
    "puede leer; empiécelo de nuevo.",
    "'{}' is not here any more: uploads are kept for a day. Choose the file again.": "«{}» ya no está aquí: lo "
    "subido se conserva un día. Elija el archivo de nuevo.",
    "'{}' cannot be kept: {}.": "«{}» no se puede conservar: {}.",
    "A side is a whole number of pixels, not '{}'.": "Un lado es un número entero de píxeles, no «{}».",
    "There is no batch to try again.": "No hay ningún lote que reintentar.",
    "There is no unfinished batch.": "No hay ningún lote sin terminar.",
    "There are no presets of your own yet.": "Todavía no tiene preajustes propios.",
    "Cancelled before it began.": "Cancelado antes de empezar.",
    "{} jobs are waiting already. Try again in a moment.": "Ya hay {} trabajos en espera. Vuelva a intentarlo en un "
    "momento.",
}
