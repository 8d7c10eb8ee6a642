import { Agent, request } from 'node:http';
import { parameterize, tokenSecretName } from '../../domain/parameterize.ts';
import type { World } from '../world.ts';

/** Every running pod calls the server applications all the time, with the token each container holds. What is refused is an outage, on record. */
export class Traffic {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 16 });
  private timer?: NodeJS.Timeout;
  private readonly servers = new Map<string, string>();
  private busy = false;

  constructor(
    private readonly world: World,
    private readonly origin: string,
    private readonly everyMs: number,
  ) {
    for (const user of world.state.apiUsers)
      for (const application of world.state.applications)
        this.servers.set(tokenSecretName(user.name, application.name), parameterize(application.name));
  }

  start(): void {
    this.timer = setInterval(() => void this.round(), this.everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.agent.destroy();
  }

  /** One call of every container that holds a token. */
  async round(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const calls = this.world.state.pods
      .filter(({ running }) => running)
      .flatMap((pod) =>
        pod.containers.flatMap((container) => {
          const spec = this.world.state.workloads
            .find(({ name }) => name === pod.workload)
            ?.containers.find(({ name }) => name === container.name);
          if (spec?.init === 'ends') return [];
          return (spec?.tokens ?? []).map(({ variable, secret }) =>
            this.call(pod.name, container.name, this.servers.get(secret) ?? '', container.env[variable] ?? ''),
          );
        }),
      );
    await Promise.all(calls);
    this.busy = false;
  }

  private call(pod: string, container: string, application: string, token: string): Promise<void> {
    return new Promise((resolve) => {
      const sent = request(
        `${this.origin}/${application}/call`,
        { agent: this.agent, headers: { Authorization: `Bearer ${token}` } },
        (answer) => {
          answer.resume();
          this.world.happened.trafficCalls++;
          const stillRuns = this.world.state.pods.some(({ name }) => name === pod);
          if (answer.statusCode !== 200 && stillRuns)
            this.world.happened.outages.push({
              pod,
              container,
              application,
              status: answer.statusCode ?? 0,
              at: this.world.now(),
            });
          answer.on('end', resolve);
        },
      );
      sent.on('error', () => resolve());
      sent.end();
    });
  }
}
