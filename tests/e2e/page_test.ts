/** The page in a real browser: live, readable without a script, in a dark and a narrow window, under its own policy. */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Browser } from "playwright-core";
import { silentLog } from "../../src/core/log.ts";
import type { ObjectStatus } from "../../src/core/status.ts";
import { openApp } from "../../src/report/http.ts";
import { Metrics } from "../../src/report/metrics.ts";
import { StatusBoard } from "../../src/report/status_board.ts";

const candidates = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = [Deno.env.get("CHROMIUM"), ...candidates].find((path) => {
  try {
    return path !== undefined && Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

function status(name: string, ready: "True" | "False", message: string): ObjectStatus {
  return {
    key: { kind: "Kustomization", namespace: "default", name },
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    isSuspended: false,
    generation: 1,
    observedGeneration: 1,
    conditions: [{
      type: "Ready",
      status: ready,
      reason: "ReconciliationSucceeded",
      message,
      lastTransitionTime: "2026-01-01T00:00:00Z",
      observedGeneration: 1,
    }],
    history: [],
    warnings: [],
    failures: 0,
  };
}

async function withPage(run: (browser: Browser, url: string, board: StatusBoard) => Promise<void>): Promise<void> {
  const { chromium } = await import("playwright-core");
  const board: StatusBoard = new StatusBoard({
    log: silentLog,
    meter: { count: (change) => metrics.count(change), forget: (key) => metrics.forget(key) },
  });
  const metrics = new Metrics(
    () => board.statuses(),
    () => ({ residentBytes: 1, version: "1.2.3", isConfigGood: true }),
  );
  const stopping = new AbortController();
  const app = openApp({
    board,
    metrics,
    version: "1.2.3",
    liveness: [],
    readiness: [],
    startup: [],
    now: () => Date.UTC(2026, 0, 1, 1),
    stopping: stopping.signal,
  });
  board.record({ status: status("apps", "True", `Applied revision: ${"long-".repeat(40)}`), events: [] });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => app.fetch(request));
  const browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
  try {
    await run(browser, `http://127.0.0.1:${server.addr.port}`, board);
  } finally {
    await browser.close();
    stopping.abort();
    await server.shutdown();
  }
}

Deno.test({
  name: executablePath === undefined
    ? "the page in a browser (skipped: there is no chromium on this machine)"
    : "the page in a browser is live, whole without a script, and fits dark and narrow windows",
  ignore: executablePath === undefined,
  // The browser's driver keeps pipes of its own.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withPage(async (browser, url, board) => {
      const complaints: string[] = [];
      const page = await browser.newPage();
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(url);
      await page.getByText("live", { exact: true }).waitFor();

      board.record({ status: status("shop", "False", "<b>broken</b>"), events: [] });
      await page.getByText("<b>broken</b>").waitFor();
      equal(await page.title(), "(1) Pilotfish");
      await page.getByRole("link", { name: "1 failing" }).click();
      equal(await page.locator("td.name").count(), 1);
      await page.locator("td.name a").click();
      equal(await page.locator(".banner .title").textContent(), "shop");
      deepEqual(complaints, [], "nothing was blocked by the policy, nothing failed");

      const plain = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 800 } });
      const narrow = await plain.newPage();
      await narrow.goto(url);
      equal(await narrow.locator("td.name a").count(), 2);
      const width = await narrow.locator("html").evaluate((html) => html.scrollWidth);
      const height = await narrow.locator("html").evaluate((html) => html.scrollHeight);
      ok(width <= 390 && height < 2_500, `no sideways scrolling, no endless column: ${width} x ${height}`);

      const colours: string[] = [];
      for (const colorScheme of ["light", "dark"] as const) {
        const context = await browser.newContext({ colorScheme });
        const other = await context.newPage();
        await other.goto(url);
        colours.push(await other.evaluate("getComputedStyle(document.body).backgroundColor"));
      }
      equal(new Set(colours).size, 2);
    }),
});
