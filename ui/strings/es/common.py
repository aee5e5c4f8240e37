"""Words that belong to the frame and to several tabs."""

from __future__ import annotations

TEXTS = {
    "app_tagline": "Amplíe y restaure imágenes y vídeos en este equipo.",
    "tab_image": "Mejorar imagen",
    "tab_video": "Vídeo",
    "tab_batch": "Lote",
    "tab_presets": "Preajustes",
    "tab_system": "Sistema",
    "cancel": "Cancelar",
    "refresh": "Actualizar",
    "queue_waiting": "En espera: puesto {position} de la cola.",
    "queue_full": "Ya hay {waiting} trabajos en espera. Vuelva a intentarlo en un momento.",
    "seconds": "{seconds:.1f} s",
    "minutes": "{minutes} min {seconds:02d} s",
    "hours": "{hours} h {minutes:02d} min",
    "days": "{days} días {hours} h",
    "left": "quedan unos {time}",
    "progress": "{stage}: {done} de {total}",
    "not_done": "**No se ha hecho.** {reason}",
    "toast_note": "Nota",
    "toast_trouble": "No se ha podido",
}
