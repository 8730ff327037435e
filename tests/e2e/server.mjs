// A Better Auth server for the tests: one process, one listener for each configuration.
//
// Reads a JSON object from the environment variable CONFIGURATION: `database` for the PostgreSQL
// pool, `secret`, `generateId` where ids are no random texts, and `listeners`: each with its
// `port`, the `baseURL` that it calls itself, and what differs from the usual (`jwt`,
// `cookieMaxAge`). Says "ready" when all of them listen, and ends when its standard input does.
import { createServer } from "node:http";

import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";
import { SignJWT } from "jose";
import pg from "pg";

const configuration = JSON.parse(process.env.CONFIGURATION);
const secret = configuration.secret;
const pool = new pg.Pool(configuration.database);
const confirmations = new Map();

function makeAuth({ baseURL, jwt: plugin, cookieMaxAge }) {
  return betterAuth({
    baseURL,
    secret,
    database: pool,
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    emailAndPassword: { enabled: true },
    emailVerification: {
      sendVerificationEmail: async ({ user, token }) => void confirmations.set(user.email, token),
    },
    advanced: { database: { generateId: configuration.generateId ?? undefined } },
    user: { deleteUser: { enabled: true } },
    session: {
      cookieCache: { enabled: true, strategy: "jwt", maxAge: cookieMaxAge ?? 300 },
    },
    plugins: [jwt({ jwt: plugin ?? {} })],
  });
}

// What a frontend adds that signs tokens for its backend itself.
async function answerOwnRoute(auth, request, response) {
  const url = new URL(request.url, "http://localhost");
  const say = (body) => response.end(JSON.stringify(body));
  if (url.pathname === "/confirmation") {
    return say({ token: confirmations.get(url.searchParams.get("email")) ?? null });
  }
  const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
  if (url.pathname !== "/signed-token" || session === null) {
    response.statusCode = 404;
    return response.end();
  }
  const claims = JSON.parse(url.searchParams.get("claims") ?? "{}");
  const signer = new SignJWT(claims).setSubject(session.user.id);
  signer.setProtectedHeader({ alg: "HS256" });
  signer.setIssuedAt().setExpirationTime(url.searchParams.get("expires") ?? "15m");
  return say({ token: await signer.sign(new TextEncoder().encode(secret)) });
}

async function listen(listener) {
  const auth = makeAuth(listener);
  const handle = toNodeHandler(auth);
  const server = createServer((request, response) =>
    request.url.startsWith("/api/auth/")
      ? handle(request, response)
      : answerOwnRoute(auth, request, response),
  );
  await new Promise((resolve) => server.listen(listener.port, "127.0.0.1", resolve));
}

const { runMigrations } = await getMigrations(
  makeAuth(configuration.listeners[0]).options,
);
await runMigrations();
await Promise.all(configuration.listeners.map(listen));
console.log("ready");
process.stdin.resume().on("end", () => process.exit(0));
