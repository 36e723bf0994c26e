// hono-sessions on hono, asked line by line: {"site", "page", "cookies", "atOnce"} in,
// {"text", "cookie", "seconds"} of the last response and of all of them out. The same pages as the
// Python sites.
import { createInterface } from "node:readline";
import { Hono } from "hono";
import { CookieStore, MemoryStore, sessionMiddleware } from "hono-sessions";

const data = JSON.parse(process.argv[2]);
const ENCRYPTION_KEY = "benchmarks-only-benchmarks-only-";

function withSessions(store) {
  const app = new Hono();
  app.use("*", sessionMiddleware({
    store,
    encryptionKey: ENCRYPTION_KEY,
    expireAfterSeconds: 1800,
    autoExtendExpiration: true,
    cookieOptions: { sameSite: "Lax", path: "/", httpOnly: true, secure: true },
  }));
  app.get("/none", (c) => c.text("ok"));
  app.get("/read", (c) => c.text(String(c.get("session").get("visits") ?? 0)));
  app.get("/write", (c) => {
    const session = c.get("session");
    session.set("visits", session.get("visits") + 1);
    return c.text("ok");
  });
  app.get("/create", (c) => {
    const session = c.get("session");
    for (const [key, value] of Object.entries(data)) session.set(key, value);
    return c.text("ok");
  });
  return app;
}

function bare() {
  const app = new Hono();
  const pages = { none: "ok", read: "41", write: "ok", create: "ok" };
  for (const [name, text] of Object.entries(pages)) app.get(`/${name}`, (c) => c.text(text));
  return app;
}

const sites = {
  hono: bare(),
  "hono + hono-sessions cookie": withSessions(new CookieStore()),
  "hono + hono-sessions memory": withSessions(new MemoryStore()),
};

async function ask(app, page, cookie) {
  const headers = cookie ? { cookie } : {};
  return await app.fetch(new Request(`https://bench.example/${page}`, { headers }));
}

async function askAll(app, page, cookies, atOnce) {
  let response = null;
  for (let start = 0; start < cookies.length; start += atOnce) {
    const batch = cookies.slice(start, start + atOnce).map((cookie) => ask(app, page, cookie));
    response = (await Promise.all(batch))[0];
  }
  return response;
}

function cookieAfter(response, cookie) {
  const jar = new Map(cookie ? cookie.split("; ").map((pair) => pair.split(/=(.*)/s)) : []);
  for (const line of response.headers.getSetCookie()) {
    const [name, value] = line.split(";")[0].split(/=(.*)/s);
    jar.set(name, value);
  }
  return [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
}

for await (const line of createInterface({ input: process.stdin })) {
  const { site, page, cookies, atOnce } = JSON.parse(line);
  const [started, before] = [process.hrtime.bigint(), process.cpuUsage()];
  const response = await askAll(sites[site], page, cookies, atOnce);
  const { user, system } = process.cpuUsage(before);
  // Threads of Node's own may share the work, or the machine may be busy: the better of two clocks.
  const elapsed = Number(process.hrtime.bigint() - started) / 1e9;
  const seconds = Math.min(elapsed, (user + system) / 1e6);
  const cookie = cookieAfter(response, cookies[cookies.length - 1]);
  process.stdout.write(`${JSON.stringify({ text: await response.text(), cookie, seconds })}\n`);
}
