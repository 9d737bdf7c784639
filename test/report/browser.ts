// Opens report pages in a real browser: Debian's chromium, driven by playwright-core, with no network at all. A page is
// written to a folder of its own and opened as a file; whatever else it asks for is counted and refused.

import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

export interface OpenedPage {
  readonly page: Page;
  /** Addresses that it asked for, its own left out. */
  readonly requests: readonly string[];
  /** What it wrote to the console, and what was thrown in it. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];
/** Nothing that a browser does of itself: no updates, no reports, no second protocol. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A page that has not done as asked by then never will. */
const ACTION_MS_MAX = 15_000;

export function findBrowser(): string | null {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = PROGRAMS.map((program) => join(folder, program)).find(isExecutable);
    if (path !== undefined) return path;
  }
  return null;
}

/** Why pages cannot be opened here; false where they can. */
export function missingForBrowser(): string | false {
  if (findBrowser() === null) return "no chromium in PATH: install the Debian package 'chromium'";
  try {
    createRequire(import.meta.url).resolve("playwright-core");
    return false;
  } catch {
    return "playwright-core is not installed: npm ci";
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export class ReportBrowser {
  private readonly browser: Browser;
  private readonly folder: string;
  private pages = 0;

  private constructor(browser: Browser) {
    this.browser = browser;
    this.folder = mkdtempSync(join(tmpdir(), "tidemark-report-"));
  }

  static async launch(): Promise<ReportBrowser> {
    const { chromium } = await import("playwright-core");
    const executablePath = findBrowser();
    if (executablePath === null) throw new Error("cannot open a page because there is no chromium in PATH");
    return new ReportBrowser(await chromium.launch({ executablePath, args: FLAGS }));
  }

  async open(html: string, options: BrowserContextOptions): Promise<OpenedPage> {
    const path = join(this.folder, `report-${++this.pages}.html`);
    writeFileSync(path, html);
    const address = pathToFileURL(path).href;
    const context = await this.browser.newContext({ offline: true, ...options });
    context.setDefaultTimeout(ACTION_MS_MAX);
    const page = await context.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => {
      if (request.url() !== address) requests.push(request.url());
    });
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.route("**/*", (route) =>
      route.request().url() === address ? route.continue() : route.abort(),
    );
    await page.goto(address);
    return { page, requests, complaints, close: () => context.close() };
  }

  async close(): Promise<void> {
    await this.browser.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
