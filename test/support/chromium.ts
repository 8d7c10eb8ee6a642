import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';

/** Nothing but the page that is asked for: no updates, no background traffic. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * The browser `CHROMIUM_PATH` names, else the `chromium` on the PATH; undefined where there is
 * none.
 */
export const CHROMIUM =
  process.env.CHROMIUM_PATH ??
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'chromium'))
    .find((program) => existsSync(program));

export interface OpenBrowser {
  context: BrowserContext;
  /** Ends the browser and removes its profile. */
  close: () => Promise<void>;
}

/** A browser with a new profile that reaches this machine alone. */
export async function openBrowser(viewport: {
  width: number;
  height: number;
}): Promise<OpenBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'signon-browser-'));
  const forget = (): void => rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: ARGUMENTS,
      viewport,
      colorScheme: 'light',
      locale: 'en-GB',
      timezoneId: 'UTC',
    });
    // the TypeScript loader names functions by it, those that run in a page too
    await context.addInitScript('globalThis.__name = (named) => named');
    await context.route(
      ({ protocol, hostname }) => protocol.startsWith('http') && hostname !== '127.0.0.1',
      (route) => route.abort(),
    );
    return { context, close: () => context.close().finally(forget) };
  } catch (error) {
    forget();
    throw error;
  }
}
