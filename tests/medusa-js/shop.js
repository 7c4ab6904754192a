// What the tests put into the shop. They share it with each other, and with whatever a running backend holds already:
// so names are unique, and groups are deleted when the test that made them is over.

import { randomUUID } from "node:crypto";

export const unique = (name) => `${name} ${randomUUID()}`;

/** Creates a group for the length of the test. */
export async function newGroup(t, medusa, { name = unique("Group"), ...rest } = {}) {
  const { customer_group: group } = await medusa.admin.customerGroups.create({ name, ...rest });
  t.after(() => medusa.admin.customerGroups.delete(group.id));
  return group;
}

/** `count` of the shop's customers, from the start of its list. */
export async function someCustomers(medusa, count) {
  const { customers } = await medusa.admin.customers.list({ limit: count });
  if (customers.length < count) {
    throw new Error(`the shop has ${customers.length} customers, the test needs ${count}`);
  }
  return customers;
}

/** The elements of a batch: `[{ id }, …]`. */
export const batch = (customers) => ({ customer_ids: customers.map(({ id }) => ({ id })) });

export const ids = (rows) => rows.map(({ id }) => id);

export const sortedIds = (rows) => ids(rows).sort();
