// The eight methods of `admin.customerGroups`, with each way of signing in.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { startBackend } from "./backend.js";
import { failure, signedIn } from "./clients.js";
import { batch, ids, newGroup, someCustomers, sortedIds, unique } from "./shop.js";

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const GROUP_ID = /^cgrp_[0-9A-HJKMNP-TV-Z]{26}$/;

let backend;
before(async () => (backend = await startBackend()));
after(() => backend?.stop());

for (const [credential, signIn] of Object.entries(signedIn)) {
  describe(`customer groups with ${credential}`, () => {
    let medusa, groups;
    before(async () => {
      medusa = await signIn(backend);
      groups = medusa.admin.customerGroups;
    });

    test("create answers with the new group", async (t) => {
      const name = unique("Wholesale – Zürich 顧客");
      const metadata = { discount: 12.5, tags: ["a", { b: null }], empty: "" };
      const { customer_group: group, response } = await groups.create({ name, metadata });
      t.after(() => groups.delete(group.id));

      assert.equal(response.status, 200);
      assert.match(group.id, GROUP_ID);
      assert.match(group.created_at, TIME);
      const { id, created_at } = group;
      assert.deepEqual(group, { id, name, metadata, created_at, updated_at: created_at, deleted_at: null });
    });

    test("create without metadata leaves it null", async (t) => {
      const group = await newGroup(t, medusa);
      assert.equal(group.metadata, null);
    });

    test("retrieve answers with what was created", async (t) => {
      const created = await newGroup(t, medusa, { metadata: { a: 1 } });
      const { customer_group: group, response } = await groups.retrieve(created.id);
      assert.equal(response.status, 200);
      assert.deepEqual(group, created);
    });

    test("retrieve expands the customers", async (t) => {
      const customers = await someCustomers(medusa, 3);
      const { id } = await newGroup(t, medusa);
      await groups.addCustomers(id, batch(customers));
      const { customer_group: group } = await groups.retrieve(id, { expand: "customers" });
      assert.deepEqual(sortedIds(group.customers), sortedIds(customers));
      assert.ok(group.customers.every(({ email }) => email.includes("@")));
    });

    test("retrieve brings only the fields asked for, and the id", async (t) => {
      const { id, name } = await newGroup(t, medusa);
      const { customer_group: group } = await groups.retrieve(id, { fields: "name" });
      assert.deepEqual(group, { id, name });
    });

    test("update renames, and merges metadata one level deep", async (t) => {
      const created = await newGroup(t, medusa, { metadata: { kept: 1, gone: 2, changed: { a: 1 } } });
      const name = unique("Renamed");
      const { customer_group: group, response } = await groups.update(created.id, {
        name,
        metadata: { gone: "", changed: { b: 2 }, none: null },
      });
      assert.equal(response.status, 200);
      assert.equal(group.id, created.id);
      assert.equal(group.name, name);
      assert.deepEqual(group.metadata, { kept: 1, changed: { b: 2 }, none: null });
      assert.equal(group.created_at, created.created_at);
      assert.ok(group.updated_at >= created.updated_at);

      const { customer_group: stored } = await groups.retrieve(created.id);
      assert.deepEqual(stored, group);
    });

    test("delete can be repeated, and leaves the customers", async (t) => {
      const [customer] = await someCustomers(medusa, 1);
      const { id } = await newGroup(t, medusa);
      await groups.addCustomers(id, batch([customer]));
      for (let time = 0; time < 2; time += 1) {
        const { response, ...body } = await groups.delete(id);
        assert.equal(response.status, 200);
        assert.deepEqual(body, { id, object: "customer_group", deleted: true });
      }
      assert.equal((await failure(groups.retrieve(id))).status, 404);
      const { customer: still } = await medusa.admin.customers.retrieve(customer.id);
      assert.equal(still.updated_at, customer.updated_at);
    });

    test("list pages through the groups, the newest first", async (t) => {
      const made = [];
      for (let n = 0; n < 3; n += 1) {
        made.unshift(await newGroup(t, medusa));
      }
      const { response, ...page } = await groups.list();
      assert.equal(response.status, 200);
      assert.equal(page.limit, 10);
      assert.equal(page.offset, 0);
      assert.equal(page.customer_groups.length, Math.min(page.count, 10));
      const times = page.customer_groups.map(({ created_at }) => created_at);
      assert.deepEqual(times, [...times].sort().reverse());

      const names = made.map(({ name }) => name);
      const { customer_groups: second, ...rest } = await groups.list({ name: names, offset: 1, limit: 1 });
      assert.deepEqual(ids(second), [made[1].id]);
      assert.deepEqual([rest.count, rest.offset, rest.limit], [3, 1, 1]);
    });

    test("list finds by q, in whatever case", async (t) => {
      const name = unique("Searched");
      const { id } = await newGroup(t, medusa, { name });
      for (const q of [name, name.toUpperCase(), name.slice(4)]) {
        const { customer_groups: found, count } = await groups.list({ q });
        assert.deepEqual([ids(found), count], [[id], 1]);
      }
      const { customer_groups: none, count } = await groups.list({ q: unique("Absent") });
      assert.deepEqual([none, count], [[], 0]);
    });

    test("list takes arrays of any length", async (t) => {
      const made = [await newGroup(t, medusa), await newGroup(t, medusa)];
      // The client writes name[0]=…&name[1]=…; past 20 elements many servers read an object instead.
      const others = Array.from({ length: 100 }, () => unique("Absent"));
      const name = [made[0].name, ...others, made[1].name];
      const { customer_groups: found, count } = await groups.list({ name });
      assert.deepEqual(sortedIds(found), sortedIds(made));
      assert.equal(count, 2);
    });

    test("list takes comparisons, orders and fields", async (t) => {
      const name = [unique("A"), unique("B")];
      const [first, second] = [
        await newGroup(t, medusa, { name: name[0] }),
        await newGroup(t, medusa, { name: name[1] }),
      ];
      const between = { gte: first.created_at, lte: new Date(Date.now() + 60_000) };
      for (const [order, expected] of [
        ["name", [first.id, second.id]],
        ["-name", [second.id, first.id]],
      ]) {
        const { customer_groups: found } = await groups.list({ name, order, created_at: between });
        assert.deepEqual(ids(found), expected);
      }
      const { customer_groups: none } = await groups.list({ name, created_at: { lt: first.created_at } });
      assert.deepEqual(none, []);
      const { customer_groups: slim } = await groups.list({ name: [name[0]], fields: "name" });
      assert.deepEqual(slim, [{ id: first.id, name: name[0], created_at: first.created_at }]);
    });

    test("list expands the customers", async (t) => {
      const customers = await someCustomers(medusa, 2);
      const { id, name } = await newGroup(t, medusa);
      await groups.addCustomers(id, batch(customers));
      const { customer_groups: found } = await groups.list({ name: [name], expand: "customers" });
      assert.deepEqual(sortedIds(found[0].customers), sortedIds(customers));
    });

    test("addCustomers adds a batch, once", async (t) => {
      const customers = await someCustomers(medusa, 60);
      const created = await newGroup(t, medusa);
      for (let time = 0; time < 2; time += 1) {
        const { customer_group: group, response } = await groups.addCustomers(created.id, batch(customers));
        assert.equal(response.status, 200);
        assert.deepEqual(group, created);
        assert.equal((await groups.listCustomers(created.id)).count, 60);
      }
    });

    test("addCustomers adds nobody if one is unknown", async (t) => {
      const [customer] = await someCustomers(medusa, 1);
      const { id } = await newGroup(t, medusa);
      const error = await failure(groups.addCustomers(id, batch([customer, { id: "cus_x" }, { id: "cus_y" }])));
      assert.equal(error.status, 404);
      assert.equal(error.data.type, "not_found");
      assert.equal(error.data.message, 'The following customer ids do not exist: "cus_x, cus_y"');
      assert.equal((await groups.listCustomers(id)).count, 0);
    });

    test("removeCustomers removes who is in, and ignores who is not", async (t) => {
      const [stays, leaves, never] = await someCustomers(medusa, 3);
      const created = await newGroup(t, medusa);
      await groups.addCustomers(created.id, batch([stays, leaves]));
      const { customer_group: group, response } = await groups.removeCustomers(
        created.id,
        batch([leaves, never, { id: "cus_unknown" }]),
      );
      assert.equal(response.status, 200);
      assert.deepEqual(group, created);
      const { customers } = await groups.listCustomers(created.id);
      assert.deepEqual(ids(customers), [stays.id]);
    });

    test("listCustomers pages through the members by id", async (t) => {
      const customers = await someCustomers(medusa, 5);
      const group = await newGroup(t, medusa);
      await groups.addCustomers(group.id, batch(customers));
      const { response, ...page } = await groups.listCustomers(group.id, { limit: 2, offset: 1 });
      assert.equal(response.status, 200);
      assert.deepEqual([page.count, page.limit, page.offset], [5, 2, 1]);
      assert.deepEqual(ids(page.customers), sortedIds(customers).slice(1, 3));
      for (const { groups: theirs } of page.customers) {
        assert.deepEqual(ids(theirs), [group.id]);
      }
    });

    test("listCustomers finds by q, and expands", async (t) => {
      const customers = await someCustomers(medusa, 5);
      const { id } = await newGroup(t, medusa);
      await groups.addCustomers(id, batch(customers));
      const q = customers[3].email.toUpperCase();
      const { customers: found, count } = await groups.listCustomers(id, { q, expand: "shipping_addresses" });
      assert.deepEqual([ids(found), count], [[customers[3].id], 1]);
      assert.ok(Array.isArray(found[0].shipping_addresses));
    });

    test("listCustomers of an unknown group is empty", async () => {
      const { customers, count } = await groups.listCustomers("cgrp_unknown");
      assert.deepEqual([customers, count], [[], 0]);
    });
  });
}
