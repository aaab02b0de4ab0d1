"""The shop: what its people do, as the SDKs in their browsers and phones would report it.

A small Markov walk over the shop's steps, with what real visits have: loops, skips, steps back, leaving and
coming back. Pure: a seed and instants go in, batches come out, so that tests can watch it without waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Any

from demo.sdk import Batch, Sdk

# Step -> (next step, chance). What is left of 1 leaves the shop. The chances are made up so that every path
# is walked within a minute: about half of the carts reach the checkout, and half of those are paid.
WALK: dict[str, tuple[tuple[str, float], ...]] = {
    "home": (("search", 0.25), ("category", 0.40), ("product", 0.22)),
    "search": (("product", 0.60), ("search", 0.18), ("category", 0.10)),
    "category": (("product", 0.62), ("category", 0.12), ("home", 0.06)),
    "product": (("cart", 0.33), ("product", 0.27), ("category", 0.15), ("search", 0.05)),
    "cart": (("checkout", 0.52), ("product", 0.20), ("emptied", 0.06)),
    "checkout": (("shipping", 0.72), ("payment", 0.10)),
    "shipping": (("payment", 0.50), ("shipping", 0.14), ("cart", 0.08), ("help", 0.08)),
    "payment": (("order", 0.50), ("shipping", 0.14), ("help", 0.08)),
    "help": (("shipping", 0.35), ("payment", 0.20)),
    "emptied": (("category", 0.40),),
    "order": (),
}

PRODUCTS = ("Kettle", "Teapot", "Sencha", "Assam", "Whisk", "Strainer", "Cups", "Honey")
PACE_S = 1.4  # between two steps: a real person takes 20 s; here a visit fits a demo.
AWAY_S = (9.0, 20.0)  # between two visits of one person; longer than the shortest timers of the journeys.
SHARE_BACK = 0.25  # of those who left something, come back by themselves.
SHARE_BACK_NUDGED = 0.65  # of those who left something, come back when something reached them.
SHARE_KNOWN = 0.3  # arrive signed in.
SHARE_MOBILE = 0.35
REST_S = 1.0  # until somebody new takes the place of one who left for good; spreads the beginning, too.


@dataclass
class Person:
    """Somebody in the shop."""

    number: int
    sdk: Sdk
    user_id: str | None = None
    step: str = "home"
    cart_id: str = ""
    value: float = 0.0
    is_nudged: bool = False
    n_visits: int = 0


@dataclass(order=True)
class _Due:
    at_s: float
    n: int
    person: Person = field(compare=False)


Events = list[tuple[str, dict[str, Any]]]
"""Names and properties of what one step is reported as."""


class Shop:
    """A few hundred people at a time; whoever leaves for good is followed by somebody new."""

    def __init__(
        self, *, seed: int, n_people: int, started_at_s: float, regulars: Sequence[Person] = ()
    ) -> None:
        """Open it at an instant; `regulars` were here before, and come among the first."""
        self._random = Random(seed)
        self._n_known = 0
        self._n_due = 0
        self._due: list[_Due] = []
        self._by_id: dict[str, Person] = {}
        self._run = f"{int(started_at_s) & 0xFFFFFF:06x}"
        self.n_people = 0
        self.visitors: list[Person] = []
        """Everybody who ever came."""
        for person in regulars:
            self._return(person, started_at_s + self._random.uniform(0, 8 * REST_S))
        for _ in range(n_people):
            self._arrive(started_at_s + self._random.uniform(0, 8 * REST_S))

    def batches(self, now_s: float) -> list[Batch]:
        """Let everybody live up to `now_s`; return what their SDKs send, in the order of sending."""
        sent: list[Batch] = []
        while self._due and self._due[0].at_s <= now_s:
            due = heappop(self._due)
            sent += self._live(due.person, due.at_s)
        return sent

    def rest(self, seconds: float) -> None:
        """Put off all that is to come: while no answer comes from the shop, nobody clicks on."""
        for due in self._due:  # all by as much: the heap stays one
            due.at_s += seconds

    def nudge(self, any_id: str) -> None:
        """Something reached this person, by a user id or an anonymous id: a reminder, an offer, a call."""
        person = self._by_id.get(any_id)
        if person is not None:
            person.is_nudged = True

    def _arrive(self, at_s: float) -> None:
        self.n_people += 1
        is_mobile = self._random.random() < SHARE_MOBILE
        seed = self._random.getrandbits(32)
        sdk = Sdk(f"{self._run}-{self.n_people}", is_mobile=is_mobile, seed=seed)
        person = Person(self.n_people, sdk)
        self.visitors.append(person)
        self._by_id[sdk.anonymous_id] = person
        if self._random.random() < SHARE_KNOWN:
            self._name(person)
        self._later(person, at_s)

    def _return(self, person: Person, at_s: float) -> None:
        self.n_people += 1
        self.visitors.append(person)
        person.number, person.step, person.cart_id, person.value = self.n_people, "away", "", 0.0
        for any_id in filter(None, (person.user_id, person.sdk.anonymous_id)):
            self._by_id[any_id] = person
        self._later(person, at_s)

    def _later(self, person: Person, at_s: float) -> None:
        self._n_due += 1
        heappush(self._due, _Due(at_s, self._n_due, person))

    def _live(self, person: Person, at_s: float) -> list[Batch]:
        sdk = person.sdk
        if person.step == "away":
            self._come_back(person)
        if person.step == "home" and person.n_visits == 0:
            self._open(person, at_s)
        for name, properties in self._events(person):
            sdk.track(name, properties, at_s=at_s)
        following = self._next(person.step)
        if following is not None:
            person.step = following
            self._later(person, at_s + self._random.expovariate(1 / PACE_S))
            return sdk.flush()
        self._leave(person, at_s)
        return sdk.flush(is_leaving=True)

    def _open(self, person: Person, at_s: float) -> None:
        person.n_visits = 1
        person.sdk.page("Home", at_s=at_s)
        if person.user_id:
            person.sdk.identify(person.user_id, self._traits(person), at_s=at_s)

    def _next(self, step: str) -> str | None:
        drawn = self._random.random()
        for name, chance in WALK[step]:
            drawn -= chance
            if drawn < 0:
                return name
        return None

    def _leave(self, person: Person, at_s: float) -> None:
        left_something = person.step in ("product", "cart", "checkout", "shipping", "payment", "help")
        if left_something and person.n_visits <= 2:
            person.step = "away"
            self._later(person, at_s + self._random.uniform(*AWAY_S))
            return
        for any_id in (person.user_id, person.sdk.anonymous_id):
            self._by_id.pop(any_id or "", None)
        self._arrive(at_s + self._random.uniform(0, REST_S))

    def _come_back(self, person: Person) -> None:
        share = SHARE_BACK_NUDGED if person.is_nudged else SHARE_BACK
        person.n_visits += 1
        if self._random.random() < share:
            person.step = "checkout" if person.cart_id else "product"
        else:
            person.step, person.cart_id = "home", ""
        person.is_nudged = False

    def _name(self, person: Person) -> None:
        self._n_known += 1
        person.user_id = f"shopper-{self._run}-{person.number}"
        self._by_id[person.user_id] = person
        person.sdk.user_id = person.user_id

    def _traits(self, person: Person) -> dict[str, Any]:
        plan = "gold" if person.number % 5 == 0 else "basic"
        return {"email": f"{person.user_id}@example.com", "plan": plan, "logins": person.n_visits}

    def _events(self, person: Person) -> Events:
        """Return what the step is reported as; changes the cart and the name on the way."""
        match person.step:
            case "cart":
                events = self._fill_cart(person)
            case "checkout":
                events = self._check_out(person)
            case "emptied":
                events = [("Cart Emptied", self._give_up_cart(person))]
            case "order":
                revenue = round(person.value, 2)
                events = [("Order Completed", self._give_up_cart(person) | {"revenue": revenue})]
            case "help":
                topic = self._random.choice(["delivery", "payment"])
                events = [("Help Opened", self._cart(person) | {"topic": topic})]
            case "shipping" | "payment":
                events = [(person.step.title() + " Viewed", self._cart(person))]
            case _:
                events = self._browse(person.step)
        return events

    def _browse(self, step: str) -> Events:
        product = self._product()
        match step:
            case "search":
                return [("Products Searched", {"query": product["name"].lower()})]
            case "category":
                return [("Product List Viewed", {"category": "Tea"})]
            case "product":
                return [("Product Viewed", product)]
            case _:
                return []

    def _product(self) -> dict[str, Any]:
        return {"name": self._random.choice(PRODUCTS), "price": round(self._random.uniform(4, 60), 2)}

    def _fill_cart(self, person: Person) -> Events:
        if not person.cart_id:
            person.cart_id = f"cart-{self._run}-{person.number}-{person.n_visits}"
        product = self._product()
        person.value += product["price"]
        return [("Product Added", self._cart(person) | product)]

    def _check_out(self, person: Person) -> Events:
        started = ("Checkout Started", self._cart(person))
        if person.user_id is not None:
            return [started]
        self._name(person)
        return [("Signed Up", self._traits(person)), started]

    def _give_up_cart(self, person: Person) -> dict[str, Any]:
        cart = self._cart(person)
        person.cart_id, person.value = "", 0.0
        return cart

    def _cart(self, person: Person) -> dict[str, Any]:
        return {"cart_id": person.cart_id, "value": round(person.value, 2)}
