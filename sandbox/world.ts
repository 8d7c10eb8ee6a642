import { EventEmitter } from 'node:events';
import { randomBytes, randomUUID } from 'node:crypto';
import { tokenSecretName, parameterize } from '../domain/text/index.ts';
import type { Authorisation, WorldState } from './world-state.ts';

/**
 * What really happened, as the stand-ins saw it: tests and the chaos campaign are judged by this.
 */
export interface Happened {
  created: { id: number; at: number }[];
  revoked: { id: number; at: number }[];
  /** Calls of running pods that a server application refused: outages. */
  outages: {
    pod: string;
    container: string;
    application: string;
    status: number;
    at: number;
    /** What the container called with. */
    token: string;
  }[];
  trafficCalls: number;
  /** A password, or a code and which accepted password it followed. */
  refusedSignIns: { at: number; what: 'password' | 'code'; signIn?: number }[];
  signIns: number;
  jobs: { name: string; at: number }[];
  /** Requests that each stand-in took. */
  requests: { signon: number; argo: number; kubernetes: number };
  /** Those of Kubernetes that were execs. */
  execs: number;
}

/**
 * The state of all stand-ins and the rules that they share: which token is live, what the sync
 * writes.
 */
export class World {
  readonly happened: Happened = {
    created: [],
    revoked: [],
    outages: [],
    trafficCalls: 0,
    refusedSignIns: [],
    signIns: 0,
    jobs: [],
    requests: { signon: 0, argo: 0, kubernetes: 0 },
    execs: 0,
  };
  /** `changed`; and `issued` and `revoked`, with the authorisation, in the moment it happens. */
  readonly events = new EventEmitter();
  /** Set by tests: the next syncs do nothing, or fail. */
  readonly sync = { fails: 0, writesNothing: 0, extraLog: [] as string[] };
  /** Workloads that Reloader overlooks. */
  readonly overlooked = new Set<string>();
  /** Workloads whose new pods find no node, or whose containers end as soon as they start. */
  readonly unschedulable = new Set<string>();
  readonly crashing = new Set<string>();
  readonly withoutImage = new Set<string>();
  /** Server applications that let any token in. */
  readonly open = new Set<string>();
  version = 1;

  constructor(readonly state: WorldState) {
    this.events.setMaxListeners(0);
  }

  now(): number {
    return Date.now() + this.state.clockOffsetMs;
  }

  /** Tells watchers and keepers that something changed. */
  changed(): void {
    this.version++;
    this.events.emit('changed');
  }

  issue(apiUserId: number, applicationId: number, life = 63_113_904_000): Authorisation {
    const authorisation = {
      id: this.state.nextId++,
      apiUserId,
      applicationId,
      token: makeToken(),
      createdAt: this.now(),
      expiresAt: this.now() + life,
    };
    this.state.authorisations.push(authorisation);
    this.happened.created.push({ id: authorisation.id, at: this.now() });
    this.events.emit('issued', authorisation);
    this.changed();
    return authorisation;
  }

  revoke(id: number): void {
    const found = this.state.authorisations.find((authorisation) => authorisation.id === id);
    if (!found || found.revokedAt !== undefined) return;
    found.revokedAt = this.now();
    this.happened.revoked.push({ id, at: this.now() });
    this.events.emit('revoked', found);
    this.changed();
  }

  /** Suspending an API user revokes its tokens; lifting that restores none. */
  suspend(apiUserId: number): void {
    this.state.apiUsers.find(({ id }) => id === apiUserId)!.suspended = true;
    for (const { id } of this.state.authorisations.filter((token) => token.apiUserId === apiUserId))
      this.revoke(id);
    this.changed();
  }

  /** What happens weekly: expired tokens are deleted, and their ids answer 404 from then on. */
  deleteExpired(): void {
    this.state.authorisations = this.state.authorisations.filter(
      ({ expiresAt }) => expiresAt > this.now(),
    );
    this.changed();
  }

  /** Whether a server application lets a token in. */
  letsIn(application: string, token: string): boolean {
    if (this.open.has(application)) return true;
    return this.state.authorisations.some((authorisation) => {
      const owner = this.state.apiUsers.find(({ id }) => id === authorisation.apiUserId);
      const server = this.state.applications.find(({ id }) => id === authorisation.applicationId);
      return (
        authorisation.token === token &&
        authorisation.revokedAt === undefined &&
        authorisation.expiresAt > this.now() &&
        owner?.suspended === false &&
        server !== undefined &&
        parameterize(server.name) === application
      );
    });
  }

  /** What the sync CronJob does, all at once. Returns the names written anew. */
  syncSecrets(): string[] {
    return this.write(this.secretsNow());
  }

  /** What a sync reads from Signon: the latest-expiring token of each pair, by its Secret. */
  secretsNow(): Record<string, string> {
    const read: Record<string, string> = {};
    for (const user of this.state.apiUsers.filter(({ suspended }) => !suspended))
      for (const application of this.state.applications.filter(({ retired }) => !retired)) {
        const tokens = this.state.authorisations.filter(
          (authorisation) =>
            authorisation.apiUserId === user.id &&
            authorisation.applicationId === application.id &&
            authorisation.revokedAt === undefined,
        );
        const latest = tokens.reduce<Authorisation | undefined>(
          (best, token) => (best && best.expiresAt > token.expiresAt ? best : token),
          undefined,
        );
        if (latest) read[tokenSecretName(user.name, application.name)] = latest.token;
      }
    return read;
  }

  /** Writes what a sync read. Returns the names written anew. */
  write(read: Record<string, string>): string[] {
    const written = Object.keys(read).filter((name) => this.state.secrets[name] !== read[name]);
    Object.assign(this.state.secrets, read);
    if (written.length > 0) this.changed();
    return written;
  }

  /**
   * What happens at 01:00: successors for internal tokens with under a month left, revoked and
   * ended ones included. Never revokes.
   */
  renewNightly(): void {
    const month = 30 * 86_400_000;
    for (const user of this.state.apiUsers.filter(({ email }) =>
      /@(alphagov\.co\.uk|publishing\.service\.gov\.uk)$/.test(email),
    ))
      for (const application of this.state.applications) {
        const all = this.state.authorisations.filter(
          (authorisation) =>
            authorisation.apiUserId === user.id && authorisation.applicationId === application.id,
        );
        const latest = Math.max(...all.map(({ expiresAt }) => expiresAt));
        if (all.length > 0 && latest - this.now() < month) this.issue(user.id, application.id);
      }
  }
}

export function makeToken(): string {
  return randomBytes(32).toString('base64url');
}

export function makeUid(): string {
  return randomUUID();
}
