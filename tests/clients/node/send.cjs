// Sends a person's events with an unmodified SDK: node send.cjs <segment|rudderstack> <url> <write key> <n>
// SDKs are looked for in the folder that NODE_PATH names.
"use strict";

const [, , sdk, url, writeKey, count] = process.argv;
const N_RETRIES = 5;

function messages(n) {
  const tracks = Array.from({ length: n }, (_, i) => ["track", { event: "Cart Viewed", properties: { i } }]);
  return [["identify", { traits: { plan: "pro" } }], ...tracks, ["page", { name: "Home" }]];
}

function segment() {
  const { Analytics } = require("@segment/analytics-node");
  const analytics = new Analytics({ writeKey, host: url, maxRetries: N_RETRIES, flushInterval: 200 });
  analytics.on("error", (error) => console.error(error));
  return { analytics, close: () => analytics.closeAndFlush({ timeout: 20000 }) };
}

function rudderstack() {
  const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
  const analytics = new RudderAnalytics(writeKey, { dataPlaneUrl: url, flushInterval: 200, flushAt: 1000 });
  return { analytics, close: () => analytics.flush() };
}

async function main() {
  const { analytics, close } = { segment, rudderstack }[sdk]();
  for (const [method, message] of messages(Number(count))) {
    analytics[method]({ userId: "u1", anonymousId: "a1", ...message });
  }
  await close();
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
