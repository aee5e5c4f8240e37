"""A browser of another language sees it everywhere: labels, what handlers say, what the engine says, and the scripts'."""

from __future__ import annotations

import re

import pytest

from tests.ui.running import CHROMIUM, at_rest, open_tab, person, restored, unfold
from ui.strings import LANGUAGES, texts, words_in
from ui.strings.engine import table

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

TABS = ("image", "video", "batch", "presets", "system")
SAID = """() => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (!['SCRIPT', 'STYLE', 'TEXTAREA'].includes(node.parentElement.tagName)) found.add(node.data.trim());
    for (const one of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]'))
        for (const name of ['aria-label', 'title', 'placeholder', 'alt']) found.add((one.getAttribute(name) || '').trim());
    return [...found].filter(Boolean);
}"""


def english_only(language: str) -> set[str]:
    """Texts without values that this language says otherwise."""
    other = texts(language)
    page = {text.strip() for key, text in texts("en").items() if text != other[key] and "{" not in text}
    engine = {text for text, words in table(language).items() if text != words and "{" not in text}
    return (page | engine) - {text.strip() for text in other.values()} - set(table(language).values())


@pytest.fixture
def visit(browser, app):
    """Opens the page in a browser of that language."""
    contexts = []

    def open_page(locale):
        context = person(browser, viewport={"width": 1280, "height": 1000}, locale=locale)
        contexts.append(context)
        page = context.new_page()
        page.goto(app.address)
        restored(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_no_tab_says_anything_in_english(visit, photo, language):
    words = words_in(language)
    page = visit(language)
    page.wait_for_selector(f"#enhance:has-text('{words('enhance')}')")
    page.wait_for_selector(
        f"#notices .bell:text-is('{words('notices_off')}'), .bell:text-is('{words('notices_blocked')}')"
    )
    page.set_input_files("#picture input[type=file]", str(photo))
    plan = words("plan_quality", size="×4", quality=words("mode_auto"))
    page.wait_for_selector(f"#plan:has-text('{plan}')")
    page.wait_for_selector("#estimate p")
    page.wait_for_selector(f"#stage .tools button:text-is('{words('viewer_fit')}')")
    seen = set()
    for tab in TABS:
        open_tab(page, words(f"tab_{tab}"))
        folds = page.locator("button.label-wrap:not(.open):visible")
        while folds.count():
            folds.first.click()
            at_rest(page, 150)
        if tab == "presets":
            page.wait_for_selector(f"#presets-preview:has-text('{words('presets_rest')}')")
        if tab == "system":
            page.wait_for_selector(f"#system-jobs:has-text('{words('jobs_none')}')")
            page.wait_for_selector(f"#system-limits:has-text('{words('system_limits')}')")
        at_rest(page)
        seen |= set(page.evaluate(SAID))
    assert page.evaluate("document.documentElement.lang") == language
    assert len(seen & set(texts(language).values())) > 150, "the page was not looked at as a whole"
    assert not seen & english_only(language)


def test_a_spanish_browser_is_spoken_to_in_spanish(visit, photo):
    page = visit("es-ES")
    page.click("#enhance:has-text('Mejorar')")
    page.wait_for_selector("#status:has-text('Elija primero una imagen.')")
    page.locator("#stage .empty", has_text="Suelte aquí una imagen").wait_for()
    page.set_input_files("#picture input[type=file]", str(photo))
    page.wait_for_selector("#plan:has-text('calidad: ')")
    page.locator("#plan summary", has_text="Por qué").click()
    reasons = page.locator("#plan li, #plan .quiet").all_inner_texts()
    assert reasons and not any(re.search(r"\b(the|for|with|is)\b", reason) for reason in reasons), reasons
    unfold(page.locator("#fine button.label-wrap"))
    box = page.get_by_label("Modelo", exact=True)
    box.click()
    box.fill("lanczos")
    page.get_by_role("option").filter(has_text="sin red, bordes nítidos").click()
    page.wait_for_selector("#model-note:has-text('Amplía sin red')")
    page.click("#enhance:not([disabled])")
    page.wait_for_selector("#status:has-text('480 × 360 píxeles')")
    page.wait_for_function("document.title.startsWith('✓ Listo')")

    open_tab(page, "Preajustes")
    page.locator("#presets-name :is(input, textarea)").fill("Photo")
    page.wait_for_selector("#presets-hint:has-text('«Photo» viene incluido')")
    open_tab(page, "Lote")
    page.click("#batch-start")
    page.wait_for_selector("#batch-status:has-text('Elija primero imágenes, un archivo ZIP o una carpeta.')")
    open_tab(page, "Vídeo")
    page.click("#video-start")
    page.wait_for_selector("#video-status:has-text('Elija primero un vídeo.')")
