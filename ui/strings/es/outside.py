"""Words about what comes from outside the page, and goes there: files that are opened in it, notifications."""

from __future__ import annotations

TEXTS = {
    "arrived_gone": "Ya no existe: {names}",
    "arrived_unknown": "Por su nombre no es ni imagen ni vídeo: {names}",
    "arrived_empty": "No hay ninguna imagen en: {names}",
    "arrived_too_many": "Demasiados a la vez, no se han abierto: {names}. Indique mejor su carpeta en la pestaña Lote.",
    "arrived_no_batch": "La pestaña Lote está desactivada (REALESRGAN_ENABLE_BATCH), así que no se abre: {names}",
    "arrived_no_video": "La pestaña Vídeo está desactivada (REALESRGAN_ENABLE_VIDEO), así que no se abre: {names}",
    "arrived_one_film": "Los vídeos, de uno en uno; no se abre: {names}",
    "arrived_and_more": "{names} y {count} más",
    "notices_off": "Avisarme cuando termine",
    "notices_on": "Se le avisará cuando termine",
    "notices_blocked": "El navegador bloquea las notificaciones",
    "notices_hint": "Una notificación cuando un trabajo largo termina mientras usted mira otra cosa.",
    "notices_hint_blocked": "Permita primero las notificaciones de esta página en los ajustes del navegador.",
    "notices_done": "Listo",
    "notices_failed": "No se pudo",
    "notices_image": "Su imagen está lista.",
    "notices_video": "Su vídeo está listo.",
    "notices_batch": "Su lote ha terminado.",
    "notices_image_failed": "No se pudo mejorar su imagen.",
    "notices_video_failed": "No se pudo mejorar su vídeo.",
    "notices_batch_failed": "Su lote ha terminado; no se pudieron mejorar todas las imágenes.",
}
