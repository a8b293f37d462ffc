"""What the drawn room shows, and to whom."""

import pytest
from playwright.sync_api import expect

from browsing.accessibility import assert_accessible, assert_fits, assert_focus
from browsing.rooms import SILL, drag, enter, foot, plant_named, pot, requests_to_move, room
from browsing.things import make_device, make_plant, tell
from support.people import Person
from support.waiting import wait_until

# Fixtures, for who asks for them by name.
__all__ = ["pot", "room"]


def test_values_are_shown_against_their_limits(stack, signed_in, room):
    page = signed_in
    pot = make_plant(stack, "Thirsty", room=room, position={"x": 50, "y": 93},
                     thresholds={"soil_moisture": {"min": 30, "max": 60}})
    with make_device(stack, pot) as device:
        tell(device, soil_moisture=12, temperature=21.5)
        enter(page, room)
        plant_named(page, "Thirsty").hover()
        values = page.locator(".room-popover")
        expect(values).to_contain_text("12 %")
        expect(values).to_contain_text("too low")
        expect(values).to_contain_text("30 to 60 %")
        expect(values).to_contain_text("21.5 °C")
        page.mouse.move(1, 1)
        expect(values).to_have_count(0)
        # By keyboard: they come with the focus, go with Escape, and lead to the plant.
        plant_named(page, "Thirsty").focus()
        expect(values).to_be_visible()
        page.keyboard.press("Escape")
        expect(values).to_have_count(0)
        page.keyboard.press(" ")
        expect(values).to_be_visible()
        page.keyboard.press("Tab")
        assert_focus(page, "a Open Thirsty")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/plants/{pot['id']}")


def test_a_viewer_sees_and_does_not_arrange(stack, page, sign_in, room, pot, watch):
    person = Person(stack, "viewer")
    sign_in(page, person.email, person.password)
    enter(page, room)
    assert "Drag a plant" not in page.get_by_role("main").inner_text()
    drag(page, "Monty", 60, 60)
    plant_named(page, "Monty").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".room-popover")).to_be_visible()
    expect(page.get_by_role("button", name="Take out of the drawing")).to_have_count(0)
    assert foot(page, "Monty") == pytest.approx((20, 93), abs=1.5)
    assert requests_to_move(watch) == []


def test_a_plant_that_somebody_else_moves_moves(stack, signed_in, room, pot):
    page = signed_in
    enter(page, room)
    stack.api.ok("PUT", f"/plants/{pot['id']}/position", 200, json={"x": 70, "y": 90})
    wait_until(lambda: foot(page, "Monty")[0] == pytest.approx(70, abs=1.5), what="the plant is seen where it stands now")


def test_rooms_are_tabs(stack, signed_in, room):
    page = signed_in
    make_plant(stack, "Here", room=room, position={"x": 20, "y": 93})
    make_plant(stack, "There", "Aloe vera", room=f"{room}, the other", position={"x": -500, "y": 7000})
    enter(page, room)
    expect(page.get_by_role("tab", name=f"{room} (1)")).to_have_attribute("aria-selected", "true")
    expect(plant_named(page, "There")).to_have_count(0)
    page.get_by_role("tab", name=f"{room}, the other (1)").click()
    # Somewhere else entirely: it stands at the edge.
    assert foot(page, "There") == pytest.approx((4, 97), abs=1.5)
    page.reload()
    expect(plant_named(page, "There")).to_be_visible()


def test_roomless_plants_have_a_tab_that_opens(stack, signed_in, room, pot):
    page = signed_in
    make_plant(stack, "Vagabond", position={"x": 50, "y": 93})
    enter(page, room)
    page.get_by_role("tab", name="In no room (1)").click()
    expect(plant_named(page, "Vagabond")).to_be_visible()
    expect(page.get_by_role("tab", name="In no room (1)")).to_have_attribute("aria-selected", "true")
    page.reload()
    expect(plant_named(page, "Vagabond")).to_be_visible()
    page.get_by_role("tab", name=f"{room} (1)").click()
    expect(plant_named(page, "Monty")).to_be_visible()


def test_names_that_would_cover_each_other_are_moved_or_left_out(stack, signed_in_phone, room):
    page = signed_in_phone
    for number in range(6):
        make_plant(stack, f"Crowded plant {number}", "Aloe vera", room=room, position={"x": 40 + number, "y": SILL})
    enter(page, room)
    expect(page.get_by_role("button", name="Crowded plant")).to_have_count(6)
    boxes = [name.bounding_box() for name in page.locator(".room-name").all()]
    assert 1 <= len(boxes) < 6
    for index, one in enumerate(boxes):
        for other in boxes[index + 1:]:
            assert one["y"] + one["height"] <= other["y"] + 0.5 or other["y"] + other["height"] <= one["y"] + 0.5 \
                or one["x"] + one["width"] <= other["x"] + 0.5 or other["x"] + other["width"] <= one["x"] + 0.5


@pytest.mark.parametrize("where", ["desktop", "phone"])
def test_the_room_is_accessible_and_fits(stack, browse, sign_in, room, where):
    page = sign_in(browse(phone=where == "phone"))
    name = room.split("[")[0] + where
    for number, status in enumerate(["Well", "Dry", "New"]):
        pot = make_plant(stack, status, room=name, position={"x": 20 + 30 * number, "y": 93},
                         thresholds={"soil_moisture": {"min": 30}})
        if status != "New":
            with make_device(stack, pot) as device:
                tell(device, soil_moisture=50 if status == "Well" else 5)
    make_plant(stack, "Waiting", room=name)
    enter(page, name)
    assert_fits(page)
    assert_accessible(page)
    plant_named(page, "Dry").focus()
    expect(page.locator(".room-popover")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)


def test_the_room_speaks_german(stack, browse, sign_in, room, pot):
    page = sign_in(browse(locale="de-DE"))
    page.goto(f"/room?room={room}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Raum")
    plant_named(page, "Monty: Nicht bekannt").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[aria-live=assertive]")).to_contain_text("Monty ist aufgenommen")
