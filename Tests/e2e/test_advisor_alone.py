"""Plans that nobody asked for: the first one, one every week, and when something has changed."""

from support.alerts import Pot
from support.care import analyze, plan_of, plans_of, settings, use
from support.device import reading
from support.llm import Failing, Said
from support.times import now_us
from support.waiting import always, wait_until

HOUR = 3_600_000_000
# It looks a minute after the start of the program, and every five from then on.
LOOKS = 150


def measured_since_yesterday(stack, days_ago=0, **values):
    pot = Pot(stack)
    end = now_us() - days_ago * 24 * HOUR
    pot.device.publish([reading(end - back * HOUR, **values) for back in range(30, -1, -1)])
    pot.device.stored(31)
    return pot


def age(stack, pot, hours):
    """As if its plans were older than they are."""
    stack.sql(f"UPDATE care_plans SET generated_at = generated_at - interval '{hours} hours' WHERE plant_id = '{pot.id}'")


def look(stack):
    """The program is started anew, and will look soon."""
    stack.restart("backend")
    stack.ready()


def test_plans_are_renewed_by_themselves_and_a_model_only_if_that_is_wanted(fresh_stack, models):
    stack, model = fresh_stack, models.model("openai")
    by_model, old, changed, recent = (measured_since_yesterday(stack) for _ in range(4))
    without, gone, young = measured_since_yesterday(stack), measured_since_yesterday(stack, days_ago=16), Pot(stack)
    young.tell(soil_moisture=45)
    for pot in (old, changed, recent, gone):
        analyze(stack, pot.id)
    use(stack, model)
    analyze(stack, by_model.id)
    for pot in (by_model, old, gone):
        age(stack, pot, 8 * 24)
    for pot in (changed, recent):
        pot.tell(soil_moisture=12)
    age(stack, changed, 7)
    totals = {pot: plans_of(stack, pot.id)["total"] for pot in (by_model, old, changed, recent, gone, without, young)}

    def new(pot):
        return plans_of(stack, pot.id)["total"] - totals[pot]

    look(stack)
    for pot, reason in ((old, "weekly"), (changed, "changed"), (without, "first")):
        wait_until(lambda: new(pot) == 1, LOOKS, f"a plan: {reason}", every=0.5)
        plan = plan_of(stack, pot.id)
        assert (plan["reason"], plan["source"], plan["note"]) == (reason, "builtin", None)
    always(lambda: [new(pot) for pot in (by_model, recent, gone, young)] == [0] * 4, 5, what="the others stay")
    assert plan_of(stack, changed.id)["changes"] and len(model.received) == 1, "the model was not asked again"

    # Now it may be, until it has had enough.
    use(stack, model, automatic=True)
    pots = (by_model, old, changed, without)
    for pot in pots:
        age(stack, pot, 8 * 24)
    totals = {pot: plans_of(stack, pot.id)["total"] for pot in pots}
    model.then(Said(), Failing(429, Retry_After=3600))
    look(stack)
    wait_until(lambda: len(model.received) == 3, LOOKS, "the model is asked twice", every=0.5)
    wait_until(lambda: settings(stack)["last_error"], 20, "it has had enough")
    always(lambda: len(model.received) == 3, 10, what="nobody asks for more")
    written = [plan_of(stack, pot.id) for pot in pots if new(pot)]
    assert [plan["reason"] for plan in written if plan["source"] == "openai"] == ["weekly"]
    # Whoever wants a plan is not held up by that.
    assert analyze(stack, old.id, refresh=True)["source"] == "openai"
