// The README's session, by a generated client. Whatever differs from it throws.
import assert from "node:assert/strict";
import { client } from "./sdk/client.gen.js";
import * as api from "./sdk/index.js";

client.setConfig({ baseUrl: process.argv[2] ?? "" });

const account = { email: "ada@example.com", password: "correct horse battery staple" };
const { data: user } = await api.register({ body: account });
assert.equal(user?.email, account.email);
const { data: signedIn } = await api.login({ body: account });
assert.ok(signedIn);
client.setConfig({ auth: signedIn.token });

const { data: me } = await api.readMe();
assert.equal(me?.id, user.id);

const lamp = { name: "Desk lamp", sku: "LAMP-1", price: "49.90", status: "active" } as const;
const { data: item, response } = await api.createItem({ body: lamp });
assert.equal(item?.price, "49.90");
assert.equal(response?.headers.get("location"), `/api/v1/items/${item.id}`);
await api.createItem({ body: { ...lamp, name: "Floor lamp", sku: "LAMP-2", price: 120 } });

const { data: page } = await api.listItems({
  query: { status: "active", price__lt: 100, order_by: ["-price", "name"] },
});
assert.deepEqual(page?.items.map((each) => each.sku), ["LAMP-1"]);
assert.deepEqual([page?.total, page?.total_relation, page?.next_cursor], [1, "eq", null]);

const path = { item_id: item.id };
const { data: changed } = await api.updateItem({
  path,
  headers: { "If-Match": '"1"' },
  body: { price: "44.90", description: "Warm white" },
});
assert.deepEqual([changed?.price, changed?.version], ["44.90", 2]);
const stale = await api.updateItem({ path, headers: { "If-Match": '"1"' }, body: { quantity: 1 } });
assert.equal(stale.error?.error_code, "PRECONDITION_FAILED");

assert.equal((await api.deleteItem({ path })).response?.status, 204);
const gone = await api.readItem({ path });
assert.equal(gone.error?.status, 404);
assert.equal(gone.error?.detail, `Item ${item.id} not found`);
const { data: restored } = await api.restoreItem({ path });
assert.equal(restored?.version, 4);

const taken = await api.createItem({ body: lamp });
assert.deepEqual(taken.error?.errors?.map((each) => each.loc), [["body", "sku"]]);
console.log("done");
