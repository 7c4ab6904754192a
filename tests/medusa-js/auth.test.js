// `admin.auth`: tokens and sessions.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { startBackend } from "./backend.js";
import { anonymous, failure, signedIn, withSession } from "./clients.js";

let backend;
before(async () => (backend = await startBackend()));
after(() => backend?.stop());

for (const [credential, signIn] of Object.entries(signedIn)) {
  test(`getSession tells who is signed in with ${credential}`, async () => {
    const { user, response } = await (await signIn(backend)).admin.auth.getSession();
    assert.equal(response.status, 200);
    assert.equal(user.email, backend.administrator.email);
    assert.ok(!("password_hash" in user));
  });
}

describe("tokens", () => {
  test("getToken answers with a JWT of the administrator that lasts a day", async () => {
    const { email, password } = backend.administrator;
    const { access_token: token, response } = await anonymous(backend).admin.auth.getToken({ email, password });
    assert.equal(response.status, 200);
    const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    assert.equal(claims.domain, "admin");
    assert.equal(typeof claims.user_id, "string");
    assert.equal(claims.exp - claims.iat, 24 * 60 * 60);
  });

  test("in a browser the client keeps the token and sends it along", async (t) => {
    globalThis.window = {};
    t.after(() => delete globalThis.window);
    const medusa = anonymous(backend);
    const { email, password } = backend.administrator;
    await medusa.admin.auth.getToken({ email, password });
    const { customer_groups: groups } = await medusa.admin.customerGroups.list({ limit: 1 });
    assert.ok(Array.isArray(groups));
  });
});

describe("sessions", () => {
  test("createSession answers with the user and a cookie for https alone", async () => {
    const { email, password } = backend.administrator;
    const { user, response } = await anonymous(backend).admin.auth.createSession(
      { email, password },
      { "x-forwarded-proto": "https" },
    );
    assert.equal(response.status, 200);
    assert.equal(user.email, email);
    const [value, ...attributes] = response.headers["set-cookie"][0].split("; ");
    assert.match(value, /^connect\.sid=/);
    for (const attribute of ["HttpOnly", "Secure", "SameSite=None", "Path=/"]) {
      assert.ok(attributes.includes(attribute), attribute);
    }
  });

  test("createSession sets no cookie over plain http", async () => {
    const { email, password } = backend.administrator;
    const { response } = await anonymous(backend).admin.auth.createSession({ email, password });
    assert.equal(response.status, 200);
    assert.equal(response.headers["set-cookie"], undefined);
  });

  test("deleteSession ends it", async () => {
    const medusa = await withSession(backend);
    const { response } = await medusa.admin.auth.deleteSession();
    assert.equal(response.status, 200);
    assert.equal((await failure(medusa.admin.auth.getSession())).status, 401);
    assert.equal((await failure(medusa.admin.customerGroups.list())).status, 401);
  });
});

describe("wrong credentials", () => {
  const wrong = { password: "wrong password" };

  test("are refused, with no word about which part is wrong", async () => {
    const { auth } = anonymous(backend).admin;
    for (const email of [backend.administrator.email, "nobody@example.com"]) {
      for (const method of ["getToken", "createSession"]) {
        const error = await failure(auth[method]({ email, ...wrong }));
        assert.equal(error.status, 401);
        assert.equal(error.data, "Unauthorized");
      }
    }
  });

  test("that are incomplete are explained", async () => {
    const error = await failure(anonymous(backend).admin.auth.getToken({ email: "nobody" }));
    assert.equal(error.status, 400);
    assert.equal(error.data.type, "invalid_data");
    assert.equal(
      error.data.message,
      "email must be an email, password should not be empty, password must be a string",
    );
  });
});
