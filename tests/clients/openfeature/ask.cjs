// Asks for decisions with an unmodified OpenFeature SDK: node ask.cjs '{"sdk": "server" | "web", "url", "key",
// "context", "flags": [[type, key, default]]}'. Prints what it was told, as JSON.
// SDKs are looked for in the folder that NODE_PATH names.
"use strict";

const orders = JSON.parse(process.argv[2]);

const METHODS = {
  boolean: "getBooleanDetails",
  string: "getStringDetails",
  number: "getNumberDetails",
  object: "getObjectDetails",
};

async function server() {
  const { OpenFeature } = require("@openfeature/server-sdk");
  const { OFREPProvider } = require("@openfeature/ofrep-provider");
  const headers = [["Authorization", `Bearer ${orders.key}`]];
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: orders.url, headers }));
  const client = OpenFeature.getClient();
  return {
    ask: ([type, key, fallback]) => client[METHODS[type]](key, fallback, orders.context),
    close: () => OpenFeature.close(),
  };
}

async function web() {
  const { OpenFeature } = require("@openfeature/web-sdk");
  const { OFREPWebProvider } = require("@openfeature/ofrep-web-provider");
  const headers = [["Authorization", `Bearer ${orders.key}`]];
  await OpenFeature.setContext(orders.context);
  const provider = new OFREPWebProvider({ baseUrl: orders.url, headers, cacheMode: "disabled" });
  await OpenFeature.setProviderAndWait(provider);
  const client = OpenFeature.getClient();
  return {
    ask: ([type, key, fallback]) => client[METHODS[type]](key, fallback),
    close: () => OpenFeature.close(),
  };
}

async function main() {
  const sdk = await { server, web }[orders.sdk]();
  const told = [];
  for (const flag of orders.flags) {
    told.push(await sdk.ask(flag));
  }
  await sdk.close();
  console.log(JSON.stringify(told));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
