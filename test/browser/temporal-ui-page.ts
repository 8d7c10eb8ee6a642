import type { Locator, Page } from 'playwright-core';
import { startFormLink, userMetadataLink, type TemporalUi } from '../../domain/links.ts';
import type { RotationRequest } from '../../domain/request.ts';
import { until } from '../support/until.ts';

const LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 1000;
const MARGIN = 32;
const DETAILS = '#user-metadata-current-details';

/** The current details as they are drawn. */
export interface Details {
  text: string;
  /** The last table's rows. */
  checklist: { mark: string; step: string; note: string }[];
  /** What is said first to be sent with each signal, as it would be copied. */
  toSend: Record<string, string>;
  links: Record<string, string>;
  /** As they would be copied. */
  paragraphs: string[];
  /** Headings and what is bold: what speaks for the software itself. */
  loud: string[];
  /** Elements that no Markdown of ours draws. */
  foreign: number;
  /** How many pixels do not fit into the column. */
  tooWide: number;
}

/** The Temporal UI, as a person uses it. */
export class TemporalUiPage {
  constructor(
    private readonly page: Page,
    private readonly ui: TemporalUi,
  ) {
    page.setDefaultTimeout(LIMIT_MS);
  }

  async openStartForm(pair: Pick<RotationRequest, 'environment' | 'apiUser' | 'application'>): Promise<void> {
    await this.page.goto(startFormLink(this.ui, pair));
    await this.startButton.waitFor();
  }

  /** Goes to the details of a rotation. */
  async openDetails(workflowId: string, runId: string): Promise<void> {
    await this.page.goto(userMetadataLink(this.ui, workflowId, runId));
    await this.page.locator(DETAILS).waitFor();
  }

  /** What a field of the Start form holds. */
  field(name: 'Workflow ID' | 'Task Queue' | 'Workflow Type'): Promise<string> {
    return this.page.getByLabel(name).inputValue();
  }

  async fillStartForm(json: string): Promise<void> {
    await paste(this.page.getByRole('main'), json);
  }

  /** Starts what the form holds, and goes to the details of what was started. */
  async start(): Promise<void> {
    await this.startButton.click();
    await this.page.getByRole('link', { name: 'Workflow started successfully' }).click();
    await this.page.getByRole('tab', { name: 'User Metadata' }).click();
    await this.page.locator(DETAILS).waitFor();
  }

  /** Presses R until the details say what is waited for. */
  detailsLike(like: RegExp): Promise<Details> {
    return until(`details like ${like}`, async () => {
      // A key pressed before the page listens asks nothing, so nothing answers.
      const answered = this.page
        .waitForResponse((response) => response.url().includes('/query/'), { timeout: ANSWER_LIMIT_MS })
        .catch(() => undefined);
      await this.page.keyboard.press('r');
      await answered;
      const details = await this.read();
      return details && like.test(details.text) ? details : undefined;
    });
  }

  /** On a page loaded anew: the UI (2.54.1) delivers a second signal from the same page, but its form stays open, with a spinner. */
  async sendSignal(name: string, json: string): Promise<void> {
    await this.page.reload({ waitUntil: 'domcontentloaded' });
    await this.page.getByRole('button', { name: 'More Actions' }).click();
    await this.page.getByRole('menuitem', { name: 'Send a Signal' }).filter({ visible: true }).click();
    const form = this.page.locator('form').filter({ hasText: 'Signal name', visible: true });
    const submit = form.getByRole('button', { name: 'Submit' });
    await form.getByRole('button', { name: 'Select a signal' }).click();
    await form.getByRole('option', { name: new RegExp(`^${name}\\b`) }).click();
    await paste(form, json);
    await submit.click();
    await submit.waitFor({ state: 'hidden' });
  }

  /** A picture of the form as it is filled in. */
  async pictureOfForm(path: string): Promise<void> {
    await this.picture(path, this.startButton);
  }

  /** A picture of the page loaded anew, so without pop-ups, down to the end of the details. */
  async pictureOfDetails(path: string): Promise<void> {
    await this.page.reload({ waitUntil: 'domcontentloaded' });
    await until('the details', () => this.read());
    await until('a frame as high as the details', () =>
      this.details.evaluate(
        (main) => main.getBoundingClientRect().bottom <= main.ownerDocument.documentElement.clientHeight,
      ),
    );
    await this.picture(path, this.page.locator(DETAILS));
  }

  /** Without the bars above and beside the page. */
  private async picture(path: string, last: Locator): Promise<void> {
    const size = this.page.viewportSize()!;
    const { x, y: top } = (await this.page.getByRole('main').boundingBox())!;
    const { y, height } = (await last.boundingBox())!;
    const bottom = Math.ceil(y + height) + MARGIN;
    await this.page.setViewportSize({ ...size, height: bottom });
    await this.page.screenshot({
      path,
      animations: 'disabled',
      caret: 'hide',
      clip: { x, y: top, width: size.width - x, height: bottom - top },
    });
    await this.page.setViewportSize(size);
  }

  /** Undefined while the frame loads or is empty. */
  private read(): Promise<Details | undefined> {
    return this.details
      .evaluate((main): Details => {
        const { documentElement } = main.ownerDocument;
        const words = ({ textContent }: { textContent: string | null }): string => (textContent ?? '').trim();
        const rows = [...([...main.querySelectorAll('table')].at(-1)?.querySelectorAll('tbody tr') ?? [])];
        const toSend: Record<string, string> = {};
        let signal = '';
        for (const code of main.querySelectorAll('code'))
          if (words(code).startsWith('{')) toSend[signal] ??= words(code);
          else signal = words(code);
        return {
          text: main.innerText,
          checklist: rows.map((row) => {
            const [mark = '', step = '', note = ''] = [...row.querySelectorAll('td')].map(words);
            return { mark, step, note };
          }),
          toSend,
          links: Object.fromEntries([...main.querySelectorAll('a')].map((link) => [words(link), link.href])),
          paragraphs: [...main.querySelectorAll('p')].map(({ innerText }) => innerText),
          loud: [...main.querySelectorAll('h1, h2, h3, h4, h5, h6, strong, b')].map(words),
          foreign: main.querySelectorAll('img, script, svg, iframe, form, input, style, object').length,
          tooWide: Math.max(0, documentElement.scrollWidth - documentElement.clientWidth),
        };
      })
      .then((details) => (details.text.trim() ? details : undefined))
      .catch(() => undefined);
  }

  private get details(): Locator {
    return this.page.frameLocator(DETAILS).locator('main');
  }

  private get startButton(): Locator {
    return this.page.getByRole('button', { name: 'Start Workflow' });
  }
}

/** What a reader of the details would stumble over. */
export function flawsOf({ text, tooWide }: Details): string[] {
  return [
    ...[...new Set(text.match(/&#?\w+;|\||\*\*|`|^- .*/gm))].map((source) => `shows as source: ${source}`),
    ...(tooWide > 0 ? [`${tooWide} px run over the edge`] : []),
  ];
}

/** Puts JSON into a form's editor, as from the clipboard. The editor indents it once it is left, which moves what is below. */
async function paste(form: Locator, json: string): Promise<void> {
  const editor = form.getByRole('textbox', { name: 'Data' });
  await editor.fill(json);
  await editor.blur();
  const indented = JSON.stringify(JSON.parse(json), null, 2);
  await until('the JSON, indented', async () => (await editor.innerText()).trim() === indented || undefined);
}
