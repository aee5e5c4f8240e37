"""What the other browser tests stand on."""

from __future__ import annotations


def test_every_test_has_a_person_of_its_own_in_the_same_browser(someone, app):
    with someone.window(app.address) as page:
        page.evaluate("localStorage.setItem('upscaler-settings', '{\"mode\": \"quick\"}')")
        (first,) = page.context.cookies()
    with someone.window(app.address) as page:
        (second,) = page.context.cookies()
        assert second["name"] == first["name"] and second["value"] != first["value"]
        assert page.evaluate("localStorage.getItem('upscaler-settings')") is None
        assert len(page.context.pages) == 1
