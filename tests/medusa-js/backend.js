// The backend that the tests talk to: the program named by STHENO_BIN, started for one test file with a throw-away
// shop; or one that runs already, at STHENO_URL (any Medusa v1 backend with some customers will do).

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const administrator = {
  email: process.env.STHENO_ADMIN_EMAIL ?? "admin@example.com",
  password: process.env.STHENO_ADMIN_PASSWORD ?? "a-long-password",
  apiToken: process.env.STHENO_ADMIN_API_TOKEN ?? "a-chosen-api-token",
};

const START_SECONDS = 30;
const STOP_SECONDS = 10;

/** Resolves to `{ url, administrator, stop }`. */
export async function startBackend() {
  if (process.env.STHENO_URL) {
    return { url: process.env.STHENO_URL, administrator, stop: async () => {} };
  }
  if (!process.env.STHENO_BIN) {
    throw new Error("set STHENO_BIN to the built program, or STHENO_URL to a backend that runs");
  }
  const folder = await mkdtemp(join(tmpdir(), "stheno-medusa-js-"));
  const port = await freePort();
  const server = launch(process.env.STHENO_BIN, folder, port);
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    try {
      await server.stop();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  try {
    await untilReady(url, server);
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return { url, administrator, stop };
}

// The one place that knows the program's command line.
function launch(binary, folder, port) {
  const child = spawn(
    binary,
    [
      "serve",
      "--demo",
      "--host=127.0.0.1",
      `--port=${port}`,
      `--database=sqlite:${join(folder, "shop.db")}`,
      // The tests are the proxy: they say `x-forwarded-proto: https`.
      "--trust-proxy=loopback",
    ],
    {
      cwd: folder,
      // Nothing else of the caller's environment: a DATABASE_URL there is not meant for us.
      env: {
        PATH: process.env.PATH,
        STHENO_ADMIN_EMAIL: administrator.email,
        STHENO_ADMIN_PASSWORD: administrator.password,
        STHENO_ADMIN_API_TOKEN: administrator.apiToken,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  const server = { ended: null, output: () => output };
  const end = new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(signal ?? `status ${code}`));
  });
  end.then((how) => (server.ended = how));
  server.stop = async () => {
    child.kill("SIGTERM");
    const patience = setTimeout(() => child.kill("SIGKILL"), STOP_SECONDS * 1000);
    const how = await end;
    clearTimeout(patience);
    if (how !== "status 0") {
      throw new Error(`asked to stop, the server ended with ${how}:\n${output}`);
    }
  };
  return server;
}

async function untilReady(url, server) {
  for (const start = Date.now(); Date.now() - start < START_SECONDS * 1000; await sleep(50)) {
    if (server.ended) {
      throw new Error(`the server ended with ${server.ended}:\n${server.output()}`);
    }
    const answer = await fetch(`${url}/ready`).catch(() => null);
    if (answer?.ok) {
      return;
    }
  }
  throw new Error(`the server was not ready after ${START_SECONDS} s:\n${server.output()}`);
}

async function freePort() {
  const listener = createServer();
  await new Promise((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", resolve);
  });
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}
