"""Tests that mostly wait, for the same stack and not for each other, run at the same time."""

from concurrent.futures import ThreadPoolExecutor

from . import alerts

AT_ONCE = 10


class Together:
    """A module's `together = Together()` and a fixture `results` made by `together.fixture` let

        @together
        def test_it(stack, inbox): …

    begin with the first such test of the module that is wanted. Each reports its own outcome. They share a stack, so
    they look only at plants and channels of their own, and leave the settings alone."""

    def __init__(self):
        self.bodies = {}

    def __call__(self, body):
        self.bodies[body.__name__] = body

        def test(results):
            results[body.__name__].result()

        test.__name__, test.__doc__, test.__module__ = body.__name__, body.__doc__, body.__module__
        return test

    def run(self, request, stack, inbox):
        wanted = {item.originalname for item in request.session.items if item.module is request.module}
        alerts.clean(stack)
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                yield {name: pool.submit(body, stack, inbox) for name, body in self.bodies.items() if name in wanted}
        finally:
            alerts.clean(stack)
