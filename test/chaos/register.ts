import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Authorisation } from '../../sandbox/world-state.ts';

/** A token that was made or ended, in the moment it happened. */
export interface Entry {
  id: number;
  apiUserId: number;
  applicationId: number;
  /** Ms since the epoch, by this process's clock. */
  at: number;
  /** By the campaign itself, as an engineer or Signon's own renewal. */
  byHand: boolean;
  /** Running containers that held it then. */
  heldBy: string[];
}

/** What really happened in a run, kept by the stand-ins' own eyes: a run is judged by this. */
export class Register {
  readonly issued: Entry[] = [];
  readonly revoked: Entry[] = [];
  /**
   * Tokens whose value was replaced under their id: whoever holds the old value is refused from
   * then on.
   */
  readonly copiedOver = new Set<number>();
  /** Every value that ever was a token, by its authorisation. */
  readonly values: Pick<Authorisation, 'id' | 'token' | 'expiresAt'>[] = [];
  readonly cookies = new Set<string>();
  private byHand = false;

  constructor(private readonly sandbox: Sandbox) {
    const { world, signon } = sandbox;
    this.values.push(...world.state.authorisations.map(valueOf));
    world.events.on('issued', (authorisation: Authorisation) => {
      this.values.push(valueOf(authorisation));
      this.issued.push(this.entry(authorisation));
    });
    world.events.on('revoked', (authorisation: Authorisation) =>
      this.revoked.push(this.entry(authorisation)),
    );
    signon.onSetCookie = (cookie) => this.cookies.add(cookie);
  }

  /** Does something as anybody but the worker. */
  hand(act: () => void): void {
    this.byHand = true;
    try {
      act();
    } finally {
      this.byHand = false;
    }
  }

  /** Gives a token another value under the same id. */
  copyOver(authorisation: Authorisation, token: string): void {
    this.copiedOver.add(authorisation.id);
    authorisation.token = token;
    this.values.push(valueOf(authorisation));
    this.sandbox.world.changed();
  }

  private entry({ id, apiUserId, applicationId, token }: Authorisation): Entry {
    const heldBy = this.sandbox.world.state.pods
      .filter(({ running }) => running)
      .flatMap((pod) =>
        pod.containers
          .filter(
            ({ env, exited }) =>
              !exited && Object.values(env).some((value) => value.includes(token)),
          )
          .map(({ name }) => `${name} of ${pod.name}`),
      );
    return { id, apiUserId, applicationId, at: Date.now(), byHand: this.byHand, heldBy };
  }
}

function valueOf({ id, token, expiresAt }: Authorisation): Register['values'][number] {
  return { id, token, expiresAt };
}
