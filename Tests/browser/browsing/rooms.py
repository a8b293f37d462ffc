"""Hands and eyes for the drawn room."""

import pytest
from playwright.sync_api import expect

from browsing.things import make_plant

# How low the window sill is, in hundredths of the room.
SILL = 51


@pytest.fixture
def room(request):
    """A room of its own for each test: they share one installation."""
    return request.node.name.removeprefix("test_").replace("_", " ")


@pytest.fixture
def pot(stack, room):
    return make_plant(stack, "Monty", room=room, position={"x": 20, "y": 93})


def enter(page, room):
    page.goto(f"/room?room={room}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Room")
    expect(page.get_by_role("list", name="Plants in the room")).to_be_attached()


def plant_named(page, name):
    return page.get_by_role("button", name=name)


def stage(page):
    return page.locator(".room-stage").bounding_box()


def foot(page, name):
    """Where a plant is seen to stand, in hundredths of the room."""
    pot, room = plant_named(page, name).bounding_box(), stage(page)
    return (pot["x"] + pot["width"] / 2 - room["x"]) / room["width"] * 100, \
        (pot["y"] + pot["height"] * 0.96 - room["y"]) / room["height"] * 100


def position(stack, pot):
    return stack.api.ok("GET", f"/plants/{pot['id']}")["position"]


def point(page, x, y):
    room = stage(page)
    return room["x"] + room["width"] * x / 100, room["y"] + room["height"] * y / 100


def middle(page, name):
    box = plant_named(page, name).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, name, x, y, let_go=True):
    """With the mouse, from where it is to a point of the room."""
    page.mouse.move(*middle(page, name))
    page.mouse.down()
    page.mouse.move(*point(page, x, y), steps=8)
    if let_go:
        page.mouse.up()


def requests_to_move(watch):
    return [request for request in watch.requests if request.method == "PUT" and "/position" in request.url]
