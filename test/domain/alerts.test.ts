import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import {
  ALERT_NAME,
  askedBy,
  whyNot,
  type Alert,
  type PastRotation,
} from '../../domain/alerts/alerts.ts';
import { NOW } from '../support/builders.ts';

const HOUR = 3_600_000;
const STARTS_AT = '2026-09-01T09:00:00.000Z';
const alert = (labels: Record<string, string> = {}, given: Partial<Alert> = {}): Alert => ({
  status: 'firing',
  startsAt: STARTS_AT,
  labels: {
    alertname: ALERT_NAME,
    environment: 'production',
    api_user: 'Short-URL-Manager@alphagov.co.uk',
    application: 'publishing-api',
    ...labels,
  },
  ...given,
});

describe('what an alert asks for', () => {
  test('a firing one asks for a rotation of its pair, in the name of nobody', () => {
    expect(
      askedBy(alert({}, { startsAt: '2026-09-01T10:00:00.123456789+01:00' }), 'production'),
    ).toMatchObject({
      kind: 'start',
      startsAt: '2026-09-01T09:00:00.123Z',
      request: {
        environment: 'production',
        apiUser: 'short-url-manager@alphagov.co.uk',
        application: 'publishing-api',
        requestedBy: 'alert',
      },
    });
  });

  test.each([
    [
      { alertname: 'SomethingElse', environment: 'staging', api_user: '' },
      {},
      'ignored',
      /^another alert$/,
    ],
    [{ environment: 'integration' }, { status: 'resolved' as const }, 'ignored', /^resolved$/],
    [{ environment: 'staging' }, {}, 'ignored', /^staging is left alone, since it is overwritten/],
    [{ environment: 'integration' }, {}, 'refused', /^other environment$/],
    [{ environment: 'Production' }, {}, 'refused', /^environment: expected one of/],
    [{ api_user: 'nobody' }, {}, 'refused', /^apiUser: expected an e-mail address/],
    [{ application: '///' }, {}, 'refused', /^application/],
    [{ api_user: `${'a'.repeat(250)}@b.co` }, {}, 'refused', /^apiUser/],
  ])('%j, %j: %s, %s', (labels, given, kind, why) => {
    expect(askedBy(alert(labels as Record<string, string>, given), 'production')).toEqual({
      kind,
      why: expect.stringMatching(why),
    });
  });

  test('whatever its labels, nothing but a firing alert of this name and this environment asks for a start', () => {
    const label = fc.constantFrom(
      ALERT_NAME,
      'production',
      'staging',
      'firing',
      'a@b.co',
      'publishing-api',
      '',
      'x',
    );
    const labels = fc.dictionary(
      fc.constantFrom('alertname', 'environment', 'api_user', 'application', 'x'),
      label,
    );
    fc.assert(
      fc.property(labels, fc.constantFrom('firing', 'resolved'), (given, status) => {
        const asked = askedBy({ labels: given, status, startsAt: STARTS_AT }, 'production');
        const { alertname, environment, api_user } = given;
        const right =
          [status, alertname, environment, api_user].join() ===
          `firing,${ALERT_NAME},production,a@b.co`;
        expect(asked.kind !== 'start' || right).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('an alert starts', () => {
  const closed = (hoursAgo: number, given: Partial<PastRotation> = {}): PastRotation => ({
    open: false,
    closedAt: NOW - hoursAgo * HOUR,
    outcome: 'rotated',
    ...given,
  });
  const why = (...rotations: PastRotation[]): unknown => whyNot(rotations, STARTS_AT, NOW);

  test('a rotation where none is remembered, or the last closed three hours ago', () => {
    expect(why()).toBeUndefined();
    expect(why(closed(3), closed(30))).toBeUndefined();
  });

  test('nothing while one is open', () => {
    expect(why({ open: true }, closed(30))).toEqual({ kind: 'already running' });
  });

  test('nothing for three hours after the last one closed, however it closed', () => {
    expect(why(closed(30), closed(2.99))).toEqual({
      kind: 'ignored',
      why: expect.stringMatching(/179 minutes ago/),
    });
    expect(why({ open: false, closedAt: NOW })).toMatchObject({ kind: 'ignored' });
    expect(why({ open: false, closedAt: NOW + HOUR })).toMatchObject({
      why: expect.stringMatching(/ 0 minutes ago/),
    });
  });

  test.each(['rejected', 'aborted', 'referred', 'ignored'] as const)(
    'nothing where a rotation for this very alert ended as %s, however long ago and whatever came after',
    (outcome) => {
      const answered = closed(200, { outcome, startsAt: STARTS_AT });
      expect(why(closed(50), answered)).toEqual({
        kind: 'ignored',
        why: `a rotation for this very alert ended as ${outcome}`,
      });
      expect(
        why(closed(50), { ...answered, startsAt: '2026-08-01T09:00:00.000Z' }),
      ).toBeUndefined();
    },
  );

  test.each(['rotated', 'old-token-expired', 'nothing-to-do'] as const)(
    'another where the last one for this very alert ended as %s',
    (outcome) => {
      expect(why(closed(4, { outcome, startsAt: STARTS_AT }))).toBeUndefined();
    },
  );

  test('another where the last one for this very alert was terminated', () => {
    expect(why({ open: false, closedAt: NOW - 4 * HOUR, startsAt: STARTS_AT })).toBeUndefined();
  });
});
