import { Agent, request } from 'node:http';
import { parameterize, tokenSecretName } from '../../domain/text/index.ts';
import { specsOf } from '../kubernetes/cluster.ts';
import type { World } from '../world.ts';
import type { Authorisation, ContainerSpec, ContainerState } from '../world-state.ts';

/**
 * Every running pod calls the server applications all the time, with the token each container
 * holds. What is refused is an outage, on record.
 */
export class Traffic {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 16 });
  private timer?: NodeJS.Timeout;
  private readonly servers = new Map<string, string>();
  private known = 0;
  private busy = false;

  constructor(
    private readonly world: World,
    private readonly origin: string,
    private readonly everyMs: number,
  ) {
    for (const user of world.state.apiUsers) this.learn(user.name);
  }

  /**
   * The server application whose tokens a Secret holds; the one that its value is a token of, where
   * its name does not tell.
   */
  private serverOf(secret: string): string {
    const { apiUsers, authorisations, secrets } = this.world.state;
    for (const { name } of apiUsers.slice(this.known)) this.learn(name);
    const named = this.servers.get(secret);
    if (named !== undefined) return named;
    const token = authorisations.find((one) => one.token === tokenIn(secrets[secret] ?? ''));
    return token ? this.applicationOf(token) : '';
  }

  private learn(apiUser: string): void {
    this.known++;
    for (const { name } of this.world.state.applications)
      this.servers.set(tokenSecretName(apiUser, name), parameterize(name));
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
          const spec = specsOf(this.world, pod).find(({ name }) => name === container.name);
          if (!spec || spec.init === 'ends' || container.exited) return [];
          return this.usedBy(spec, container).map(({ application, token }) =>
            this.call(pod.name, container.name, application, token),
          );
        }),
      );
    await Promise.all(calls);
    this.busy = false;
  }

  /**
   * What a container calls with: each value that it read, and each piece of another that is a token
   * of Signon's, as a client would take it out.
   */
  private usedBy(
    { tokens }: ContainerSpec,
    { env }: ContainerState,
  ): { application: string; token: string }[] {
    const read = tokens.map(({ variable, secret }) => ({
      application: this.serverOf(secret),
      token: tokenIn(env[variable] ?? '') ?? env[variable] ?? '',
    }));
    const names = new Set(tokens.map(({ variable }) => variable));
    const others = Object.entries(env).flatMap(([variable, value]) => {
      const token = names.has(variable) ? undefined : tokenIn(value);
      const known = this.world.state.authorisations.find((one) => one.token === token);
      return token && known ? [{ application: this.applicationOf(known), token }] : [];
    });
    return [...read, ...others];
  }

  private applicationOf({ applicationId }: Authorisation): string {
    return parameterize(
      this.world.state.applications.find(({ id }) => id === applicationId)?.name ?? '',
    );
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
              token,
            });
          answer.on('end', resolve);
        },
      );
      sent.on('error', () => resolve());
      sent.end();
    });
  }
}

/** The token in a value, whatever stands around it. */
function tokenIn(value: string): string | undefined {
  return /(?<![\w-])[\w-]{43}(?![\w-])/.exec(value)?.[0];
}
