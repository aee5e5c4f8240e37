"""Words of the menu beside the title: the language, and the keys."""

from __future__ import annotations

TEXTS = {
    "menu_language": "Idioma",
    "menu_auto": "Idioma: automático",
    "menu_keys": "Atajos de teclado",
    "menu_close": "Cerrar",
    "key_enhance": "Mejorar la imagen",
    "key_cancel": "Cancelar lo que está en curso",
    "key_before": "Antes, después y de vuelta",
    "key_heat": "Mostrar dónde difiere el resultado",
    "key_one": "Un píxel de la imagen por píxel de la pantalla",
    "key_fit": "Ajustar la imagen",
    "key_zoom": "Acercar y alejar",
    "key_full": "Pantalla completa",
    "key_help": "Esta lista",
}
