"""Words for how a result differs from its original, and where."""

from __future__ import annotations

EN = {
    "differs_sharper": "sharper edges",
    "differs_smoother": "smoother than plainly enlarged",
    "differs_as_sharp": "about as sharp as plainly enlarged",
    "differs_blocks_gone": "JPEG blocks gone",
    "differs_blocks_fewer": "fewer JPEG blocks",
    "differs_blocks_left": "JPEG blocks still there",
    "differs_noise_gone": "noise gone",
    "differs_noise_less": "less noise",
    "differs_noise_left": "noise still there",
    "differs_colours_same": "colours unchanged",
    "differs_colours_near": "colours almost unchanged",
    "differs_colours_other": "colours changed",
    "differs_nowhere": "nothing visible was invented or lost",
    "differs_in_edges": "what was invented or lost lies mostly along edges",
    "differs_in_texture": "what was invented or lost lies mostly in fine texture",
    "differs_in_smooth": "what was invented or lost lies mostly in smooth areas",
    "differs_everywhere": "what was invented or lost is spread over edges, texture and smooth areas",
    "heat_show": "Show where it differs",
    "heat_hide": "Hide where it differs",
    "heat_none": "There is no original beside this result to compare with.",
    "heat_legend": "Reduced to the original's size, the result differs here by {visible} of 255 levels or more "
    "(yellow) up to {strong} (red): invented or lost. Measured in blocks of {block} pixels.",
}

DE = {
    "differs_sharper": "schärfere Kanten",
    "differs_smoother": "glatter als schlicht vergrößert",
    "differs_as_sharp": "etwa so scharf wie schlicht vergrößert",
    "differs_blocks_gone": "JPEG-Blöcke weg",
    "differs_blocks_fewer": "weniger JPEG-Blöcke",
    "differs_blocks_left": "JPEG-Blöcke noch da",
    "differs_noise_gone": "Rauschen weg",
    "differs_noise_less": "weniger Rauschen",
    "differs_noise_left": "Rauschen noch da",
    "differs_colours_same": "Farben unverändert",
    "differs_colours_near": "Farben fast unverändert",
    "differs_colours_other": "Farben verändert",
    "differs_nowhere": "nichts Sichtbares wurde erfunden oder ging verloren",
    "differs_in_edges": "was erfunden wurde oder verloren ging, liegt meist an Kanten",
    "differs_in_texture": "was erfunden wurde oder verloren ging, liegt meist in feiner Textur",
    "differs_in_smooth": "was erfunden wurde oder verloren ging, liegt meist in glatten Flächen",
    "differs_everywhere": "was erfunden wurde oder verloren ging, verteilt sich auf Kanten, Textur und glatte Flächen",
    "heat_show": "Zeigen, wo es abweicht",
    "heat_hide": "Abweichung ausblenden",
    "heat_none": "Neben diesem Ergebnis liegt kein Original, mit dem es sich vergleichen ließe.",
    "heat_legend": "Auf die Größe des Originals verkleinert, weicht das Ergebnis hier um {visible} von 255 Stufen oder "
    "mehr ab (gelb), bis {strong} (rot): erfunden oder verloren. Gemessen in Blöcken von {block} Pixeln.",
}
