"""One line for each check."""

import http.client
import ssl


class Wrong(Exception):
    """A check that failed: what is wrong, and what to do about it."""

    def __init__(self, what, advice):
        super().__init__(f"{what}; {advice}")


class Skipped(Exception):
    """A check that could not be made, and why."""


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, function, *arguments):
        """Runs it: what it returns is said, `Wrong` is a failure. Returns whether it passed."""
        try:
            text = function(*arguments)
        except Skipped as reason:
            self.skip(name, reason)
        except Wrong as problem:
            self.fail(name, problem)
        except (OSError, ssl.SSLError, http.client.HTTPException) as error:
            self.fail(name, f"{error or type(error).__name__}; the connection broke off: look at the logs of nginx")
        except (ValueError, KeyError, TypeError) as error:
            self.fail(name, f"an answer that PlantOps would not give ({type(error).__name__}: {error}); "
                            "is something else listening there?")
        else:
            self.passed += 1
            self.line("OK  ", name, text)
            return True
        return False

    def skip(self, name, reason):
        self.skipped += 1
        self.line("skip", name, reason)

    def fail(self, name, problem):
        self.failed += 1
        self.line("FAIL", name, problem)

    @staticmethod
    def line(verdict, name, text):
        # What a server says must not write further lines, nor move the cursor.
        print(f"{verdict}  {name}: " + "".join(c if c.isprintable() else " " for c in str(text)), flush=True)

    def total(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
