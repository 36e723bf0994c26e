// hono-sessions on hono, asked line by line: {"site", "page", "cookie", "times"} in,
// {"text", "cookie", "seconds"} out. The same pages as the Python sites.
import { createInterface } from "node:readline";
import { Hono } from "hono";
import { CookieStore, MemoryStore, sessionMiddleware } from "hono-sessions";

const data = JSON.parse(process.argv[2]);
const ENCRYPTION_KEY = "benchmarks-only-benchmarks-only-";

function site(store) {
  const app = new Hono();
  if (store) {
    app.use("*", sessionMiddleware({
      store,
      encryptionKey: ENCRYPTION_KEY,
      expireAfterSeconds: 1800,
      autoExtendExpiration: true,
      cookieOptions: { sameSite: "Lax", path: "/", httpOnly: true, secure: true },
    }));
  }
  app.get("/none", (c) => c.text("ok"));
  app.get("/read", (c) => c.text(String(c.get("session").get("visits"))));
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

const sites = {
  hono: site(null),
  "hono-sessions cookie": site(new CookieStore()),
  "hono-sessions memory": site(new MemoryStore()),
};

async function ask(app, page, cookie) {
  const headers = cookie ? { cookie } : {};
  return await app.fetch(new Request(`https://bench.example/${page}`, { headers }));
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
  const { site, page, cookie, times } = JSON.parse(line);
  const app = sites[site];
  let response = null;
  const started = process.hrtime.bigint();
  for (let i = 0; i < times; i++) response = await ask(app, page, cookie);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const answer = { text: await response.text(), cookie: cookieAfter(response, cookie), seconds };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
