"""Words of the lists of jobs."""

from __future__ import annotations

TEXTS = {
    "jobs_title": "Trabajos",
    "jobs_none": "No hay nada en marcha ni en espera.",
    "jobs_column_job": "Trabajo",
    "jobs_column_source": "De",
    "jobs_column_state": "Estado",
    "jobs_column_progress": "Progreso",
    "jobs_column_running": "En marcha",
    "jobs_column_left": "Queda",
    "jobs_column_actions": "Acciones",
    "jobs_kind_picture": "Imagen",
    "jobs_kind_part": "Parte de una imagen",
    "jobs_kind_batch": "Lote",
    "jobs_kind_video": "Vídeo",
    "jobs_kind_frame": "Fotograma de un vídeo",
    "jobs_kind_benchmark": "Medición",
    "jobs_kind_download": "Descarga",
    "jobs_own": "este navegador",
    "jobs_other": "otra persona",
    "jobs_api": "API REST",
    "jobs_place": "en espera, puesto {place}",
    "jobs_state_running": "en marcha",
    "jobs_state_paused": "en pausa",
    "jobs_state_stopping": "deteniéndose",
    "jobs_cancel": "Cancelar",
    "jobs_cancel_hint": "Cancelar",
    "jobs_up": "Subir",
    "jobs_up_hint": "Un puesto más arriba",
    "jobs_front": "Primero",
    "jobs_front_hint": "Al principio de su cola",
    "jobs_about": "unos {time}",
    "jobs_seconds": "{seconds} s",
    "jobs_rule_all": "Este servidor es solo para este equipo: aquí se pueden cancelar y mover todos los trabajos. Las "
    "imágenes, los lotes, los vídeos y la API REST tienen cada uno su cola.",
    "jobs_rule_own": "Puede cancelar sus propios trabajos y cambiar su orden entre ellos. Las imágenes, los lotes, los "
    "vídeos y la API REST tienen cada uno su cola.",
}
