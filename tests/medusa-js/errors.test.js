// Errors as the client's users read them: `error.response.status` and `error.response.data.message`.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { startBackend } from "./backend.js";
import { anonymous, failure, withApiKey } from "./clients.js";
import { batch, newGroup, someCustomers, unique } from "./shop.js";

let backend, medusa, groups;
before(async () => {
  backend = await startBackend();
  medusa = withApiKey(backend);
  groups = medusa.admin.customerGroups;
});
after(() => backend?.stop());

async function assertFails(request, status, data) {
  const error = await failure(request);
  assert.deepEqual([error.status, error.data], [status, data]);
}

test("every method is refused without a credential, and with a wrong one", async () => {
  for (const client of [
    anonymous(backend),
    anonymous(backend, { apiKey: "wrong" }),
    anonymous(backend, { customHeaders: { Authorization: "Bearer wrong" } }),
    anonymous(backend, { customHeaders: { Cookie: "connect.sid=s%3Awrong.wrong" } }),
  ]) {
    const { customerGroups, customers, auth } = client.admin;
    for (const request of [
      () => customerGroups.create({ name: "Refused" }),
      () => customerGroups.retrieve("cgrp_x"),
      () => customerGroups.update("cgrp_x", { name: "Refused" }),
      () => customerGroups.delete("cgrp_x"),
      () => customerGroups.list(),
      () => customerGroups.addCustomers("cgrp_x", batch([])),
      () => customerGroups.removeCustomers("cgrp_x", batch([])),
      () => customerGroups.listCustomers("cgrp_x"),
      () => customers.create({ email: "refused@example.com" }),
      () => customers.retrieve("cus_x"),
      () => customers.update("cus_x", {}),
      () => customers.list(),
      () => auth.getSession(),
    ]) {
      await assertFails(request(), 401, "Unauthorized");
    }
  }
});

describe("customer groups", () => {
  test("an unknown group is not found", async () => {
    const [customer] = await someCustomers(medusa, 1);
    const id = "cgrp_unknown";
    for (const request of [
      () => groups.retrieve(id),
      () => groups.update(id, { name: "x" }),
      () => groups.addCustomers(id, batch([customer])),
      () => groups.removeCustomers(id, batch([customer])),
    ]) {
      await assertFails(request(), 404, {
        type: "not_found",
        message: "CustomerGroup with id cgrp_unknown was not found",
      });
    }
  });

  test("a name that is taken is a duplicate", async (t) => {
    const { name } = await newGroup(t, medusa);
    await assertFails(groups.create({ name }), 422, {
      code: "invalid_request_error",
      type: "duplicate_error",
      message: `Key (name)=(${name}) already exists.`,
    });
    const other = await newGroup(t, medusa);
    const error = await failure(groups.update(other.id, { name }));
    assert.deepEqual([error.status, error.data.type], [422, "duplicate_error"]);
    assert.ok(error.data.message.includes(name), error.data.message);
    assert.equal((await groups.retrieve(other.id)).customer_group.name, other.name);
  });

  test("all that is wrong with a body is said at once", async () => {
    await assertFails(groups.create({ name: 1, metadata: 2, foo: 3 }), 400, {
      type: "invalid_data",
      message: "property foo should not exist, name must be a string, metadata must be an object",
    });
  });

  test("a query that is not understood is refused", async () => {
    await assertFails(groups.list({ limit: "many", q: ["a", "b"], foo: 1 }), 400, {
      type: "invalid_data",
      message:
        "property foo should not exist, limit must be a number conforming to the specified constraints, q must be a string",
    });
  });
});

test("a client that retries sends an Idempotency-Key, and creates one group", async (t) => {
  const retrying = withApiKey(backend, { maxRetries: 3 });
  const { name } = await newGroup(t, retrying, { name: unique("Retried") });
  assert.equal((await groups.list({ q: name })).count, 1);
});

test("a header for one request comes after the client's own", async () => {
  const wrongKey = anonymous(backend, { apiKey: "wrong" });
  const headers = { "x-medusa-access-token": backend.administrator.apiToken };
  const { response } = await wrongKey.admin.customerGroups.list({ limit: 1 }, headers);
  assert.equal(response.status, 200);
});
