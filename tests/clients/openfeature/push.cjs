// Waits for pushed decisions with the unmodified web SDK: node push.cjs '{"url", "key", "writeKey", "flag",
// "events": [names], "people": n}'. Each of n people, new ones, does the events, one after the other; printed are
// the milliseconds from each event sent to the SDK's ConfigurationChanged, and with "values" what the flag said.
"use strict";

const orders = JSON.parse(process.argv[2]);
const WAIT_MS = 10000;

globalThis.EventSource = require("eventsource").EventSource;
const { OpenFeature, ProviderEvents } = require("@openfeature/web-sdk");
const { OFREPWebProvider } = require("@openfeature/ofrep-web-provider");

function post(event) {
  return fetch(`${orders.url}/v1/batch`, {
    method: "POST",
    headers: { Authorization: `Basic ${Buffer.from(`${orders.writeKey}:`).toString("base64")}` },
    body: JSON.stringify({ batch: [event] }),
  });
}

function changed(client) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("no ConfigurationChanged came")), WAIT_MS);
    const hear = () => {
      clearTimeout(late);
      client.removeHandler(ProviderEvents.ConfigurationChanged, hear);
      resolve();
    };
    client.addHandler(ProviderEvents.ConfigurationChanged, hear);
  });
}

async function person(n) {
  const domain = `person-${n}`;
  const anonymousId = `${domain}-${process.pid}-${Date.now()}`;
  await OpenFeature.setContext(domain, { targetingKey: anonymousId });
  const headers = [["Authorization", `Bearer ${orders.key}`]];
  const provider = new OFREPWebProvider({ baseUrl: orders.url, headers, cacheMode: "disabled" });
  await OpenFeature.setProviderAndWait(domain, provider);
  const client = OpenFeature.getClient(domain);
  await new Promise((resolve) => setTimeout(resolve, 100)); // its stream opens meanwhile
  const told = [];
  for (const event of orders.events) {
    const heard = changed(client);
    const began = performance.now();
    const properties = { cart_id: anonymousId, value: 1 };
    await post({ type: "track", anonymousId, event, properties });
    await heard;
    const took = performance.now() - began;
    told.push(orders.values ? client.getStringValue(orders.flag, "") : took);
  }
  await provider.onClose();
  return told;
}

async function main() {
  const told = [];
  for (let n = 0; n < orders.people; n++) {
    told.push(...(await person(n)));
  }
  console.log(JSON.stringify(told));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
