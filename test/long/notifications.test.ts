import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import type { Notice } from '../../domain/notices/notices.ts';
import { taskQueueOf } from '../../domain/request/request.ts';
import { SlackStandIn } from '../../sandbox/slack/server.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
const slack = new SlackStandIn();
beforeAll(async () => {
  const notices = { collectFor: '100 ms', quietFor: '30 seconds' };
  const dynamicConfig = ['limit.historyCount.suggestContinueAsNew=30'];
  stage = await Stage.set({}, { notices }, {}, { dynamicConfig });
  await stage.worker({ SLACK_WEBHOOK_URL: await slack.listen() });
});
afterAll(async () => {
  await stage.strike();
  await slack.close();
});

test('what Slack does not take outlives a history that is cut: every incident is told in the end, once', async () => {
  const tell = (
    text: string,
    kind: Notice['kind'] = 'incident',
  ): Promise<{ workflowId: string }> => {
    const notice: Notice = {
      kind,
      cause: 'ConfirmFailed',
      environment: 'integration',
      apiUser: 'short-url-manager@alphagov.co.uk',
      application: 'publishing-api',
      text,
    };
    return stage.client.workflow.signalWithStart('notifications', {
      workflowId: 'notifications/integration',
      taskQueue: taskQueueOf('integration'),
      args: [],
      signal: 'notice',
      signalArgs: [notice],
    });
  };
  slack.faults.add({
    path: /^\/services\//,
    when: 'before',
    kind: 'status',
    status: 404,
    times: 1000,
  });
  const collector = await tell('a person is needed', 'needed');
  const handle = stage.client.workflow.getHandle(collector.workflowId);
  const { runId } = await handle.describe();
  const told: string[] = [];
  await until('a history that was cut', async () => {
    const { hits } = slack.faults;
    told.push(`token ${told.length};`);
    await tell(told.at(-1)!);
    await until('the next refusal', () => slack.faults.hits > hits || undefined);
    return (await handle.describe()).runId !== runId || undefined;
  });
  expect(slack.messages).toEqual([]);
  slack.faults.clear();
  told.push('the last;');
  await tell(told.at(-1)!);
  const all = await until('the last of them', () => {
    const messages = slack.messages.join('\n');
    return messages.includes('the last;') ? messages : undefined;
  });
  for (const text of told) expect(all.split(text)).toHaveLength(2);
  const { currentDetails } = await handle.query<{ currentDetails?: string }>(
    '__temporal_workflow_metadata',
  );
  // that a person is needed: in an hour
  expect(currentDetails).toContain('Kept until Slack takes them:** 1 notices');
});
