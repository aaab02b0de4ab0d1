// Runs PostHog's own detector of rage clicks over streams: node rage.cjs < streams.json
// In: a list of streams, each a list of [x, y, timestamp]. Out: per stream, the indexes of its rage clicks.
"use strict";

const { default: RageClick } = require("@posthog/browser-common/rageclick");

function rageClicks(stream) {
  const detector = new RageClick({});
  return stream.flatMap(([x, y, at], index) => (detector.isRageClick(x, y, at) ? [index] : []));
}

const chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk));
process.stdin.on("end", () => {
  const streams = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  process.stdout.write(JSON.stringify(streams.map(rageClicks)));
});
