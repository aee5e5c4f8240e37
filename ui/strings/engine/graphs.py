"""What the engine says of ncnn networks."""

from __future__ import annotations

DE = {
    "'{}' is a binary graph; use the text .param that it was made from.": "„{}“ ist ein binärer Graph; bitte die "
    "Text-.param nehmen, aus der er entstand.",
    "'{}' has no weights: '{}' belongs beside it.": "„{}“ hat keine Gewichte: „{}“ gehört daneben.",
    "'{}' cannot be used: {}.": "„{}“ ist nicht benutzbar: {}.",
    "'{}' is not an ncnn graph that can be used: {}.": "„{}“ ist kein benutzbarer ncnn-Graph: {}.",
    "'{}' does not hold usable weights: {}.": "„{}“ enthält keine benutzbaren Gewichte: {}.",
    # Why; within the sentences above
    "layer '{}' ({}): {}": "Schicht „{}“ ({}): {}",
    "layer '{}' ({}) is of a kind that cannot be run here": "Schicht „{}“ ({}) ist von einer Art, die hier nicht läuft",
    "{} cannot be run here": "{} läuft hier nicht",
    "it is the binary kind (.param.bin); use the text .param that it was made from": "es ist die binäre Art "
    "(.param.bin); bitte die Text-.param nehmen, aus der sie entstand",
    "it does not begin with {}, as every text graph does": "er beginnt nicht mit {}, wie jeder Text-Graph",
    "{} bytes are left over, so it does not belong to this .param": "{} Bytes bleiben übrig, also gehört sie nicht zu "
    "dieser .param",
    "it needs {} bytes and the file has {} left": "sie braucht {} Bytes, und die Datei hat noch {}",
    "its {} holds NaN or infinite values": "{} enthält NaN oder unendliche Werte",
    "its weights are 8-bit, and the scales to read them by are missing": "ihre Gewichte haben 8 Bit, und die Faktoren "
    "dazu fehlen",
    "it takes no pictures of one or three channels": "er nimmt keine Bilder mit einem oder drei Kanälen",
    "what it gives is no picture of one or three channels": "was er liefert, ist kein Bild mit einem oder drei Kanälen",
    "its output is no picture at a scale of 1 to 8: {} becomes {}": "was er liefert, ist kein Bild in 1- bis 8-facher "
    "Größe: aus {} wird {}",
    "it takes pictures of certain sizes only": "er nimmt nur Bilder bestimmter Größen",
    "it gives NaN or infinite values for a grey picture": "er liefert NaN oder unendliche Werte für ein graues Bild",
    "it needs more memory or time than any network for pictures": "er braucht mehr Speicher oder Zeit als jedes Netz "
    "für Bilder",
}
