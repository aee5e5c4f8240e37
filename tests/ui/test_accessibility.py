"""axe-core finds nothing serious on any tab, in light and in dark, empty and with a result, at the sizes people have."""

from __future__ import annotations

import pytest

from tests.ui.conftest import at_rest, open_tab
from tests.ui.running import SIZES, person, restored, settled

TABS = ("Image Enhancement", "Video", "Batch", "Presets", "System Info")
GRAVE = ("serious", "critical")


def grave_faults(page, name: str) -> list[str]:
    """One line a fault: tab, rule, element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{name}: {fault['id']} ({fault['impact']}): {node['html'][:160]} {node['failureSummary'][:200]}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_has_serious_faults(browser, app, scheme):
    context = person(browser, viewport={"width": 1280, "height": 1000}, color_scheme=scheme, locale="en-GB")
    page = context.new_page()
    page.goto(app.address)
    restored(page)
    at_rest(page, 1000)
    faults = grave_faults(page, "empty page")
    page.click("#sample-drawing")
    page.wait_for_selector("#facts .chips")
    settled(page)
    page.click("#enhance")
    page.wait_for_selector("#result", state="visible")
    page.wait_for_selector("#history-title", state="visible")
    for accordion in ("Faces", "File", "Fine tuning", "Measurements", "Compare models"):
        page.get_by_role("button", name=accordion, exact=False).first.click()
    at_rest(page)
    for name in TABS:
        page.set_viewport_size({"width": 1280, "height": 1000})
        open_tab(page, name)
        # What a size changes is the same in both schemes.
        for width, height in SIZES if scheme == "light" else ((1280, 1000),):
            page.set_viewport_size({"width": width, "height": height})
            at_rest(page)
            faults += grave_faults(page, f"{name}, {width} × {height}")
    page.evaluate("document.querySelector('main, body').insertAdjacentHTML('beforeend', '<img src=x><input>')")
    noticed = grave_faults(page, "spoilt page")
    context.close()
    assert {"image-alt", "label"} <= {line.split(": ")[1].split(" ")[0] for line in noticed}, "the check sees faults"
    assert not faults, "\n".join(faults)
