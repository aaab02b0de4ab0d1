// Runs machines under XState: cases come in on stdin, a line of JSON each; what they did goes out, a line each.
//
// A case is { machine, acts }; an act { flags, send: name } or { flags, wait: ms }. The answer lists, for the
// start and for each act, { active, did, done }: the leaves that are active, the actions in order, whether the
// machine is over. Guards are flags by their names. A machine that never comes to rest answers { loop: true }.

const readline = require("node:readline");
const { SimulatedClock, and, createActor, createMachine, not, or, raise, stateIn } = require("xstate");

const MAX_MICROSTEPS = 300; // far more than a machine of sixteen states needs that comes to rest at all

const COMBINED = { not: (guards) => not(guards[0]), and, or };

/** What JSON cannot say, as XState wants it: guards made of others, and raised events. */
function revived(value) {
  if (Array.isArray(value)) return value.map(revived);
  if (value === null || typeof value !== "object") return value;
  if (value.type === "xstate.raise") return raise(value.event);
  if (value.type in COMBINED) return COMBINED[value.type](value.guards.map(revived));
  if (value.type === "stateIn") return stateIn(value.params.state);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revived(inner)]));
}

function run({ machine, acts, guards, actions }) {
  let flags = acts.length > 0 ? acts[0].flags : {};
  let did = [];
  let error;
  const made = createMachine({ ...revived(machine), options: { maxIterations: MAX_MICROSTEPS } }).provide({
    guards: Object.fromEntries(guards.map((name) => [name, (_, params) => flags[params?.flag ?? name]])),
    actions: Object.fromEntries(actions.map((name) => [name, (_, params) => did.push([name, params ?? {}])])),
  });
  const clock = new SimulatedClock();
  const actor = createActor(made, { clock });
  actor.subscribe({ error: (raised) => (error = raised) });

  const told = [];
  const tell = () => {
    const snapshot = actor.getSnapshot();
    const leaves = snapshot._nodes.filter((node) => node.type === "atomic" || node.type === "final");
    const active = leaves.map((node) => node.path.join(".")).sort();
    told.push(error ? { loop: String(error) } : { active, did, done: snapshot.status === "done" });
    did = [];
  };

  actor.start();
  tell();
  for (const act of acts) {
    if (error) break;
    flags = act.flags;
    if (act.send !== undefined) actor.send({ type: act.send });
    // By single ms, so that each timer fires at the instant it is due: a longer step would fire it late.
    else for (let ms = 0; ms < act.wait; ms += 1) clock.increment(1);
    tell();
  }
  return told;
}

console.warn = () => {}; // it warns of events to a machine that is over, which is what we ask about
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(`${JSON.stringify(run(JSON.parse(line)))}\n`);
});
