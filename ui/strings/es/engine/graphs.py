"""What the engine says of ncnn networks."""

from __future__ import annotations

TEXTS = {
    "'{}' is a binary graph; use the text .param that it was made from.": "«{}» es un grafo binario; use el .param "
    "de texto del que se hizo.",
    "'{}' has no weights: '{}' belongs beside it.": "«{}» no tiene pesos: «{}» debe estar a su lado.",
    "'{}' cannot be used: {}.": "«{}» no se puede usar: {}.",
    "'{}' is not an ncnn graph that can be used: {}.": "«{}» no es un grafo de ncnn que se pueda usar: {}.",
    "'{}' does not hold usable weights: {}.": "«{}» no contiene pesos utilizables: {}.",
    # Why; within the sentences above
    "layer '{}' ({}): {}": "capa «{}» ({}): {}",
    "layer '{}' ({}) is of a kind that cannot be run here": "la capa «{}» ({}) es de una clase que aquí no se puede "
    "ejecutar",
    "{} cannot be run here": "{} no se puede ejecutar aquí",
    "it is the binary kind (.param.bin); use the text .param that it was made from": "es de la clase binaria "
    "(.param.bin); use el .param de texto del que se hizo",
    "it does not begin with {}, as every text graph does": "no empieza con {}, como todo grafo de texto",
    "{} bytes are left over, so it does not belong to this .param": "sobran {} bytes, así que no corresponde a este "
    ".param",
    "it needs {} bytes and the file has {} left": "necesita {} bytes y al archivo le quedan {}",
    "its {} holds NaN or infinite values": "{} contiene NaN o valores infinitos",
    "its weights are 8-bit, and the scales to read them by are missing": "sus pesos son de 8 bits, y faltan las "
    "escalas para leerlos",
    "it takes no pictures of one or three channels": "no acepta imágenes de uno o tres canales",
    "what it gives is no picture of one or three channels": "lo que da no es una imagen de uno o tres canales",
    "its output is no picture at a scale of 1 to 8: {} becomes {}": "su salida no es una imagen a una escala de 1 a "
    "8: {} pasa a ser {}",
    "it takes pictures of certain sizes only": "solo acepta imágenes de ciertos tamaños",
    "it gives NaN or infinite values for a grey picture": "da NaN o valores infinitos para una imagen gris",
    "it needs more memory or time than any network for pictures": "necesita más memoria o tiempo que cualquier red "
    "para imágenes",
}
