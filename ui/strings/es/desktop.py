"""What is said outside the page; ``desktop/words.py`` has it in English and German."""

from __future__ import annotations

TEXTS = {
    "comment": "Amplíe y restaure imágenes y vídeos",
    "keywords": "ampliar;agrandar;restaurar;",
    "menu_scale": "Ampliar ×{scale}",
    "menu_with": "Ampliar con Real-ESRGAN Ultimate…",
    "starting": "El programa se está iniciando. Esta página lo abrirá por sí sola.",
    "starting_ended": "El programa ya no responde. Allí donde se inició se indica el motivo.",
    "close_anyway": "Todavía hay algo en marcha. ¿Terminarlo y cerrar?",
    "close": "Cerrar",
    "stay": "Cancelar",
    "save_file": "Guardar archivo",
    "refused": "Esta dirección pertenece a una ventana de Real-ESRGAN Ultimate y no responde a nadie más. Vuelva a "
    "iniciar el programa con --window, o sin esa opción para usarlo en un navegador.",
    "enlarged_one": "{name} está listo.",
    "enlarged_many": "Se ampliaron {count} imágenes.",
    "enlarged_not": "{name}: {reason}",
    "enlarged_not_more": "Otras {count} no se ampliaron.",
    "notice_done": "Ampliado",
    "notice_failed": "No se ha ampliado",
}
