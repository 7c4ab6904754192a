// The official client, signed in each of the three ways that it knows.

import Medusa from "@medusajs/medusa-js";

/** The client of someone who has not signed in; `options` are the client's own. */
export function anonymous(backend, options = {}) {
  return new Medusa({ baseUrl: backend.url, maxRetries: 0, ...options });
}

export function withApiKey(backend, options = {}) {
  return anonymous(backend, { apiKey: backend.administrator.apiToken, ...options });
}

/** Outside a browser the client does not keep the token, so its user sends it along. */
export async function withToken(backend) {
  const { email, password } = backend.administrator;
  const { access_token: token } = await anonymous(backend).admin.auth.getToken({ email, password });
  return anonymous(backend, { customHeaders: { Authorization: `Bearer ${token}` } });
}

/** What a browser behind a proxy that ends TLS does: carries the cookie, and the proxy says that it was https. */
export async function withSession(backend) {
  const behindProxy = { "x-forwarded-proto": "https" };
  const { email, password } = backend.administrator;
  const { response } = await anonymous(backend).admin.auth.createSession({ email, password }, behindProxy);
  const [cookie] = response.headers["set-cookie"][0].split(";");
  return anonymous(backend, { customHeaders: { ...behindProxy, Cookie: cookie } });
}

export const signedIn = {
  "an API key": async (backend) => withApiKey(backend),
  "a JWT": withToken,
  "a session": withSession,
};

/** What the client's users catch: the answer to a request that failed. */
export async function failure(request) {
  try {
    await request;
  } catch (error) {
    if (error.response) {
      return error.response;
    }
    throw error;
  }
  throw new Error("the request succeeded");
}
