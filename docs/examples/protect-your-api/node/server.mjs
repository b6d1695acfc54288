// A back end in Node that takes Ostiary's access tokens.
// ISSUER=https://auth.example.com ALLOWED_ORIGIN=https://app.example.com node server.mjs
import { createServer } from "node:http";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const { ISSUER, AUDIENCE = ISSUER, ALLOWED_ORIGIN, PORT = "9000" } = process.env; // OSTIARY_PUBLIC_URL, OSTIARY_JWT_AUDIENCE

// Fetched for the first token, kept for five minutes. An unknown `kid` has it fetched again, every 30 seconds at most.
const jwks = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`), {
  cacheMaxAge: 300_000,
  cooldownDuration: 30_000,
  timeoutDuration: 5_000,
});

class Refusal extends Error {
  constructor(status, headers = {}) {
    super(`${status}`);
    Object.assign(this, { status, headers });
  }
}

const invalidToken = () => new Refusal(401, { "WWW-Authenticate": 'Bearer error="invalid_token"' }); // RFC 6750 section 3.1
const unavailable = () => new Refusal(503, { "Retry-After": "5" });

function bearerToken(request) {
  const [scheme, token] = (request.headers.authorization ?? "").split(/ (.*)/s);
  if (scheme.toLowerCase() !== "bearer" || !token) throw new Refusal(401, { "WWW-Authenticate": "Bearer" });
  return token;
}

/** What the access token says; 401 without a good one. */
async function accessTokenClaims(token) {
  try {
    const { payload } = await jwtVerify(token, jwks, {
      algorithms: ["ES256"],
      typ: "at+jwt",
      issuer: ISSUER,
      audience: AUDIENCE,
      clockTolerance: 10, // seconds by which the clocks of two machines may differ
      requiredClaims: ["exp", "sub"],
    });
    return payload;
  } catch (error) {
    // No answer, a late one, or none with a key set in it: not the token's fault.
    const keysMissing = !(error instanceof errors.JOSEError) || error.code === "ERR_JOSE_GENERIC" || error.code === "ERR_JWKS_TIMEOUT";
    throw keysMissing ? unavailable() : invalidToken();
  }
}

/** 401 when the session has ended, which the token itself does not tell. */
async function demandLivingSession(token) {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${ISSUER}/auth/me`, { headers, signal: AbortSignal.timeout(5_000) }).catch(() => null);
  if (answer?.status === 401) throw invalidToken();
  if (answer?.status !== 200) throw unavailable();
}

async function things(request) {
  const [, userId] = new URL(request.url, "http://localhost").pathname.match(/^\/users\/([^/]+)\/things$/) ?? [];
  if (!userId || !["GET", "DELETE"].includes(request.method)) throw new Refusal(404);
  const token = bearerToken(request);
  const claims = await accessTokenClaims(token);
  if (claims.sub !== userId) throw new Refusal(403);
  if (request.method === "GET") return { status: 200, body: { owner: userId, things: ["umbrella"] } };
  await demandLivingSession(token); // what a session that has ended must not do any more
  return { status: 204 };
}

const server = createServer(async (request, response) => {
  response.setHeader("Vary", "Origin");
  if (request.headers.origin === ALLOWED_ORIGIN) response.setHeader("Access-Control-Allow-Origin", ALLOWED_ORIGIN);
  if (request.method === "OPTIONS") {
    const allowed = { "Access-Control-Allow-Methods": "GET, DELETE", "Access-Control-Allow-Headers": "Authorization" };
    return response.writeHead(204, allowed).end();
  }
  const { status = 500, headers, body } = await things(request).catch((error) => error);
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(status === 204 ? undefined : JSON.stringify(body ?? { status }));
});

server.listen(PORT, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
