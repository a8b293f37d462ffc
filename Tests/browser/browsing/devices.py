"""Hands for the page of the devices."""

from playwright.sync_api import expect


def row(page, name):
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def open_device(page, name, part=None):
    page.get_by_role("link", name=name, exact=True).click()
    dialog = page.get_by_role("dialog", name=name)
    if part:
        dialog.get_by_role("tab", name=part).click()
    return dialog


def make_token(page, label="Balcony", uses="1", hours="24"):
    """Its dialog, with the token shown; and the token."""
    page.get_by_role("button", name="Enroll a device").click()
    dialog = page.get_by_role("dialog", name="Enroll a device")
    dialog.get_by_label("What is it for?").fill(label)
    dialog.get_by_label("For how many devices").fill(uses)
    dialog.get_by_label("Good for hours").fill(hours)
    dialog.get_by_role("button", name="Make a token").click()
    expect(dialog.get_by_role("heading", name=f"Token “{label}”")).to_be_focused()
    return dialog, dialog.locator("[data-token]").inner_text()
