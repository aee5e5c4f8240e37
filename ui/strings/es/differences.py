"""Words for how a result differs from its original, and where."""

from __future__ import annotations

TEXTS = {
    "differs_sharper": "bordes más nítidos",
    "differs_smoother": "más liso que ampliado sin más",
    "differs_as_sharp": "más o menos tan nítido como ampliado sin más",
    "differs_blocks_gone": "sin bloques de JPEG",
    "differs_blocks_fewer": "menos bloques de JPEG",
    "differs_blocks_left": "bloques de JPEG todavía visibles",
    "differs_noise_gone": "sin ruido",
    "differs_noise_less": "menos ruido",
    "differs_noise_left": "ruido todavía visible",
    "differs_colours_same": "colores sin cambios",
    "differs_colours_near": "colores casi sin cambios",
    "differs_colours_other": "colores cambiados",
    "differs_nowhere": "no se inventó ni se perdió nada visible",
    "differs_in_edges": "lo inventado o perdido está sobre todo en los bordes",
    "differs_in_texture": "lo inventado o perdido está sobre todo en la textura fina",
    "differs_in_smooth": "lo inventado o perdido está sobre todo en las zonas lisas",
    "differs_everywhere": "lo inventado o perdido se reparte entre bordes, textura y zonas lisas",
    "heat_show": "Mostrar dónde difiere",
    "heat_hide": "Ocultar dónde difiere",
    "heat_none": "Junto a este resultado no hay un original con el que compararlo.",
    "heat_legend": "Reducido al tamaño del original, el resultado difiere aquí en {visible} de 255 niveles o más "
    "(amarillo) hasta {strong} (rojo): inventado o perdido. Medido en bloques de {block} píxeles.",
}
