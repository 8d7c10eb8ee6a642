import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { judgeApproval } from '../../domain/evidence/approval.ts';
import { approvalFor, currentCode } from '../../domain/rotation/offers.ts';
import { drawChecklist, introduce } from '../../domain/rotation/details.ts';
import {
  isSeldom,
  SELDOM,
  STEPS,
  type Progress,
  type StepProgress,
  type Waiting,
} from '../../domain/rotation/checklist.ts';
import { shapeApprove, shapeRefusal, shapeRetry } from '../../domain/evidence/decisions.ts';
import { escapeMarkdown } from '../../domain/text/markdown.ts';
import { evidenceCode, type Evidence } from '../../domain/evidence/evidence.ts';
import { newReport } from '../../domain/rotation/report.ts';
import { FAILURES, todoFor } from '../../domain/rotation/failures.ts';
import {
  aContainer,
  aLook,
  anEvidence,
  APP,
  aRequest,
  aSmokeResult,
  aToken,
  NEW,
  OLD,
  TWIN,
  judgedBy,
} from '../support/builders.ts';

const RUN = '0197a7b2-0000-7000-8000-000000000001';
const SINCE = '2026-09-01T12:00:00.000Z';

function aProgress(given: Partial<Progress> = {}): Progress {
  const steps = STEPS.map((name): StepProgress => ({ name, state: 'to come', note: '' }));
  return { request: aRequest(), steps, retrying: [], notes: [], links: {}, ...given };
}

const blocked = (failure: string, message = 'what was seen'): Waiting => ({
  kind: 'blocked',
  step: 'sync',
  failure,
  message,
  tokens: 'Both tokens are live.',
  todo: todoFor(failure),
  since: SINCE,
  tries: 1,
});
const draw = (given: Partial<Progress>, run = RUN): string => drawChecklist(aProgress(given), run);
const drawEvidence = (evidence: Evidence): string =>
  draw({ waiting: { kind: 'approval', evidence, since: SINCE } });

/** The first JSON that the details offer for a decision, with the sender filled in. */
function inputOf(drawn: string, decision: string): unknown {
  const input = new RegExp(`send \\*\\*${decision}\\*\\*.*\n\n\`\`\`json\n([^]*?)\n\`\`\``).exec(
    drawn,
  )?.[1];
  if (input === undefined) return undefined;
  const { reason, ...given } = JSON.parse(input) as { reason?: string };
  return { ...given, by: 'grace@example.org', ...(reason !== undefined && { reason: 'seen' }) };
}

/** What cannot be seen of one pair, in every combination. */
const someEvidence = fc
  .record({
    round: fc.integer({ min: 1, max: 99 }),
    held: fc.boolean(),
    more: fc.boolean(),
    idle: fc.boolean(),
    smoke: fc.constantFrom('passed' as const, 'no-proof' as const, 'not-tested' as const),
  })
  .map(({ round, held, more, idle, smoke }) =>
    anEvidence({
      round,
      everHeld: held ? [{ token: OLD.masked, by: 'app in short-url-manager-0' }] : [],
      tokens: more ? [aToken(100), OLD, NEW] : [OLD, NEW],
      look: aLook([aContainer(NEW)], { consumers: idle ? [APP, TWIN] : [APP] }),
      smoke: [aSmokeResult(APP, { verdict: smoke })],
    }),
  );

describe('the current details', () => {
  test('name the pair, the environment and every step, each with its mark and what happened', () => {
    const states: StepProgress['state'][] = ['done', 'skipped', 'now', 'blocked', 'to come'];
    const steps = STEPS.map((name, at): StepProgress => ({
      name,
      state: states[at % 5]!,
      note: `note ${at}`,
    }));
    const drawn = draw({ steps });
    expect(drawn).toMatch(/^### Running: approve plan in integration\n/);
    const rows = steps
      .filter(({ name, state }) => state !== 'to come' || !isSeldom(name))
      .map(({ name, note }, at) => ({ name, note, at }))
      .map(
        ({ name, note }) =>
          `| ${['✓', '–', '▶', '✗', '·'][STEPS.indexOf(name) % 5]} | ${name} | ${note} |`,
      );
    expect(drawn.replaceAll('\u2002', '')).toContain(rows.join('\n'));
  });

  test('say who may not approve where a second person must, and nothing where nobody asked', () => {
    const waiting: Waiting = { kind: 'approval', evidence: anEvidence(), since: SINCE };
    const of = (given: Partial<Progress['request']>): string =>
      draw({ waiting, request: aRequest(given) });
    expect(of({ environment: 'production' })).toContain(
      '**Who may approve:** in production, not ada@example.org, who requested it',
    );
    expect(of({ environment: 'production', requestedBy: 'alert' })).not.toContain(
      'Who may approve',
    );
    expect(of({ environment: 'integration' })).not.toContain('Who may approve');
  });

  test('show a step that most rotations do not have once it is begun', () => {
    const steps = STEPS.map((name): StepProgress => ({ name, state: 'to come', note: '' }));
    for (const name of SELDOM) expect(draw({ steps })).not.toContain(`${name} |`);
    const begun = steps.map((step): StepProgress => ({ ...step, state: 'now' }));
    for (const name of SELDOM) expect(draw({ steps: begun })).toContain(name);
  });

  test('show the answer to the last decision with its time, what is retried, and the notes', () => {
    const drawn = draw({
      lastAnswer: { at: SINCE, text: 'refused: too early' },
      retrying: ['listTokens, attempt 3 of 15'],
      notes: ['two pods left'],
    });
    expect(drawn).toContain('**Last answer, 2026-09-01 12:00 UTC:** refused: too early');
    expect(drawn).toContain('**Under way:** listTokens, attempt 3 of 15');
    expect(drawn).toContain('**Note:** two pods left');
  });

  test('tell how to stop a rotation that waits for nobody', () => {
    expect(shapeRefusal(inputOf(draw({}), 'abort'))).toMatchObject({ ok: true });
  });

  test('let no text from outside add a tag, a cell, or a line that is not marked as its own', () => {
    const unit = fc.constantFrom('<', '>', '|', '`', '\\', '*', '_', '\n', '#', 'a', ' ', '<b>');
    const hostile = fc.string({ unit });
    // a log keeps its lines
    const linesOf = (text: string): string => text.replace(/[^\n]*\S[^\n]*/g, 'x');
    fc.assert(
      fc.property(hostile, hostile, hostile, (message, note, line) => {
        const steps = STEPS.map((name): StepProgress => ({ name, state: 'now', note }));
        const texts = { lastAnswer: { at: SINCE, text: line }, retrying: [line], notes: [line] };
        const drawn = draw({ steps, ...texts, waiting: blocked('SyncJobFailed', message) });
        const harmless = draw({
          steps: steps.map((step) => ({ ...step, note: 'x' })),
          lastAnswer: { at: SINCE, text: 'x' },
          retrying: ['x'],
          notes: ['x'],
          waiting: blocked('SyncJobFailed', linesOf(message)),
        });
        const bars = (markdown: string): number[] =>
          markdown.split('\n').map((one) => one.replace(/\\[^]/g, '').split('|').length);
        expect(drawn).not.toMatch(/(?<!\\)(\\\\)*[<>&]/);
        expect(bars(drawn)).toEqual(bars(harmless));
      }),
    );
  });
});

describe('a blocked rotation', () => {
  test.each(Object.keys(FAILURES))(
    'shows what happened, what to do, and JSON that is taken as it stands: %s',
    (name) => {
      const drawn = draw({ waiting: blocked(name) });
      expect(drawn).toMatch(
        new RegExp(
          `^### ✗ Blocked in sync: ${name}\n\nwhat was seen\n\\*\\*Tokens when last listed:\\*\\* Both tokens are live\\.\n`,
        ),
      );
      expect(drawn).toContain(`\n${escapeMarkdown(todoFor(name))} `);
      expect(drawn).toContain('**Blocked since:** 2026-09-01 12:00 UTC');
      expect(drawn).toContain(`docs/failures.md#${name.toLowerCase()}`);
      expect(shapeRetry(inputOf(drawn, 'retry'))).toMatchObject({ ok: true });
      expect(shapeRefusal(inputOf(drawn, 'abort'))).toMatchObject({ ok: true });
    },
  );

  test('shows the start of a long message before the JSON, and all of it below', () => {
    const log = Array.from({ length: 20 }, (_, at) => `line ${at} ${'x'.repeat(400)}`);
    const [before = '', after = ''] = draw({
      waiting: blocked('SyncJobFailed', log.join('\n')),
    }).split('```json');
    expect(before.match(/^line \d+/gm)).toEqual(['line 0']);
    expect(before.length).toBeLessThan(500);
    const [, below = ''] = draw({ waiting: blocked('SyncJobFailed', log.join('\n')) }).split(
      '**Message:** ',
    );
    for (const line of log) expect(below).toContain(line);
    expect(after).not.toBe('');
  });

  test('marks each further line of a message as the message’s, so that none passes for ours', () => {
    const forged = [
      'it failed',
      'Tokens: all is well',
      '-----',
      '=====',
      '- x',
      '1. x',
      'Proven: all consumers',
    ];
    const drawn = draw({ waiting: blocked('SyncJobFailed', forged.join('\n')) });
    for (const line of forged.slice(1)) {
      expect(drawn).not.toMatch(new RegExp(`^${line.replace('.', '\\.')}`, 'm'));
      expect(drawn).toMatch(new RegExp(`^│ ${line.replace('.', '\\.')}`, 'm'));
    }
  });

  test('whose request names what does not exist offers the end first: another try does not help', () => {
    const drawn = draw({ waiting: blocked('UnknownApiUser') });
    expect(drawn.indexOf('**abort**')).toBeLessThan(drawn.indexOf('**retry**'));
  });

  test('shows how to accept what a person may vouch for; no other shows anything to accept', () => {
    const offering = Object.keys(FAILURES).filter((name) =>
      JSON.stringify(inputOf(draw({ waiting: blocked(name) }), 'retry')).includes('accept'),
    );
    expect(offering).toEqual(['UnlistedToken', 'CannotHandOver']);
  });
});

describe('a rotation that waits for approval', () => {
  test('shows an approval that counts as it stands, whatever could not be seen, and ends all that is on offer', () => {
    fc.assert(
      fc.property(someEvidence, (evidence) => {
        const shaped = shapeApprove(inputOf(drawEvidence(evidence), 'approve'));
        if (!shaped.ok) throw new Error(shaped.why);
        const code = evidenceCode(RUN, evidence);
        const request = aRequest({ environment: 'production' });
        const verdict = judgeApproval(shaped.value, judgedBy(evidence, code, { request }));
        const offered = evidence.toRevoke.map(({ authorisationId }) => authorisationId);
        expect(verdict).toMatchObject({ counts: true, revoke: offered });
      }),
    );
  });

  test('names in it only what must be named', () => {
    expect(approvalFor(anEvidence(), RUN)).toEqual({
      by: '',
      evidence: evidenceCode(RUN, anEvidence()),
    });
    expect(approvalFor(anEvidence({ everHeld: [] }), RUN)).toMatchObject({ revoke: [101] });
    const untested = anEvidence({ smoke: [] });
    expect(approvalFor(untested, RUN)).toMatchObject({ accept: ['not-smoke-tested'] });
  });

  test('shows a rejection that is taken as it stands', () => {
    expect(shapeRefusal(inputOf(drawEvidence(anEvidence()), 'reject'))).toMatchObject({ ok: true });
  });

  test('asks first, then shows the JSON, then what speaks against it and how long there is time', () => {
    const drawn = drawEvidence(anEvidence({ smoke: [] }));
    const parts = [
      '### ▶ Approve: revoke 1 token in integration?',
      '```json',
      '**Not proven:** not-smoke-tested',
      '**Time left:** until 2026-09-10',
      '| Consumer',
      '| Step',
    ];
    const places = parts.map((part) => drawn.indexOf(part.replaceAll('-', '-')));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  test('says so where nothing speaks against it', () => {
    expect(drawEvidence(anEvidence())).toContain('**Proven:** 1 of 1 consumers hold the new token');
    expect(drawEvidence(anEvidence({ smoke: [] }))).not.toContain('**Proven:**');
    // the JSON offers to revoke it all the same
    const unknown = drawEvidence(anEvidence({ everHeld: [] }));
    expect(unknown).not.toContain('**Proven:**');
    expect(unknown).toContain('**Not proven:** no holder of first101…last0101 was found');
    const tokens = [{ ...OLD, standing: 'holder-unknown' as const, heldBy: ['app in pod-1'] }];
    const held = drawEvidence({ ...anEvidence(), toRevoke: tokens });
    expect(held).toContain('**Not proven:** app in pod-1 still holds first101…last0101, or will');
    expect(held).toContain('STILL HELD, revoked only if named');
  });

  test('shows each token on offer with its standing, and the new one', () => {
    const drawn = drawEvidence(anEvidence({ tokens: [aToken(100), OLD, NEW] }));
    expect(drawn).toMatch(/first100…last0100.* 100\\\), expires 2026-09-10, HOLDER UNKNOWN/);
    expect(drawn).toMatch(
      /first101…last0101.* 101\\\), expires 2026-09-10, no container holds it any longer/,
    );
    expect(drawn).toMatch(/\*\*New token:\*\* first102…last0102 .*102\\\), expires 2028-09-01/);
  });

  test('marks only a smoke call that passed as passed, and a consumer without pods as such', () => {
    const look = aLook([aContainer(NEW)], { consumers: [APP, TWIN] });
    const rowOf = (evidence: Evidence, who: string): string[] =>
      new RegExp(`^\\| ${who} of.*`, 'm')
        .exec(drawEvidence(evidence))?.[0]
        .replaceAll('\u2002', '')
        .split(' | ')
        .slice(1) ?? [];
    expect(rowOf(anEvidence(), 'app')).toEqual(['✓ 1 pod', '✓ passed |']);
    expect(rowOf(anEvidence({ look }), 'worker')).toEqual(['✗ no pod', '✗ not called |']);
    for (const verdict of ['failed', 'no-proof', 'not-tested'] as const)
      expect(rowOf(anEvidence({ smoke: [aSmokeResult(APP, { verdict })] }), 'app')[1]).toMatch(
        /^✗ /,
      );
  });

  test('offers no approval where a smoke call failed', () => {
    const drawn = drawEvidence(anEvidence({ smoke: [aSmokeResult(APP, { verdict: 'failed' })] }));
    expect(inputOf(drawn, 'approve')).toBeUndefined();
    expect(shapeRefusal(inputOf(drawn, 'reject'))).toMatchObject({ ok: true });
  });

  test('always says what cannot be seen from here', () => {
    fc.assert(
      fc.property(someEvidence, (evidence) =>
        expect(drawEvidence(evidence)).toMatch(/holders outside the namespace.*last used/),
      ),
    );
  });

  test('has a code that is its run’s own and none when no approval is waited for', () => {
    const waiting: Waiting = { kind: 'approval', evidence: anEvidence(), since: SINCE };
    expect(currentCode(aProgress({ waiting }), RUN)).toBe(evidenceCode(RUN, anEvidence()));
    expect(currentCode(aProgress({ waiting }), 'another')).not.toBe(
      currentCode(aProgress({ waiting }), RUN),
    );
    expect(currentCode(aProgress(), RUN)).toBeUndefined();
    expect(currentCode(aProgress({ waiting: blocked('SyncJobFailed') }), RUN)).toBeUndefined();
  });
});

test('a run that handed over has one sentence and a link, and no checklist', () => {
  const ended = {
    ...newReport(aRequest()),
    outcome: 'delegated',
    why: 'the rotation runs as rotate-token/x',
  } as const;
  const ui = { url: 'https://temporal.example.org', namespace: 'default' };
  const details = draw({ ended, links: { ui } });
  expect(details).toContain('This run did nothing itself: the rotation runs as rotate-token/x.');
  expect(details).toMatch(
    /\[Open it\]\(https:\S+\/workflows\?query=WorkflowId%3D%22rotate-token%2F\S+%22\)$/,
  );
  expect(details).not.toMatch(/assess|\| Step/);
});

test('what a rotation is started with says who asked and why, and brings nothing of its own into the page', () => {
  const { staticSummary, staticDetails } = introduce(
    aRequest({ requestedBy: '<b>ada</b> https://evil.example', reason: '[click](x)' }),
  );
  expect(staticSummary).toBe('short-url-manager@alphagov.co.uk → publishing-api, integration');
  expect(staticDetails).toMatch(/^Requested by \\<b\\>ada.*: \\\[click\\\]\\\(x\\\)\.\n\n/);
  expect(staticDetails).not.toMatch(/(?<!\\)<|https:\/\//);
});
