"""Stories of flags and experiments: who meets what, in a journey and beside it, and who is kept back."""

from __future__ import annotations

from sojourn.model.fact import ActionDecided, ActionDeferred, ActionWithheld, AssignmentConflict, Exposed
from sojourn.testing import Story
from tests.stories.gallery import FOLDER
from tests.stories.world import World

TUNED = """
journey: tuned
entry: { on: Started, reentry: always }
holdout: off
states:
  choosing:
    experiment:
      id: tuned
      variants: { plain: 1, warm: 1 }
      coverage: 50%
      namespace: { id: mails, from: 0, to: 0.8 }
      to: { plain: told, warm: greeted }
  greeted:
    do: [ { webhook: shop, body: { greeting: warm } } ]
    after: { 1h: done }
  told:
    do: [ { webhook: shop, body: { greeting: plain } } ]
    after: { 1h: done }
"""

NODE = """
journey: node
entry: { on: Started, reentry: always }
holdout: off
states:
  asking:
    do:
      - { webhook: shop, holdout: 40%, body: { n: 1 } }
      - { webhook: shop, transactional: true, body: { n: 2 } }
    after: { 1h: done }
"""

FLAG = """
flag: button
variants: { calm: 1, bold: 2 }
default: calm
rules: [ { experiment: { variants: { calm: 1, bold: 1 } } } ]
"""

NIGHT = """
policy:
  holdout: off
  channels: { mail: { sinks: [shop], holdout: 30%, quiet: { from: "00:00", to: "23:59" } } }
"""

PEOPLE = [f"p{n}" for n in range(60)]


def test_who_takes_no_part_in_a_split_goes_the_first_way_and_meets_nothing() -> None:
    """Half of four fifths of all people take part; they are told from the others by what they met."""
    world = World(TUNED)
    for who in PEOPLE:
        world.when("Started", who)
    met = {who: fact.variant for who in PEOPLE for fact in world.facts(Exposed, who)}
    assert 12 < len(met) < 36
    assert set(met.values()) == {"plain", "warm"}
    assert {who: states for who in PEOPLE if (states := world.states(who)) == [["greeted"]]}.keys() == {
        who for who, variant in met.items() if variant == "warm"
    }


def test_whoever_comes_again_is_not_exposed_again() -> None:
    """An experiment counts people."""
    world = World(TUNED)
    for who in PEOPLE[:20]:
        world.when("Started", who)
        world.when("Started", who)
    assert max(len(world.facts(Exposed, who)) for who in PEOPLE[:20]) == 1


def test_whoever_met_a_variant_that_is_no_more_goes_the_first_way_and_is_no_conflict() -> None:
    """The journey leads everybody somewhere; nobody is shown a second variant by it."""
    text = TUNED.replace("coverage: 50%", "coverage: 100%").replace("to: 0.8 }", "to: 1 }")
    world = World(text)
    for who in PEOPLE[:9]:
        world.when("Started", who)
    world.publish(text.replace("warm:", "cold:"), older=(text,))
    for who in PEOPLE[:9]:
        world.when("Started", who)
    met = {fact.variant for who in PEOPLE[:9] for fact in world.facts(Exposed, who)}
    assert met == {"plain", "warm"}
    assert not [fact for who in PEOPLE[:9] for fact in world.facts(AssignmentConflict, who)]


def test_a_hold_out_of_a_state_keeps_back_what_it_does_and_nothing_that_is_owed() -> None:
    """The ghost names the state; whoever is not held out gets all of it."""
    world = World(NODE)
    for who in PEOPLE:
        world.when("Started", who)
        world.when("Started", who)
    ghosts = {who: world.facts(ActionWithheld, who) for who in PEOPLE}
    kept = [who for who in PEOPLE if ghosts[who]]
    assert 12 < len(kept) < 36
    for who in PEOPLE:
        decided = world.facts(ActionDecided, who)
        told = [(fact.reason, fact.detail, fact.holdouts) for fact in ghosts[who]]
        assert told == [("held-out", "node asking", "node")] * (2 if who in kept else 0)
        assert len(decided) == (2 if who in kept else 4)
        assert {fact.holdouts for fact in decided} == {""}


def test_an_action_put_off_says_who_will_keep_it_back() -> None:
    """The first opportunity is told when it comes, whatever is sent in the morning."""
    world = World(NODE, policy=NIGHT)
    for who in PEOPLE:
        world.when("Started", who)
    told = {fact.holdouts for who in PEOPLE for fact in world.facts(ActionDeferred, who)}
    assert told == {"", "channel", "node", "channel,node"}


def test_whoever_signs_in_keeps_what_they_met_first() -> None:
    """On the device, before anybody knew who they were; a second device's other variant is a conflict."""
    story = Story(FLAG)
    story.when("Flag Exposed", flag="button", variant="bold", who="?phone")
    story.after("1h").when("Flag Exposed", flag="button", variant="calm", who="?laptop")
    story.signs_in("?laptop", "ann").signs_in("?phone", "ann")
    story.after("1h").when("Flag Exposed", flag="button", variant="calm", who="ann")
    facts = [fact for _, group in story.store.facts_after(0, 1 << 30) for fact in group]
    exposed = [(fact.profile_id, fact.variant) for fact in facts if isinstance(fact, Exposed)]
    assert exposed == [("a:phone", "bold"), ("a:laptop", "calm")]
    conflicts = [(fact.kept, fact.dropped) for fact in facts if isinstance(fact, AssignmentConflict)]
    assert conflicts == [("bold", "calm")]


def test_a_story_keeps_nobody_back_unless_it_says_so() -> None:
    """It is about what a journey does."""
    for holdouts, n_sent in ((False, len(PEOPLE)), (True, 0)):
        story = Story(NODE.replace("40%", "99.99%"), holdouts=holdouts)
        for who in PEOPLE:
            story.when("Started", who=who)
        sent = [action for action in story.actions() if b'"n":1' in bytes(action.body)]
        assert len(sent) == n_sent


def test_the_flag_of_the_gallery_is_met_by_those_who_bought_before() -> None:
    """And by half of them at most: the other half of the namespace is another experiment's."""
    story = Story(FOLDER / "checkout-button.yaml")
    for who in PEOPLE:
        story.given("Order Completed", who=who).when("Flag Exposed", flag="checkout-button", who=who)
    story.when("Flag Exposed", flag="checkout-button", who="newcomer")
    story.when("$identify", who="team", traits={"plan": "enterprise"})
    story.given("Order Completed", who="team").when("Flag Exposed", flag="checkout-button", who="team")
    facts = [fact for _, group in story.store.facts_after(0, 1 << 30) for fact in group]
    exposed = {fact.profile_id: fact for fact in facts if isinstance(fact, Exposed)}
    assert 18 < len(exposed) < 42
    assert not {"u:newcomer", "u:team"} & exposed.keys()
    assert {fact.variant for fact in exposed.values()} == {"plain", "calm", "total"}
    assert {(fact.allocation, fact.context) for fact in exposed.values()} == {("adaptive", "false")}
