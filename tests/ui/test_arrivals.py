"""What comes from outside the page goes where it belongs: told by names here, seen in the browser below."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from desktop.instance import noted
from tests.clips import make_clip
from tests.ui.running import at_rest, person
from tests.waiting import until
from ui.arrivals import Placed, place, upload
from ui.inbox import Inbox


@pytest.fixture
def files(tmp_path):
    """Empty files and folders by name: only names count."""

    def make(*names):
        made = []
        for name in names:
            path = tmp_path / name
            if name.endswith("/"):
                path.mkdir(parents=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            made.append(path)
        return made

    return make


def test_one_picture_goes_into_the_image_tab(files):
    (photo,) = files("photo.PNG")
    placed = place([photo])
    assert placed == Placed(picture=photo) and placed.tab == "image"


def test_several_go_into_batch(files):
    several = files("a.png", "b.jpg", "c.gif")
    placed = place(several)
    assert placed == Placed(several=tuple(several)) and placed.tab == "batch"


def test_a_folder_goes_into_batch_as_it_is(files):
    (folder,) = files("folder.png/")
    assert place([folder]) == Placed(folder=folder)


def test_a_folder_beside_others_gives_its_pictures(files):
    one, two, photo, *_ = files("one/", "two/", "photo.png", "one/in/b.png", "one/a.png", "one/text.txt")
    placed = place([one, two, photo])
    assert placed.several == (photo, one / "a.png", one / "in" / "b.png") and placed.folder is None
    assert placed.left == ((two, "arrived_empty"),)


def test_a_folder_gives_its_pictures_where_none_may_be_named(files):
    folder, photo = files("folder/", "folder/a.png")
    assert place([folder], folders=False).several == (photo,)


def test_a_zip_file_goes_into_batch(files):
    (archive,) = files("many.zip")
    assert place([archive]).several == (archive,)


def test_films_go_into_video_one_at_a_time(files):
    first, second, photo = files("a.mkv", "b.MP4", "photo.png")
    placed = place([first, second, photo])
    assert (placed.film, placed.picture, placed.tab) == (first, photo, "image")
    assert placed.left == ((second, "arrived_one_film"),)
    assert place([first]).tab == "video"


def test_what_cannot_be_opened_is_named(files, tmp_path):
    text, gone = *files("text.txt"), tmp_path / "gone.png"
    placed = place([text, gone])
    assert placed.left == ((text, "arrived_unknown"), (gone, "arrived_gone")) and placed.tab is None


def test_a_tab_that_is_switched_off_gets_nothing(files):
    first, second, film = files("a.png", "b.png", "c.mkv")
    placed = place([first, second, film], batch=False, video=False)
    assert (placed.picture, placed.several, placed.film) == (first, (), None)
    assert placed.left == ((second, "arrived_no_batch"), (film, "arrived_no_video"))


def test_of_too_many_the_rest_is_named(files, monkeypatch):
    monkeypatch.setattr("ui.arrivals._MOST_PICTURES", 2)
    several = files("a.png", "b.png", "c.png")
    assert place(several).left == ((several[2], "arrived_too_many"),)


def test_a_key_serves_once_and_the_oldest_is_forgotten(files):
    inbox, (photo,) = Inbox(), files("photo.png")
    first = inbox.put([photo])
    assert inbox.take(first) == (photo,) and inbox.take(first) == ()
    old = inbox.put([photo])
    for _ in range(64):
        inbox.put([photo])
    assert inbox.take(old) == ()
    assert inbox.take("guessed") == ()


def test_the_file_itself_stays_when_its_upload_goes(tmp_path):
    photo = tmp_path / "ü photo.png"
    photo.write_bytes(b"content")
    made = upload(photo, str(tmp_path / "cache"))
    assert made.endswith("ü photo.png") and Path(made).read_bytes() == b"content"
    Path(made).unlink()
    assert photo.read_bytes() == b"content"


# -- in the browser ------------------------------------------------------------------------------------------------------


@pytest.fixture
def hand_over(app):
    """Say to the running app what a second start would; returns the address that it gives."""
    until(lambda: noted(app.data))

    def give(*paths):
        address = noted(app.data).hand_over(paths)
        assert urlsplit(address).query.startswith("open=")
        return address

    return give


@pytest.fixture
def fresh(browser):
    """A window of somebody who was never here."""
    context = person(browser, viewport={"width": 1280, "height": 1000}, locale="en-GB")
    yield context.new_page()
    context.close()


def selected(page):
    return page.locator("#tabs [role=tab][aria-selected=true]")


def test_a_picture_is_opened_and_looked_at(fresh, hand_over, photo):
    odd = photo.with_name('it\'s "ü" 100%.png')
    photo.rename(odd)
    fresh.goto(hand_over(odd))
    fresh.locator("#facts .lead").wait_for()
    fresh.locator("#stage img[src]").first.wait_for()
    assert odd.name == fresh.locator("#picture-name").inner_text().strip()
    assert "open=" not in fresh.url
    fresh.reload()  # a refresh opens nothing twice, and loses nothing
    fresh.locator("#facts .lead").wait_for()


def test_a_new_picture_comes_after_the_one_that_was_there(fresh, hand_over, photo, tmp_path):
    fresh.goto(hand_over(photo))
    fresh.locator("#facts .lead").wait_for()
    wide = tmp_path / "wide.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 200, 3), dtype=np.uint8)).save(wide)
    fresh.goto(hand_over(wide))
    fresh.locator("#picture-name", has_text="wide").wait_for()
    fresh.locator("#facts", has_text="200").wait_for()


def test_it_waits_until_the_page_shows_what_was_there(fresh, hand_over, photo):
    fresh.add_init_script("Object.defineProperty(window, 'restored', { get: () => window.late, set: () => {} })")
    fresh.goto(hand_over(photo))
    fresh.wait_for_selector("#enhance")
    fresh.wait_for_function("!window.awaited()")
    at_rest(fresh)
    assert fresh.locator("#facts .lead").count() == 0
    fresh.evaluate("window.late = true")
    fresh.locator("#facts .lead").wait_for()


def test_several_pictures_are_planned_in_batch(fresh, hand_over, photo, tmp_path):
    second = tmp_path / "second.png"
    second.write_bytes(photo.read_bytes())
    fresh.goto(hand_over(photo, second))
    selected(fresh).get_by_text("Batch").wait_for()
    fresh.locator("#batch-plan", has_text="Pictures: 2").wait_for()


def test_a_folder_is_named_in_batch(fresh, hand_over, photo):
    fresh.goto(hand_over(photo.parent))
    selected(fresh).get_by_text("Batch").wait_for()
    fresh.locator("#batch-plan", has_text="Pictures: ").wait_for()
    assert fresh.locator("#batch-folder textarea, #batch-folder input").input_value() == str(photo.parent)


def test_a_film_is_looked_at_in_video_and_a_second_one_is_named(fresh, hand_over, tmp_path):
    film, other = tmp_path / "film.mp4", tmp_path / "other.mkv"
    make_clip(film)
    other.touch()
    fresh.goto(hand_over(film, other))
    selected(fresh).get_by_text("Video").wait_for()
    fresh.locator("#video-facts p").first.wait_for()
    fresh.get_by_text("these are not opened: other.mkv").wait_for()


def test_a_key_that_was_used_opens_the_page_as_ever(fresh, hand_over, photo):
    address = hand_over(photo)
    fresh.goto(address)
    fresh.locator("#facts .lead").wait_for()
    fresh.context.clear_cookies()
    fresh.goto(address)
    fresh.wait_for_selector("#enhance")
    fresh.locator("#stage", has_text="Drop a picture here").wait_for()
