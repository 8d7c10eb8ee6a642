// eslint-disable-next-line import/no-unassigned-import -- what is recorded must be this code
import '../support/prepare.ts';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { SlackStandIn } from '../../sandbox/slack/server.ts';
import { Stage } from '../support/stage.ts';
import { SCENES, sceneSettings } from './scenes.ts';

/**
 * Records the histories that `test/replay.test.ts` replays: run it when a change of the workflows
 * is meant to end what ran before. Arguments: names of scenes, all where none.
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = new URL('./', import.meta.url);
const wanted = process.argv.slice(2);

if (wanted.length === 0)
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json')))
    rmSync(new URL(file, FOLDER));
for (const [name, play] of Object.entries(SCENES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const stage = await Stage.set(
    { jobMs: 50, podStartMs: 20, terminationMs: 50, reloaderMs: 10 },
    await sceneSettings(),
  );
  const slack = new SlackStandIn();
  await stage.worker({ SLACK_WEBHOOK_URL: await slack.listen() });
  const { workflowId } = await play(stage);
  const json = historyToJSON(await stage.client.workflow.getHandle(workflowId).fetchHistory());
  const clean = json.replaceAll(ROOT, '').replaceAll(`@${hostname()}`, '@worker');
  const history: unknown = JSON.parse(clean);
  writeFileSync(new URL(`./${name}.json`, FOLDER), `${JSON.stringify({ workflowId, history })}\n`);
  console.log(`${name}: ${(history as { events: unknown[] }).events.length} events`);
  await stage.strike();
  await slack.close();
}
process.exit(0);
