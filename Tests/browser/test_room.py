"""Plants are moved in the drawn room: by pointer, by finger and by keyboard."""

import json

import pytest
from playwright.sync_api import expect

from browsing.accessibility import assert_fits, assert_focus
from browsing.rooms import SILL, drag, enter, foot, middle, plant_named, point, pot, position, requests_to_move, room
from browsing.things import make_plant
from support.waiting import wait_until

# Fixtures, for who asks for them by name.
__all__ = ["pot", "room"]


def test_a_plant_is_dragged_to_the_window_sill_and_stays_there(stack, signed_in, room, pot):
    page = signed_in
    enter(page, room)
    before = foot(page, "Monty")
    assert before == pytest.approx((20, 93), abs=1.5)
    # Held by its middle, its foot is about ten hundredths lower than the pointer.
    with page.expect_response(lambda answer: answer.url.endswith(f"/plants/{pot['id']}/position")) as answered:
        drag(page, "Monty", 40, 41)
    assert answered.value.status == 200
    saved = position(stack, pot)
    assert saved["y"] == SILL and saved["x"] == pytest.approx(40, abs=2)
    assert foot(page, "Monty") == pytest.approx((saved["x"], SILL), abs=1.5)
    # The next key is no part of the drag.
    values = page.locator(".room-popover")
    page.keyboard.press("Escape")
    expect(values).to_have_count(0)
    page.keyboard.press(" ")
    expect(values).to_be_visible()
    page.reload()
    assert foot(page, "Monty") == pytest.approx((saved["x"], SILL), abs=1.5)


def test_a_plant_is_moved_by_keyboard_and_it_is_told(stack, signed_in, room, pot):
    page = signed_in
    enter(page, room)
    told = page.locator("[aria-live=assertive]")
    plant_named(page, "Monty").focus()
    page.keyboard.press("Enter")
    expect(told).to_contain_text("Monty is picked up")
    page.keyboard.press("ArrowRight")
    expect(told).to_have_text("22 % from the left, 93 % from the top, on the floor")
    page.keyboard.press("Shift+ArrowRight")
    expect(told).to_contain_text("32 % from the left")
    page.keyboard.press("ArrowUp")
    with page.expect_response(lambda answer: answer.url.endswith("/position")):
        page.keyboard.press("Enter")
    expect(told).to_have_text("Monty stands on the floor.")
    assert position(stack, pot) == {"x": 32, "y": 91}
    assert_focus(page, "button Monty: Not known")


def test_escape_puts_a_plant_back(stack, signed_in, room, pot, watch):
    page = signed_in
    enter(page, room)
    plant_named(page, "Monty").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    assert foot(page, "Monty")[0] == pytest.approx(30, abs=1.5)
    page.keyboard.press("Escape")
    expect(page.locator("[aria-live=assertive]")).to_have_text("Monty is back where it was.")
    assert foot(page, "Monty") == pytest.approx((20, 93), abs=1.5)
    # In the middle of a drag, too.
    drag(page, "Monty", 60, 60, let_go=False)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert foot(page, "Monty") == pytest.approx((20, 93), abs=1.5)
    assert requests_to_move(watch) == [] and position(stack, pot) == {"x": 20, "y": 93}


def test_leaving_a_held_plant_puts_it_back(stack, signed_in, room, pot, watch):
    page = signed_in
    enter(page, room)
    plant_named(page, "Monty").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+Tab")
    expect(page.locator("[aria-live=assertive]")).to_have_text("Monty is back where it was.")
    assert requests_to_move(watch) == []


def test_a_plant_without_a_place_waits_in_the_tray(stack, signed_in, room):
    page = signed_in
    new = make_plant(stack, "Newcomer", room=room)
    other = make_plant(stack, "Second", "Aloe vera", room=room)
    enter(page, room)
    tray = page.get_by_role("region", name="Not placed yet")
    expect(tray.get_by_role("button")).to_have_count(2)
    # By keyboard: it comes in by the middle of the floor, and the focus goes with it.
    tray.get_by_role("button", name="Newcomer").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    with page.expect_response(lambda answer: answer.url.endswith("/position")):
        page.keyboard.press("Enter")
    expect(tray.get_by_role("button")).to_have_count(1)
    assert position(stack, new) == {"x": 48, "y": 93}
    assert_focus(page, "button Newcomer")
    # By mouse.
    with page.expect_response(lambda answer: answer.url.endswith("/position")):
        drag(page, "Second", 83, 34)
    expect(tray).to_have_count(0)
    assert position(stack, other)["x"] == pytest.approx(83, abs=2)
    # And out again.
    plant_named(page, "Newcomer").focus()
    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        page.get_by_role("button", name="Take out of the drawing").click()
    expect(tray.get_by_role("button", name="Newcomer")).to_be_focused()
    assert position(stack, new) is None


def test_what_cannot_be_saved_is_put_back_and_said(stack, signed_in, room, pot, watch):
    page = signed_in
    enter(page, room)
    watch.allow_outage()
    page.route("**/position", lambda route: route.abort())
    drag(page, "Monty", 60, 86)
    expect(page.get_by_role("status").filter(has_text="could not be saved")).to_contain_text("Monty is back where it was")
    assert foot(page, "Monty") == pytest.approx((20, 93), abs=1.5)
    page.unroute("**/position")
    with page.expect_response(lambda answer: answer.url.endswith("/position")):
        drag(page, "Monty", 60, 86)
    assert position(stack, pot)["x"] == pytest.approx(60, abs=2)


def test_of_two_moves_the_last_one_counts(stack, signed_in, room, pot):
    """Also when the first answer is slow: the second request waits for it."""
    page = signed_in
    enter(page, room)
    held, bodies = [], []

    def hold(route):
        bodies.append(json.loads(route.request.post_data))
        held.append(route)

    page.route("**/position", hold)
    drag(page, "Monty", 50, 86)
    wait_until(lambda: page.evaluate("1") and len(held) == 1, what="the first move is asked for")
    drag(page, "Monty", 80, 86)
    assert foot(page, "Monty")[0] == pytest.approx(80, abs=2) and len(held) == 1
    held[0].continue_()
    wait_until(lambda: page.evaluate("1") and len(held) == 2, what="the second move is asked for")
    assert foot(page, "Monty")[0] == pytest.approx(80, abs=2)
    with page.expect_response(lambda answer: answer.url.endswith("/position")):
        held[1].continue_()
    assert position(stack, pot) == bodies[1]
    assert foot(page, "Monty")[0] == pytest.approx(80, abs=2)


def test_a_plant_that_is_removed_while_it_is_held_leaves_the_hand(stack, signed_in, room, pot):
    page = signed_in
    make_plant(stack, "Other", "Aloe vera", room=room, position={"x": 70, "y": 93})
    enter(page, room)
    plant_named(page, "Monty").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    stack.api.ok("DELETE", f"/plants/{pot['id']}", 204)
    expect(plant_named(page, "Monty")).to_have_count(0)
    with page.expect_response(lambda answer: answer.url.endswith("/position")):
        drag(page, "Other", 50, 84)


def test_many_plants_wait_beside_the_room_on_a_phone(stack, signed_in_phone, room):
    made = [stack.api.ok("POST", "/plants", 201, json={"name": f"Seedling {number}", "room": room}) for number in range(12)]
    try:
        page = signed_in_phone
        enter(page, room)
        stage, last = page.locator(".room-stage"), plant_named(page, "Seedling 9")
        last.scroll_into_view_if_needed()
        # A finger has to carry it from there into the room: both must be on the screen.
        assert last.bounding_box()["y"] + last.bounding_box()["height"] - stage.bounding_box()["y"] < 700
        last.tap()
        expect(page.get_by_role("link", name="Open Seedling 9")).to_be_in_viewport()
        assert_fits(page)
    finally:
        for plant in made:
            stack.api.ok("DELETE", f"/plants/{plant['id']}", 204)


def test_a_finger_moves_a_plant(stack, signed_in_phone, room, pot):
    page = signed_in_phone
    enter(page, room)
    plant_named(page, "Monty").scroll_into_view_if_needed()
    fingers = page.context.new_cdp_session(page)

    def touch(kind, *at):
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in at]})

    from_x, from_y = middle(page, "Monty")
    to_x, to_y = point(page, 60, 86)
    touch("touchStart", (from_x, from_y))
    for step in range(1, 9):
        touch("touchMove", (from_x + (to_x - from_x) * step / 8, from_y + (to_y - from_y) * step / 8))
    with page.expect_response(lambda answer: answer.url.endswith("/position")):
        touch("touchEnd")
    assert position(stack, pot)["x"] == pytest.approx(60, abs=3)
