"""What the engine says of documents: files of several pages."""

from __future__ import annotations

TEXTS = {
    "1 page": "1 página",
    "{} pages": "{} páginas",
    "'{}' has {}; there is no page {}.": "«{}» tiene {}; no hay página {}.",
    "'{}' has no page {}.": "«{}» no tiene página {}.",
    "pages must look like 1-3,7 or 5-, counted from 1, not '{}'": "las páginas se indican como 1-3,7 o 5-, contadas "
    "desde 1, no como «{}»",
    "'{}' has {} pages to be enhanced, and {} holds one. Save as TIFF or PDF, or choose one page (--pages 1).": ""
    "«{}» tiene {} páginas que mejorar, y {} admite una. Guarde como TIFF o PDF, o elija una página (--pages 1).",
    "'{}' becomes a document, for which no largest file size can be kept. Leave that out, or choose one page "
    "(--pages 1) and save it as JPEG.": "«{}» pasa a ser un documento, para el que no se puede respetar un tamaño "
    "máximo de archivo. Quítelo, o elija una página (--pages 1) y guárdela como JPEG.",
    "Faces are numbered on one page, and '{}' has {} to be enhanced. Choose one page (--pages 1) or no faces.": ""
    "Los rostros se numeran en una página, y «{}» tiene {} que mejorar. Elija una página (--pages 1) o ningún "
    "rostro.",
    "Page {} could not be enhanced and was put in as it is: {}": "La página {} no se pudo mejorar y se ha puesto "
    "tal como está: {}",
    "Page {} could not be read and was left out: {}": "La página {} no se pudo leer y se ha omitido: {}",
    "Page {}: {}": "Página {}: {}",
    "The fidelity of a document's pages cannot be moved afterwards; run it again.": "La fidelidad de las páginas de "
    "un documento no se puede mover después; ejecútelo de nuevo.",
    "'{}' is protected by a password. Save it without one in a PDF program, and take that file.": "«{}» está "
    "protegido por una contraseña. Guárdelo sin ella en un programa de PDF y use ese archivo.",
    "'{}' has more than {} pages, which is the limit (REALESRGAN_MAX_PAGES). Cut it into parts, or raise the limit.": ""
    "«{}» tiene más de {} páginas, que es el límite (REALESRGAN_MAX_PAGES). Divídalo en partes o aumente el límite.",
    "'{}' has a page without an area ({}x{} points).": "«{}» tiene una página sin superficie ({}x{} puntos).",
    "'{}' holds a picture of {}x{} pixels on a page; the limit is {} megapixels (REALESRGAN_MAX_IMAGE_MEGAPIXELS).": ""
    "«{}» contiene en una página una imagen de {}x{} píxeles; el límite es {} megapíxeles "
    "(REALESRGAN_MAX_IMAGE_MEGAPIXELS).",
    "A page of '{}' took over {} seconds to draw, and was given up.": "Dibujar una página de «{}» llevó más de {} "
    "segundos y se ha abandonado.",
    "'{}' holds parts that are over {} MB once they are unpacked; it is refused.": "«{}» contiene partes de más de "
    "{} MB una vez desempaquetadas; se ha rechazado.",
    "'{}' cannot be put into a PDF.": "«{}» no se puede poner en un PDF.",
}
