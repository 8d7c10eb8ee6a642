import { isSeldom, MARKS, type Progress } from './checklist.ts';
import { rotationsLink, startFormLink, type TemporalUi } from './links.ts';
import { offersFor, type Offer } from './offers.ts';
import { type HandOver, isConfirmedByHolder } from './report.ts';
import { rotationId, type RotationRequest } from '../request/index.ts';
import { shown } from './show-rotation.ts';
import type { Line } from './shown.ts';
import { escapeMarkdown as text, minute, paragraphs, table } from '../text/index.ts';

/**
 * The summary and details that a rotation is started with. The UI shows them beside the current
 * details for good.
 */
export function introduce(request: RotationRequest) {
  const { apiUser, application, environment, requestedBy, reason } = request;
  return {
    memo: { pair: `${apiUser} → ${application}`, environment },
    staticSummary: text(`${apiUser} → ${application}, ${environment}`),
    staticDetails: `Requested by ${text(requestedBy)}${reason ? `: ${text(reason)}` : ''}.\n\nThis page says what to do. It needs a running worker. Press R to refresh it.`,
  };
}

/**
 * Draws a rotation as Markdown for the Temporal UI. The UI leaves a wide gap around each paragraph,
 * so what belongs together is one paragraph of several lines; the first screen holds the heading,
 * the JSON to send and what speaks against it.
 */
export function drawChecklist(progress: Progress, runId: string): string {
  const { request, waiting, ended, links, lastAnswer, handOver, retrying, notes, steps } = progress;
  if (ended?.outcome === 'delegated') return drawDelegated(ended.why, request, links.ui);
  const read = shown(progress, runId);
  const [first, ...others] = read?.offers ?? [];
  const docs = links.docs;
  return paragraphs(
    `### ${text(read?.heading ?? `${running(progress)} in ${request.environment}`)}`,
    paragraph(read?.before ?? [], docs),
    first && drawOffer(first, read?.lead),
    paragraph(
      [
        ...(lastAnswer && !ended
          ? [{ label: `Last answer, ${minute(lastAnswer.at)}`, text: lastAnswer.text }]
          : []),
        ...(read?.after ?? []),
      ],
      docs,
    ),
    handOver && !(ended && isConfirmedByHolder(ended)) && drawHandOver(handOver),
    read?.table &&
      table(
        read.table.head,
        read.table.rows.map((row) => row.map(text)),
      ),
    table(
      ['', 'Step', 'What happened'],
      steps
        .filter(({ name, state }) => state !== 'to come' || !isSeldom(name))
        .map(({ name, state, note }) => [MARKS[state], name, text(note)]),
    ),
    paragraph(retrying.map((what) => ({ label: 'Under way', text: what }))),
    paragraph(read?.details ?? [], docs),
    paragraph(
      notes.filter((note) => note !== ended?.why).map((note) => ({ label: 'Note', text: note })),
    ),
    ...others.map((offer) => drawOffer(offer)),
    ended &&
      links.ui &&
      `[Start it again](${startFormLink(links.ui, request)}). The form holds this run’s input, requested by ${text(request.requestedBy)}: put your own address into \`requestedBy\`.`,
    ...((waiting ?? ended) ? [] : offersFor(undefined, runId).map((offer) => drawOffer(offer))),
  );
}

/** Where a request that was started under another id went. */
function drawDelegated(why: string, request: RotationRequest, ui: TemporalUi | undefined): string {
  return paragraphs(
    '### Outcome: delegated',
    `This run did nothing itself: ${text(why)}.`,
    ui && `[Open it](${rotationsLink(ui, rotationId(request))})`,
  );
}

/** What a rotation that needs nobody does now. */
function running({ steps }: Progress): string {
  const step = steps.find(({ state }) => state === 'now');
  return step ? `Running: ${step.name}` : 'Running';
}

/** Draws what was wrong with an input, and an input that would do. */
export function drawInvalid(problems: readonly string[]): string {
  const request: RotationRequest = {
    environment: 'integration',
    apiUser: 'short-url-manager@alphagov.co.uk',
    application: 'publishing-api',
    requestedBy: 'your e-mail address',
  };
  return paragraphs(
    '### ✗ The request is not valid; no token was touched',
    paragraph(problems.map((problem) => ({ text: problem }))),
    `Start another rotation with an input like this:\n\n${block(request)}`,
  );
}

/** One paragraph: the UI draws a line break as one. */
function paragraph(lines: readonly Line[], docs?: string): string {
  return lines
    .map(({ label, text: said, page }) => {
      const more =
        page === undefined ? '' : ` (${docs ? `[docs/${page}](${docs}/${page})` : `docs/${page}`})`;
      return `${label === undefined ? '' : `**${text(label)}:** `}${text(said)}${more}`;
    })
    .join('\n');
}

/** What may be sent, and what it does. @param lead what to do before */
export function drawOffer({ purpose, decision, input }: Offer, lead = ''): string {
  return `${lead ? `${text(lead)} ` : ''}${purpose}, send **${decision}** (_More Actions_ → _Send an Update_) with your e-mail address in \`by\`:\n\n${block(input)}`;
}

/**
 * JSON as the form’s editor indents it, so that nothing moves when it is pasted. Short lines: the
 * UI does not wrap a block.
 */
function block(input: object): string {
  return `\`\`\`json\n${JSON.stringify(input, null, 2).replaceAll('`', '\\u0060')}\n\`\`\``;
}

/** The way a sealed token goes to its holder. */
function drawHandOver({ recipient, masked, authorisationId, armoured }: HandOver): string {
  return paragraphs(
    `**For ${text(recipient)}:** \`${masked}\`, authorisation ${authorisationId}, encrypted to the key in the settings. Send them this text; \`npx signon-rotation handover\` prints it with what to tell them.`,
    // Not a block: the UI would not wrap it. A line that wraps is copied as one.
    armoured
      .trim()
      .split('\n')
      .map((line) => `\`${line}\``)
      .join('\n'),
  );
}
