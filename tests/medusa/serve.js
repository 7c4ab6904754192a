// Medusa as its own command `medusa start` loads it, but on the loopback interface alone, on a port that is free, and
// no longer than whoever started it: it ends with its standard input.

require("core-js/stable");
require("regenerator-runtime/runtime");
const express = require("express");
const { default: load } = require("@medusajs/medusa/dist/loaders");

async function main() {
  const app = express();
  await load({ directory: process.cwd(), expressApp: app });
  const server = app.listen(0, "127.0.0.1", () => {
    console.log(`\nlistening on 127.0.0.1:${server.address().port}`);
  });
  // A connection that ends while the next request is on its way would fail a test.
  server.keepAliveTimeout = 0;
}

// As the command does: a fault in a call that nobody waits for any more ends nothing.
process.on("unhandledRejection", (reason) => console.error(reason));
process.stdin.resume().on("end", () => process.exit(0));
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
