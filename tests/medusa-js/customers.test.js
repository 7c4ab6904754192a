// `admin.customers`, with each way of signing in.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { startBackend } from "./backend.js";
import { failure, signedIn } from "./clients.js";
import { batch, ids, newGroup, someCustomers, sortedIds } from "./shop.js";

let backend;
before(async () => (backend = await startBackend()));
after(() => backend?.stop());

/** The groups of a customer. (The client's `customers.retrieve` takes no query, its `custom.get` does.) */
async function groupsOf(medusa, { id }) {
  const { customer } = await medusa.admin.custom.get(`/customers/${id}`, { expand: "groups" });
  return customer.groups;
}

/** Creates a customer of the test's own. */
async function newCustomer(medusa, fields = {}) {
  const { customer } = await medusa.admin.customers.create({
    email: `${randomUUID()}@example.com`,
    first_name: "Ada",
    last_name: "Lovelace",
    password: "difference engine",
    ...fields,
  });
  return customer;
}

for (const [credential, signIn] of Object.entries(signedIn)) {
  describe(`customers with ${credential}`, () => {
    let medusa, customers;
    before(async () => {
      medusa = await signIn(backend);
      customers = medusa.admin.customers;
    });

    test("create answers with the new customer, the e-mail in lower case", async () => {
      const name = randomUUID();
      const { customer, response } = await customers.create({
        email: `${name}@Example.COM`,
        first_name: "Ada",
        last_name: "Lovelace",
        password: "difference engine",
        phone: "+44 20 7946 0000",
        metadata: { source: "import" },
      });
      assert.equal(response.status, 201);
      assert.match(customer.id, /^cus_[0-9A-HJKMNP-TV-Z]{26}$/);
      assert.equal(customer.email, `${name}@example.com`);
      assert.equal(customer.phone, "+44 20 7946 0000");
      assert.equal(customer.has_account, true);
      assert.deepEqual(customer.metadata, { source: "import" });
    });

    test("create refuses an e-mail that is taken", async () => {
      const { email } = await newCustomer(medusa);
      const error = await failure(newCustomer(medusa, { email }));
      assert.equal(error.status, 422);
      assert.equal(error.data.type, "duplicate_error");
      assert.equal(error.data.code, "invalid_request_error");
    });

    test("retrieve answers with the customer", async () => {
      const created = await newCustomer(medusa);
      const { customer, response } = await customers.retrieve(created.id);
      assert.equal(response.status, 200);
      assert.equal(customer.email, created.email);
      assert.ok(!("password_hash" in customer));
    });

    test("a customer's groups are there when expanded", async (t) => {
      const customer = await newCustomer(medusa);
      const group = await newGroup(t, medusa);
      await medusa.admin.customerGroups.addCustomers(group.id, batch([customer]));
      assert.deepEqual(await groupsOf(medusa, customer), [group]);
    });

    test("update changes names and metadata", async () => {
      const { id, email } = await newCustomer(medusa, { metadata: { kept: 1, gone: 2 } });
      const { customer, response } = await customers.update(id, {
        first_name: "Augusta",
        metadata: { gone: "", added: true },
      });
      assert.equal(response.status, 200);
      assert.deepEqual([customer.id, customer.email], [id, email]);
      assert.deepEqual([customer.first_name, customer.last_name], ["Augusta", "Lovelace"]);
      assert.deepEqual(customer.metadata, { kept: 1, added: true });
    });

    test("update sets the groups", async (t) => {
      const customer = await newCustomer(medusa);
      const [first, second] = [await newGroup(t, medusa), await newGroup(t, medusa)];
      for (const groups of [[first, second], [second], []]) {
        await customers.update(customer.id, { groups: groups.map(({ id }) => ({ id })) });
        assert.deepEqual(sortedIds(await groupsOf(medusa, customer)), sortedIds(groups));
      }
    });

    test("list pages through the customers", async () => {
      const { customers: all } = await customers.list({ limit: 4 });
      const { customers: found, response, ...page } = await customers.list({ limit: 2, offset: 2 });
      assert.equal(response.status, 200);
      assert.deepEqual(ids(found), ids(all).slice(2));
      assert.deepEqual([page.limit, page.offset], [2, 2]);
      assert.ok(page.count >= 4);
    });

    test("list finds by q, in whatever case", async () => {
      const { id, email } = await newCustomer(medusa);
      const { customers: found, count } = await customers.list({ q: email.toUpperCase() });
      assert.deepEqual([ids(found), count], [[id], 1]);
    });

    test("list finds the members of groups, and expands them", async (t) => {
      const members = await someCustomers(medusa, 3);
      const [first, second] = [await newGroup(t, medusa), await newGroup(t, medusa)];
      await medusa.admin.customerGroups.addCustomers(first.id, batch(members.slice(0, 2)));
      await medusa.admin.customerGroups.addCustomers(second.id, batch(members.slice(1)));
      const groups = [first.id, second.id];
      const { customers: found, count } = await customers.list({ groups, expand: "groups" });
      assert.deepEqual(sortedIds(found), sortedIds(members));
      assert.equal(count, 3);
      assert.ok(found.every((customer) => customer.groups.some(({ id }) => groups.includes(id))));
    });

    test("an unknown customer is not found", async () => {
      for (const request of [
        () => customers.retrieve("cus_unknown"),
        () => customers.update("cus_unknown", { phone: "1" }),
      ]) {
        const error = await failure(request());
        assert.equal(error.status, 404);
        assert.deepEqual(error.data, {
          type: "not_found",
          message: "Customer with id: cus_unknown was not found",
        });
      }
    });
  });
}
