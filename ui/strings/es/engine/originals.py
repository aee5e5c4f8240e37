"""What the engine says of originals that are replaced in place, and brought back."""

from __future__ import annotations

TEXTS = {
    "A folder for the originals is only used where they are replaced (--in-place).": "Una carpeta para los "
    "originales solo se usa donde se sustituyen (--in-place).",
    "A folder that is watched cannot be replaced in place: results would come in again.": "En una carpeta vigilada "
    "no se puede sustituir en el sitio: los resultados volverían a entrar.",
    "Pictures in '{}' cannot be replaced in place. Extract them first.": "Las imágenes en «{}» no se pueden "
    "sustituir en el sitio. Extráigalas primero.",
    "Name a folder for the originals.": "Indique una carpeta para los originales.",
    "Another program is replacing originals of '{}'. Wait for it.": "Otro programa está sustituyendo originales de "
    "«{}». Espere a que termine.",
    "'{}' is a link; name the file that it points to, '{}'.": "«{}» es un enlace; indique el archivo al que apunta, "
    "«{}».",
    "'{}' is no file that could be replaced.": "«{}» no es un archivo que se pueda sustituir.",
    "'{}' is not replaced: '{}' exists already.": "«{}» no se sustituye: «{}» ya existe.",
    "'{}' cannot be replaced: its folder may not be written.": "«{}» no se puede sustituir: no se puede escribir en "
    "su carpeta.",
    "'{}' was changed while it was enhanced; it was left as it is.": "«{}» cambió mientras se mejoraba; se ha "
    "dejado como está.",
    "'{}' cannot be kept in '{}': {}. It stays as it is, and was not replaced.": "«{}» no se puede conservar en "
    "«{}»: {}. Se queda como está y no se ha sustituido.",
    "'{}' cannot be moved to the trash: {}. It stays as it is; name a folder for the originals instead (--backup).": ""
    "«{}» no se puede mover a la papelera: {}. Se queda como está; indique mejor una carpeta para los originales "
    "(--backup).",
    "No run '{}' that replaced originals is there to be undone.": "No hay ninguna ejecución «{}» que sustituyera "
    "originales y se pueda deshacer.",
    "No run that replaced originals is there to be undone.": "No hay ninguna ejecución que sustituyera originales y "
    "se pueda deshacer.",
    "'{}' is not brought back: another file of that name is there.": "«{}» no se devuelve: hay otro archivo con ese "
    "nombre.",
    "'{}' is not brought back: '{}' was changed since, and is left alone.": "«{}» no se devuelve: «{}» ha cambiado "
    "desde entonces y se deja como está.",
    "'{}' cannot be brought back: {}.": "«{}» no se puede devolver: {}.",
    "The original of '{}' is not in '{}' any more, or was changed there.": "El original de «{}» ya no está en «{}», "
    "o se cambió allí.",
    "'{}' lies in the system's trash; put it back from there. '{}' stays.": "«{}» está en la papelera del sistema; "
    "recupérelo desde allí. «{}» se queda.",
    "The original of '{}' is not in the trash any more.": "El original de «{}» ya no está en la papelera.",
}
