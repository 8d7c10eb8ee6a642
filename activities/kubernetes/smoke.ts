import { describeContainer, type ConsumingContainer } from '../../domain/cluster/index.ts';
import type { SmokeResult } from '../../domain/evidence/index.ts';
import type { SmokeCall } from '../../domain/settings/index.ts';
import { failure } from '../failure.ts';
import type { KubernetesClient } from './client.ts';
import { fateOf } from './fate.ts';
import { smokeWithRuby, textOf } from './scripts.ts';

/**
 * Makes a smoke call in a container: with its own variable, then with a made-up token, which must
 * be refused.
 * @throws ExecIncomplete where it gave no result (retried); ContainerEnded where the program killed
 * the container (not retried)
 */
export async function smoke(
  cluster: KubernetesClient,
  container: ConsumingContainer,
  application: string,
  call: SmokeCall | undefined,
): Promise<SmokeResult> {
  const result = (verdict: SmokeResult['verdict'], detail: string): SmokeResult => ({
    workload: container.workload,
    container: container.container,
    variable: container.variable,
    pod: container.pod,
    verdict,
    detail,
  });
  const where = describeContainer(container);
  if (!call) return result('not-tested', `no smoke call is known for ${application}`);
  const answer = await cluster.exec(
    container,
    smokeWithRuby(textOf(call), application, container.variable),
  );
  if (answer.kind === 'no-such-program')
    return result('not-tested', 'the container has no Ruby to call from');
  if (answer.kind === 'timed-out')
    throw failure('ExecIncomplete', `${where} did not end its smoke call in time`);
  const fate =
    answer.kind === 'exited' && answer.code === 137 ? await fateOf(cluster, container) : 'runs';
  if (fate === 'died')
    throw failure(
      'ContainerEnded',
      `${where} was killed (137) during its smoke call, which loads Ruby and its gems`,
    );
  if (answer.kind === 'gone' || fate === 'gone')
    throw failure('ExecIncomplete', `${where} ended during its smoke call`);
  if (answer.kind === 'exited')
    return result(
      'not-tested',
      `${call.method} could not be made: the program ended with ${answer.code} before the call`,
    );
  const unavailable = /^own unavailable ([A-Za-z0-9_:]{1,80})$/.exec(answer.lines[0] ?? '')?.[1];
  if (unavailable === 'MoreThanToken')
    return result('not-tested', `${container.variable} holds more than the token alone`);
  if (unavailable === 'LoadError')
    return result('not-tested', `the container has no ${call.requires} to call with`);
  if (unavailable)
    return result('not-tested', `${call.method} could not be made: ${unavailable} before the call`);
  const [own, madeUp] = ['own', 'made-up'].map(
    (who, line) => new RegExp(`^${who} ([A-Za-z0-9_:]{1,80})$`).exec(answer.lines[line] ?? '')?.[1],
  );
  if (!own || !madeUp) throw failure('ExecIncomplete', `${where} gave no result of its smoke call`);
  if (!PASSED.has(own)) return result('failed', `${call.method} failed with the new token: ${own}`);
  const works = `${call.method} works with the new token (${own})`;
  return REFUSED.has(madeUp)
    ? result('passed', `${works} and refuses a made-up one (${madeUp})`)
    : result(
        'no-proof',
        `${works}, but with a made-up one too (${madeUp}), so the call proves nothing`,
      );
}

const PASSED = new Set(['returned', 'GdsApi::HTTPNotFound']);
const REFUSED = new Set(['GdsApi::HTTPUnauthorized', 'GdsApi::HTTPForbidden']);
