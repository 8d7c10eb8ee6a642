import {
  CANNOT_BE_SEEN,
  censusSentence,
  type Evidence,
  type TokenToRevoke,
} from '../evidence/index.ts';
import { minute } from '../text/index.ts';
import { describeWithEnd } from '../tokens/index.ts';
import { type Line, lines, type Shown, type ShownTable } from './shown.ts';

/** Things that speak against an approval, named at the top; all of them stand below. */
const NAMED_FIRST = 2;

/** Evidence, as an approver reads it. */
export function showEvidence(evidence: Evidence, environment: string): Omit<Shown, 'offers'> {
  const { asks, newToken, recipient, toRevoke, consumers, oddities, warnings, census, watched } =
    evidence;
  const [first] = toRevoke.map(({ expires }) => expires).toSorted();
  return {
    heading: `▶ ${questionOf(evidence, environment)}`,
    before: [],
    after: [
      ...againstIt(evidence),
      ...lines(
        'Time left',
        first && `until ${first}, when the ${toRevoke.length > 1 ? 'first ' : ''}token expires`,
      ),
      ...lines('Revokes', ...toRevoke.map(describeToRevoke)),
      ...lines('Afterwards', asks === 'revoke' && !newToken && 'nobody has access'),
      ...(evidence.shortfalls.length > 0
        ? [
            {
              label: 'More about it',
              text: 'what was not proven',
              page: 'using.md#what-was-not-proven',
            },
          ]
        : []),
      ...lines('Goes to', recipient && `${recipient.name}, outside the cluster`),
    ],
    ...(consumers.length > 0 && { table: consumerTable(consumers) }),
    details: [
      ...lines('New token', newToken && describeWithEnd(newToken)),
      ...lines('Now', asks === 'hand-over' && 'no token is issued yet, and none is revoked'),
      ...lines('Gathered', `${minute(evidence.gatheredAt)}, round ${evidence.round}`),
      ...lines('Asked', censusSentence(census)),
      ...lines(
        'Watched',
        watched?.since &&
          `every pod of the namespace since ${minute(watched.since)}; none read the Secret`,
      ),
      ...consumers.map(describeEvidenceOf),
      ...toRevoke.flatMap(({ masked, heldBy }) =>
        lines(`Seen with ${masked}, at most 3 named`, heldBy.join(', ')),
      ),
      ...lines('Not proven', ...evidence.shortfalls.map(({ code, what }) => `${code}: ${what}`)),
      ...lines('Warning', ...warnings),
      ...lines('Unexpected', ...oddities),
      ...lines('Not visible', CANNOT_BE_SEEN),
    ],
  };
}

/** What an approval is asked for, one question. */
function questionOf(
  { asks, newToken, toRevoke, recipient }: Evidence,
  environment: string,
): string {
  if (asks === 'hand-over')
    return `Approve: issue a token for ${recipient?.name ?? ''} in ${environment}?`;
  const { length } = toRevoke;
  const count = newToken
    ? `${length} token${length === 1 ? '' : 's'}`
    : length === 1
      ? 'the last token'
      : `the last ${length} tokens`;
  return `Approve: revoke ${count} in ${environment}?`;
}

/** What speaks against an approval; one line that says so where nothing does. */
function againstIt({ shortfalls, warnings, consumers, newToken, toRevoke }: Evidence): Line[] {
  const unknown = newToken ? toRevoke.filter(({ standing }) => standing === 'holder-unknown') : [];
  const all = [
    ...lines(
      'Not proven',
      ...unknown.map(({ masked, authorisationId, heldBy }) =>
        [
          heldBy.length > 0
            ? `${heldBy.join(', ')} still holds ${masked}, or will`
            : `no holder of ${masked} was found`,
          `an approval revokes it only if it names authorisation ${authorisationId}`,
        ].join('; '),
      ),
      ...shortfalls.map(({ code, what }) => `${code}: ${what}`),
    ),
    ...lines('Warning', ...warnings),
  ];
  if (all.length === 0 && newToken && consumers.length > 0) {
    const ended = consumers.filter(({ seenAt }) => seenAt !== undefined).length;
    const held = `${consumers.length - ended} of ${consumers.length} consumers hold the new token`;
    return lines('Proven', ended > 0 ? `${held}; ${ended} held it when last run` : held);
  }
  const more = all.length - NAMED_FIRST;
  return [
    ...all.slice(0, NAMED_FIRST),
    ...(more > 0 ? [{ text: `and ${more} more, listed below` }] : []),
  ];
}

function consumerTable(consumers: Evidence['consumers']): ShownTable {
  const smokes = {
    passed: '✓ passed',
    failed: '✗ failed',
    'no-proof': '✗ no proof',
    'not-tested': '✗ not called',
  };
  return {
    head: ['Consumer', 'New token', 'Smoke call'],
    rows: consumers.map(({ container, workload, running, mute, seenAt, smoke }) => [
      `${container} of ${workload}`,
      seenAt
        ? '✓ last run held it'
        : running > 0
          ? `✓ ${running} pod${running === 1 ? '' : 's'}`
          : mute
            ? '✗ cannot be asked'
            : '✗ no pod',
      smokes[smoke],
    ]),
  };
}

function describeEvidenceOf(consumer: Evidence['consumers'][number]): Line {
  const { container, workload, variable, seenAt, pods, running, mute, detail } = consumer;
  const more = running > pods.length ? ` and ${running - pods.length} more` : '';
  const where =
    pods.length === 0
      ? mute
        ? `${mute.join(', ')}, which cannot be asked`
        : 'no pod'
      : `${pods.join(', ')}${more}${seenAt ? `, which ran until after ${minute(seenAt)}` : ''}`;
  return {
    label: `${container} of ${workload}`,
    text: `${variable} in ${where}. Smoke call: ${detail}`,
  };
}

function describeToRevoke(token: TokenToRevoke): string {
  const known =
    token.standing === 'given-up'
      ? 'no container holds it any longer'
      : `${token.heldBy.length > 0 ? 'STILL HELD' : 'HOLDER UNKNOWN'}, revoked only if named`;
  return `${describeWithEnd(token)}, ${known}`;
}
