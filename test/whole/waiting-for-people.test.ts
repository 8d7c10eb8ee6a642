import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { readFileSync } from 'node:fs';
import { rotationId } from '../../domain/request/request.ts';
import { SlackStandIn } from '../../sandbox/slack/server.ts';
import { readConfiguration } from '../../config/configuration.ts';
import { runWorker, type RunningWorker } from '../../worker/run-worker.ts';
import { BUNDLE } from '../support/bundle.ts';
import { REQUEST } from '../support/request.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

const USING = readFileSync(new URL('../../docs/using.md', import.meta.url), 'utf8');
const STRANGERS = ['nobody@alphagov.co.uk', 'no-one@alphagov.co.uk', 'somebody@alphagov.co.uk'];

/** The query of one of the saved views of docs/using.md. */
function viewOf(name: string): string {
  const query = new RegExp(`^\\| ${name} +\\| \`(.*)\``, 'm').exec(USING)?.[1];
  if (!query) throw new Error(`docs/using.md shows no view “${name}”`);
  return query;
}

let stage: Stage;
let slack: SlackStandIn;
let worker: RunningWorker;
beforeAll(async () => {
  slack = new SlackStandIn();
  stage = await Stage.set({}, { notices: { collectFor: '1 second', quietFor: '2 seconds' } });
  const webhook = await slack.listen();
  const env = stage.env({
    SLACK_WEBHOOK_URL: webhook,
    TEMPORAL_UI_URL: 'https://temporal.example.org',
  });
  worker = await runWorker(readConfiguration(env), env, BUNDLE);
});
afterAll(async () => {
  await worker.stop();
  await stage.strike();
  await slack.close();
});

const listed = async (query: string): Promise<string[]> => {
  const ids = [];
  for await (const { workflowId } of stage.client.workflow.list({ query })) ids.push(workflowId);
  return ids.toSorted();
};
const becomes = (query: string, ids: string[]): Promise<unknown> =>
  until(`${query} to list ${ids.join(', ')}`, async () => {
    const found = await listed(query);
    return JSON.stringify(found) === JSON.stringify(ids.toSorted()) || undefined;
  });
const idOf = (apiUser: string): string => rotationId({ ...REQUEST, apiUser });

test('one filter lists all that waits for a person, and one message tells of all that one cause blocks', async () => {
  const waits = viewOf('waits for a person');
  const asking = await stage.rotation();
  const strangers = await Promise.all(STRANGERS.map((apiUser) => stage.rotation({ apiUser })));
  await becomes(waits, [asking.handle.workflowId, ...STRANGERS.map(idOf)]);
  await becomes(viewOf('waits in production'), []);
  await becomes(viewOf('one API user'), [idOf(REQUEST.apiUser)]);

  await until('the messages', () => slack.messages.length === 2 || undefined);
  const [blocked] = slack.messages.filter((message) => message.includes('Unblock'));
  const [approval] = slack.messages.filter((message) => message.includes('Approve'));
  expect(blocked).toMatch(
    /^\*\[integration\] Unblock 3 rotations: UnknownApiUser\*\nCheck the e-mail/,
  );
  for (const apiUser of STRANGERS)
    expect(blocked).toContain(`|${apiUser} → publishing-api>: in “assess”`);
  expect(approval).toMatch(/^\*\[integration\] Approve or reject a rotation by \d{4}-\d\d-\d\d\*/);
  const { runId } = await asking.handle.describe();
  expect(approval).toContain(
    `<https://temporal.example.org/namespaces/${stage.namespace}/workflows/${encodeURIComponent(asking.handle.workflowId)}/${runId}/user-metadata|`,
  );

  for (const { handle } of strangers)
    await handle.signal<[unknown]>('abort', { by: 'grace@example.org', reason: 'a test' });
  await becomes(waits, [asking.handle.workflowId]);
  await becomes(viewOf('ended, perhaps without revoke'), STRANGERS.map(idOf));
  await until(
    'the end to be told',
    () => slack.messages.some((text) => text.includes('ended as aborted')) || undefined,
  );
});

test('a webhook that is down holds no rotation up', async () => {
  slack.faults.add({ path: /./, when: 'before', kind: 'status', status: 500, times: 1000 });
  const rotation = await stage.rotation();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
});
