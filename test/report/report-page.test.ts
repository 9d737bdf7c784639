// The report page in a real browser: that it shows what it should, asks the network for nothing, can be used by keyboard
// and without a script, fits a telephone, can be read in light and dark, and that nothing of a hostile target runs in it.
// ONCE: the page's text is the same on both runtimes (src/capacity/report/*.test.ts); here the browser is what is tried.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { toHtml } from "../../src/capacity/report/html.ts";
import { missingForBrowser, type OpenedPage, ReportBrowser } from "./browser.ts";
import { contrastFaults, outsideFaults, overflowFaults } from "./page-faults.ts";
import { fullReport, hostileReport, minimalReport, shortReport, voidReport } from "./sample-report.ts";

const skip = missingForBrowser();
/** More than there are places that the keyboard can reach on the page. */
const TABS_MAX = 150;

describe("the report page in a browser", () => {
  let browser: ReportBrowser;
  const full = toHtml(shortReport());
  const hostile = toHtml(shortReport(hostileReport()));

  before(async () => {
    if (skip === false) browser = await ReportBrowser.launch();
  });
  after(async () => {
    if (skip === false) await browser.close();
  });

  async function onPage(
    html: string,
    options: Parameters<ReportBrowser["open"]>[1],
    use: (opened: OpenedPage) => Promise<void>,
  ): Promise<void> {
    const opened = await browser.open(html, options);
    try {
      await use(opened);
    } finally {
      await opened.close();
    }
  }

  test("asks for nothing and complains of nothing, whatever the report holds", { skip }, async () => {
    for (const html of [toHtml(fullReport()), toHtml(minimalReport()), hostile])
      await onPage(html, {}, async ({ page, requests, complaints }) => {
        await page.mouse.wheel(0, 3000);
        await page.evaluate(() => new Promise(requestAnimationFrame));
        assert.deepEqual(requests, []);
        assert.deepEqual(complaints, []);
      });
  });

  test("nothing of a hostile target runs or becomes an element", { skip }, async () => {
    const elementsOf = async (html: string) => {
      let names: string[] = [];
      await onPage(html, {}, async ({ page }) => {
        names = await page.$$eval("*", (all) => [...new Set(all.map((one) => one.localName))].sort());
        assert.equal(await page.evaluate("typeof window.hostile"), "undefined");
        assert.equal(await page.locator("h1").count(), 1);
      });
      return names;
    };
    assert.deepEqual(await elementsOf(hostile), await elementsOf(full));
  });

  test("every chart is drawn, and its marks and texts lie inside of it", { skip }, async () => {
    await onPage(full, {}, async ({ page }) => {
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        const names = await page.$$eval(".chart", (charts) =>
          charts.filter((one) => one.checkVisibility()).map((one) => (one as HTMLElement).dataset.chart),
        );
        assert.deepEqual(names, ["latency-paced", "latency-unpaced", "latency-open", "rate", "evidence"]);
        assert.equal(await page.locator("svg[data-plot]:visible").count(), names.length, "each drawn once");
        assert.deepEqual(await page.evaluate(outsideFaults), []);
        for (const bars of ["phases", "sweep", "verification", "budget"])
          assert.ok((await page.locator(`[data-bars="${bars}"] rect`).count()) > 1, bars);
      }
    });
  });

  test("it fits: no page scrolls sideways, on a telephone or on a desk", { skip }, async () => {
    for (const html of [full, hostile])
      await onPage(html, {}, async ({ page }) => {
        for (const width of [360, 1280]) {
          await page.setViewportSize({ width, height: 800 });
          assert.deepEqual(await page.evaluate(overflowFaults), [], String(width));
        }
      });
  });

  test("light and dark differ, and in both every text can be read (4.5:1)", { skip }, async () => {
    const backgrounds: string[] = [];
    await onPage(toHtml(shortReport(voidReport())), {}, async ({ page }) => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        backgrounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
        assert.deepEqual(await page.evaluate(contrastFaults), [], colorScheme);
      }
    });
    assert.equal(new Set(backgrounds).size, 2, String(backgrounds));
  });

  test("the first screen holds the four answers", { skip }, async () => {
    await onPage(full, { viewport: { width: 1280, height: 720 } }, async ({ page }) => {
      for (const [id, text] of [
        ["how-much", /21,040 req\/s[\s\S]*20,310 to 21,680[\s\S]*p99/],
        ["what-stops-it", /one saturated thread\s+confirmed/],
        ["what-to-do", /--threads 2[\s\S]*predicted ×1\.70/],
        ["how-far-to-trust-it", /with care/],
      ] as const) {
        const box = (await page.locator(`#${id}`).boundingBox())!;
        assert.ok(box.y >= 0 && box.y + box.height <= 720, id);
        assert.match(await page.locator(`#${id}`).innerText(), text);
      }
    });
  });

  test("the suspects stand in the order of the diagnosis, verdicts in words", { skip }, async () => {
    await onPage(full, {}, async ({ page }) => {
      const cards = await page.$$eval(".suspect", (all) =>
        all.map((one) => `${one.getAttribute("data-suspect")} ${one.querySelector(".verdict")!.textContent}`),
      );
      const words = {
        confirmed: "confirmed",
        possible: "possible",
        "ruled-out": "ruled out",
        unknown: "unknown",
      };
      assert.deepEqual(
        cards,
        fullReport().suspects.map((one) => `${one.id} ${words[one.verdict]}`),
      );
    });
  });

  test("the keyboard reaches the choice of level, and arrows change what is shown", { skip }, async () => {
    await onPage(full, {}, async ({ page }) => {
      const shown = () => page.locator(".timeline:visible h3").allInnerTexts();
      assert.deepEqual(await shown(), ["1,000 clients, unpaced"]);
      let tabs = 0;
      while (
        tabs < TABS_MAX &&
        !(await page.evaluate(() => document.activeElement!.matches(".levels input")))
      ) {
        await page.keyboard.press("Tab");
        tabs++;
      }
      assert.ok(tabs < TABS_MAX, "never reached");
      await page.keyboard.press("ArrowRight");
      assert.deepEqual(await shown(), ["2,000 clients, unpaced"]);
      await page.keyboard.press("Tab");
      await page.keyboard.press("ArrowRight");
      assert.match(await page.locator(".tip").innerText(), /^0 s/);
      await page.keyboard.press("Escape");
      assert.equal(await page.locator(".tip").isVisible(), false);
    });
  });

  test("the pointer shows the figures of the point next to it", { skip }, async () => {
    await onPage(full, { viewport: { width: 1280, height: 900 } }, async ({ page }) => {
      const chart = page.locator('[data-chart="rate"]');
      await chart.scrollIntoViewIfNeeded();
      const box = (await chart.boundingBox())!;
      await page.mouse.move(box.x + box.width * 0.84, box.y + box.height / 2);
      assert.match(
        await page.locator(".tip").innerText(),
        /^5,000 clients every 100 ms\nrate 20,\d+\/s\nobjective missed/,
      );
    });
  });

  test("without a script everything is still there, and levels can be chosen", { skip }, async () => {
    await onPage(full, { javaScriptEnabled: false }, async ({ page }) => {
      assert.equal(await page.locator("svg.wide:visible, svg.only:visible").count(), 5);
      assert.equal(await page.locator(".command button").count(), 0);
      await page.locator("#level-0").check();
      assert.equal(await page.locator(".timeline:visible h3").innerText(), "20 clients every 100 ms");
    });
  });

  test("a void run says so before anything else", { skip }, async () => {
    await onPage(toHtml(voidReport()), {}, async ({ page }) => {
      const banner = (await page.locator("[role=alert]").boundingBox())!;
      const answers = (await page.locator(".answers").boundingBox())!;
      assert.ok(banner.y + banner.height <= answers.y);
      assert.match(
        await page.locator("[role=alert]").innerText(),
        /proves nothing[\s\S]*generator was the limit/,
      );
    });
  });
});
