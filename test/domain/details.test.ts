import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { judgeApproval } from '../../domain/approval.ts';
import { approvalFor, currentCode } from '../../domain/offers.ts';
import { drawChecklist, introduce } from '../../domain/details.ts';
import { isSeldom, SELDOM, STEPS, type Progress, type StepProgress, type Waiting } from '../../domain/checklist.ts';
import { shapeApprove, shapeRefusal, shapeRetry } from '../../domain/decisions.ts';
import { evidenceCode, type Evidence } from '../../domain/evidence.ts';
import { FAILURES, todoFor } from '../../domain/failures.ts';
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
  todo: todoFor(failure),
  since: SINCE,
  tries: 1,
});
const draw = (given: Partial<Progress>, run = RUN): string => drawChecklist(aProgress(given), run);
const drawEvidence = (evidence: Evidence): string => draw({ waiting: { kind: 'approval', evidence, since: SINCE } });

/** The JSON that the details tell a person to send with a signal. */
function inputOf(drawn: string, signal: string): unknown {
  const input = new RegExp(`send the signal \`${signal}\` with \`(.*)\`$`, 'm').exec(drawn)?.[1];
  return input === undefined ? undefined : JSON.parse(input);
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
      everHeld: held ? [OLD] : [],
      tokens: more ? [aToken(100), OLD, NEW] : [OLD, NEW],
      look: aLook([aContainer(NEW)], { consumers: idle ? [APP, TWIN] : [APP] }),
      smoke: [aSmokeResult(APP, { verdict: smoke })],
    }),
  );

describe('the current details', () => {
  test('name the pair, the environment and every step, each with its mark and what happened', () => {
    const states: StepProgress['state'][] = ['done', 'skipped', 'now', 'blocked', 'to come'];
    const steps = STEPS.map((name, at): StepProgress => ({ name, state: states[at % 5]!, note: `note ${at}` }));
    const drawn = draw({ steps });
    expect(drawn).toMatch(/short-url-manager@alphagov\.co\.uk → publishing-api \(integration\)/);
    const rows = steps
      .filter(({ name, state }) => state !== 'to come' || !isSeldom(name))
      .map(({ name, note }, at) => ({ name, note, at }))
      .map(({ name, note }) => `| ${['✓', '–', '▶', '✗', '·'][STEPS.indexOf(name) % 5]} | ${name} | ${note} |`);
    expect(drawn.replaceAll('\u2002', '')).toContain(rows.join('\n'));
  });

  test('show a step that most rotations do not have once it is begun', () => {
    const steps = STEPS.map((name): StepProgress => ({ name, state: 'to come', note: '' }));
    for (const name of SELDOM) expect(draw({ steps })).not.toContain(`${name} |`);
    const begun = steps.map((step): StepProgress => ({ ...step, state: 'now' }));
    for (const name of SELDOM) expect(draw({ steps: begun })).toContain(name);
  });

  test('show the answer to the last decision, what is tried again, and the notes', () => {
    const drawn = draw({
      lastAnswer: 'refused: too early',
      retrying: ['listTokens, 3rd try'],
      notes: ['two pods left'],
    });
    for (const line of ['refused: too early', '· listTokens, 3rd try', '· two pods left'])
      expect(drawn).toContain(line);
  });

  test('tell how to stop a rotation that waits for nobody', () => {
    expect(shapeRefusal(inputOf(draw({}), 'abort'))).toMatchObject({ ok: true });
  });

  test('let no text from outside add a tag, a line or a cell', () => {
    const unit = fc.constantFrom('<', '>', '|', '`', '\\', '*', '_', '\n', '#', 'a', ' ', '<b>');
    const hostile = fc.string({ unit });
    fc.assert(
      fc.property(hostile, hostile, hostile, (message, note, line) => {
        const steps = STEPS.map((name): StepProgress => ({ name, state: 'now', note }));
        const texts = { lastAnswer: line || undefined, retrying: [line], notes: [line] };
        const drawn = draw({ steps, ...texts, waiting: blocked('SyncJobFailed', message) });
        const harmless = draw({
          steps: steps.map((step) => ({ ...step, note: 'x' })),
          lastAnswer: line ? 'x' : undefined,
          retrying: ['x'],
          notes: ['x'],
          waiting: blocked('SyncJobFailed', 'x'),
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
      expect(drawn).toContain(`**${name}**: what was seen`);
      expect(drawn).toMatch(/\*\*What to do:\*\* [A-Z]/);
      expect(drawn).toContain('since 2026-09-01 12:00 UTC');
      expect(shapeRetry(inputOf(drawn, 'retry'))).toMatchObject({ ok: true });
      expect(shapeRefusal(inputOf(drawn, 'abort'))).toMatchObject({ ok: true });
    },
  );

  test('shows how to accept what a person may vouch for; no other shows anything to accept', () => {
    const offering = Object.keys(FAILURES).filter((name) =>
      JSON.stringify(inputOf(draw({ waiting: blocked(name) }), 'retry')).includes('accept'),
    );
    expect(offering).toEqual(['UnlistedToken', 'CannotHandOver']);
  });
});

describe('a rotation that waits for approval', () => {
  test('shows an approval that counts as it stands, whatever could not be seen, and ends all that is on offer', () => {
    const nobody = { identity: '' };
    fc.assert(
      fc.property(someEvidence, (evidence) => {
        const shaped = shapeApprove(inputOf(drawEvidence(evidence), 'approve'));
        if (!shaped.ok) throw new Error(shaped.why);
        const code = evidenceCode(RUN, evidence);
        const facts = { evidence, code, starter: nobody, sender: nobody, receiver: 'alert-receiver' };
        const verdict = judgeApproval(shaped.value, { request: aRequest({ environment: 'production' }), ...facts });
        const offered = evidence.toRevoke.map(({ authorisationId }) => authorisationId);
        expect(verdict).toMatchObject({ counts: true, revoke: offered });
      }),
    );
  });

  test('names in it only what must be named', () => {
    expect(Object.keys(approvalFor(anEvidence(), RUN))).toEqual(['by', 'evidence']);
    expect(approvalFor(anEvidence({ everHeld: [] }), RUN)).toMatchObject({ revoke: [101] });
    const untested = anEvidence({ smoke: [] });
    expect(approvalFor(untested, RUN)).toMatchObject({ accept: ['not-smoke-tested'] });
  });

  test('shows a rejection that is taken as it stands', () => {
    expect(shapeRefusal(inputOf(drawEvidence(anEvidence()), 'reject'))).toMatchObject({ ok: true });
  });

  test('shows each token on offer with its standing, and the new one', () => {
    const drawn = drawEvidence(anEvidence({ tokens: [aToken(100), OLD, NEW] }));
    expect(drawn).toMatch(/first100…last0100.* 100, .*2026-09-10.*holder unknown/);
    expect(drawn).toMatch(/first101…last0101.* 101, .*2026-09-10.*given up/);
    expect(drawn).toMatch(/New token `first102…last0102`, authorisation 102, until 2028-09-01/);
  });

  test('marks only a smoke call that passed as passed, and a consumer without pods as such', () => {
    const look = aLook([aContainer(NEW)], { consumers: [APP, TWIN] });
    const entryOf = (evidence: Evidence, who: string): string =>
      new RegExp(`. \\*\\*${who} of.*\n.*\n.*`).exec(drawEvidence(evidence))?.[0] ?? '';
    expect(entryOf(anEvidence(), 'app')).toMatch(
      /^✓ .*\n✓ 1 running, holds `first102…last0102`: \S*short-url-manager-1\n✓ /,
    );
    expect(entryOf(anEvidence({ look }), 'worker')).toMatch(/^✗ .*\n✗ no pod is running\n✗ /);
    for (const verdict of ['failed', 'no-proof', 'not-tested'] as const)
      expect(entryOf(anEvidence({ smoke: [aSmokeResult(APP, { verdict })] }), 'app')).toMatch(/^✗ [^]*\n✗ /);
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
    expect(currentCode(aProgress({ waiting }), 'another')).not.toBe(currentCode(aProgress({ waiting }), RUN));
    expect(currentCode(aProgress(), RUN)).toBeUndefined();
    expect(currentCode(aProgress({ waiting: blocked('SyncJobFailed') }), RUN)).toBeUndefined();
  });
});

test('what a rotation is started with says who asked and why, and brings nothing of its own into the page', () => {
  const { staticSummary, staticDetails } = introduce(
    aRequest({ requestedBy: '<b>ada</b> https://evil.example', reason: '[click](x)' }),
  );
  expect(staticSummary).toBe('short-url-manager@alphagov.co.uk → publishing-api, integration');
  expect(staticDetails).toMatch(/^Asked for by \\<b\\>ada.*: \\\[click\\\]\\\(x\\\)\.\n\n/);
  expect(staticDetails).not.toMatch(/(?<!\\)<|https:\/\//);
});
