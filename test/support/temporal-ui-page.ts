import type { Locator, Page } from 'playwright-core';
import { startFormLink, userMetadataLink, type TemporalUi } from '../../domain/rotation/links.ts';
import type { RotationRequest } from '../../domain/request/request.ts';
import { until } from './until.ts';

const LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 1000;
const MARGIN = 32;
const DETAILS = '#user-metadata-current-details';

/** The current details as they are drawn. */
export interface Details {
  text: string;
  /** The last table's rows. */
  checklist: { mark: string; step: string; note: string }[];
  /** The JSON that is offered first for each decision, as it would be copied. */
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

/** What a person does to send something, beside pasting. */
export interface Effort {
  clicks: number;
  /** Characters. */
  typed: number;
}

/** The Temporal UI, as a person uses it. */
export class TemporalUiPage {
  constructor(
    private readonly page: Page,
    private readonly ui: TemporalUi,
  ) {
    page.setDefaultTimeout(LIMIT_MS);
  }

  async openStartForm(
    pair: Pick<RotationRequest, 'environment' | 'apiUser' | 'application'>,
  ): Promise<void> {
    await this.page.goto(startFormLink(this.ui, pair));
    await this.startButton.waitFor();
  }

  /**
   * Where the first heading and the first block of the details end, in pixels from the window's
   * top, without scrolling.
   */
  async firstScreen(): Promise<{ heading: number; json: number; background: string }> {
    const frame = (await this.page.locator(DETAILS).boundingBox())!;
    const { heading, json, background } = await this.details.evaluate((main) => ({
      heading: main.querySelector('h3')!.getBoundingClientRect().bottom,
      json: main.querySelector('pre')!.getBoundingClientRect().bottom,
      background: main.ownerDocument.defaultView!.getComputedStyle(main.ownerDocument.body)
        .backgroundColor,
    }));
    return { heading: frame.y + heading, json: frame.y + json, background };
  }

  /** Shows the UI in another theme. */
  async theme(colorScheme: 'light' | 'dark'): Promise<void> {
    await this.page.emulateMedia({ colorScheme });
    await this.page.reload({ waitUntil: 'domcontentloaded' });
    await until('the details', () => this.read());
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
        .waitForResponse((response) => response.url().includes('/query/'), {
          timeout: ANSWER_LIMIT_MS,
        })
        .catch(() => undefined);
      await this.page.keyboard.press('r');
      await answered;
      const details = await this.read();
      return details && like.test(details.text) ? details : undefined;
    });
  }

  /**
   * Sends a decision as a person does, by mouse and keyboard alone: copies the JSON that the
   * details offer, chooses the update, pastes, writes their name between the first quotes, submits.
   * @returns what it took
   */
  async sendUpdate(
    name: string,
    by: string,
    change: (json: string) => string = (json) => json,
  ): Promise<Effort> {
    const effort = { clicks: 0, typed: 0 };
    const click = async (where: Locator): Promise<void> => {
      effort.clicks += 1;
      await where.click();
    };
    effort.clicks += 1; // a drag over the block
    const json = change((await this.read())?.toSend[name] ?? '');
    await click(this.page.getByRole('button', { name: 'More Actions' }));
    await click(
      this.page.getByRole('menuitem', { name: 'Send an Update' }).filter({ visible: true }),
    );
    await click(this.updateForm.getByRole('button', { name: 'Select an Update' }));
    await click(this.page.getByRole('option', { name: new RegExp(`^${name}\\b`) }));
    await click(this.updateForm.getByRole('textbox', { name: 'Data' }));
    await this.page.keyboard.press('Control+A'); // the form keeps what it was closed with
    await this.page.keyboard.insertText(json);
    if (json.includes('"by": ""')) {
      await this.page.keyboard.press('Control+Home');
      await this.page.keyboard.press('ArrowDown');
      await this.page.keyboard.press('End');
      const toTheQuotes = /^ *"by": ""(.*)/m.exec(json)![1]!.length + 1;
      for (let step = 0; step < toTheQuotes; step++) await this.page.keyboard.press('ArrowLeft');
      await this.page.keyboard.type(by);
      effort.typed += by.length;
    }
    await click(this.updateForm.getByRole('button', { name: 'Submit' }));
    return effort;
  }

  /** What the form says of an update that was sent. */
  async updateAnswer(like: RegExp): Promise<string> {
    return until(`an answer like ${like}`, async () => {
      const said = await this.page.locator('body').innerText();
      return like.exec(said)?.[0];
    });
  }

  /** Closes the form that an update was sent with. */
  async closeForm(): Promise<void> {
    await this.updateForm.getByRole('button', { name: 'Cancel' }).click();
    await this.updateForm.waitFor({ state: 'hidden' });
  }

  private get updateForm(): Locator {
    return this.page.locator('form').filter({ hasText: 'Update ID', visible: true });
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
        (main) =>
          main.getBoundingClientRect().bottom <= main.ownerDocument.documentElement.clientHeight,
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
        const words = ({ textContent }: { textContent: string | null }): string =>
          (textContent ?? '').trim();
        const rows = [
          ...([...main.querySelectorAll('table')].at(-1)?.querySelectorAll('tbody tr') ?? []),
        ];
        const toSend: Record<string, string> = {};
        for (const block of main.querySelectorAll('pre')) {
          const decision = block.previousElementSibling?.querySelector('strong');
          if (decision) toSend[words(decision)] ??= words(block);
        }
        return {
          text: main.innerText,
          checklist: rows.map((row) => {
            const [mark = '', step = '', note = ''] = [...row.querySelectorAll('td')].map(words);
            return { mark, step, note };
          }),
          toSend,
          links: Object.fromEntries(
            [...main.querySelectorAll('a')].map((link) => [words(link), link.href]),
          ),
          paragraphs: [...main.querySelectorAll('p')].map(({ innerText }) => innerText),
          loud: [...main.querySelectorAll('h1, h2, h3, h4, h5, h6, strong, b')].map(words),
          foreign: main.querySelectorAll('img, script, svg, iframe, form, input, style, object')
            .length,
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
    ...[...new Set(text.match(/&#?\w+;|\||\*\*|`|^- .*/gm))].map(
      (source) => `shows as source: ${source}`,
    ),
    ...(tooWide > 0 ? [`${tooWide} px run over the edge`] : []),
  ];
}

/**
 * Puts JSON into a form's editor, as from the clipboard. The editor indents it once it is left,
 * which moves what is below.
 */
async function paste(form: Locator, json: string): Promise<void> {
  const editor = form.getByRole('textbox', { name: 'Data' });
  await editor.fill(json);
  await editor.blur();
  const indented = JSON.stringify(JSON.parse(json), null, 2);
  await until(
    'the JSON, indented',
    async () => (await editor.innerText()).trim() === indented || undefined,
  );
}
