import type { Faults, Failing } from '../../sandbox/faults.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { SlackStandIn } from '../../sandbox/slack/server.ts';
import type { Fate, Happening, Moment, Route } from './fate.ts';

/** Which kind of request one is; undefined where no fate is bound to it. */
const SIGNON: [Route, RegExp][] = [
  ['sign-in', /^POST \/users\/sign_in$/],
  ['second step', /^\w+ \/users\/two_step/],
  ['users', /^GET \/api_users$/],
  ['user', /^GET \/api_users\/\d+\/edit$/],
  ['tokens', /\/manage_tokens$/],
  ['new form', /\/authorisations\/new$/],
  ['create', /^POST .*\/authorisations$/],
  ['revoke form', /\/authorisations\/\d+\/edit$/],
  ['revoke', /\/revoke$/],
];
const ARGO: [Route, RegExp][] = [
  ['tree', /\/resource-tree$/],
  ['create-job', /\/resource\/actions/],
  ['log', /\/logs$/],
  ['application', /\/applications\/signon$/],
];
const KUBERNETES: [Route, RegExp][] = [
  ['pods', /\/pods$/],
  ['lists', /^GET /],
];

/** Counts requests by their kind, and brings about what the fate has for each. */
export class Moments {
  private readonly counts = new Map<string, number>();
  /** What was struck and what happened, in order. */
  readonly met: string[] = [];

  constructor(
    private readonly fate: Fate,
    private readonly happen: (what: Happening) => void,
  ) {}

  /** Binds the fate to a sandbox's stand-ins. */
  bind({ signon, argo, kubernetes }: Sandbox, slack: SlackStandIn): void {
    const by =
      (routes: [Route, RegExp][]): Faults['byChance'] =>
      ({ method, path }, when) => {
        const [route] = routes.find(([, like]) => like.test(`${method} ${path}`)) ?? [];
        return route && this.reach(route, when);
      };
    signon.faults.byChance = by(SIGNON);
    argo.faults.byChance = by(ARGO);
    kubernetes.faults.byChance = by(KUBERNETES);
    slack.faults.byChance = by([['slack', /./]]);
    kubernetes.exec.byChance = () => {
      const failing = this.reach('exec', 'before');
      const nth = this.counts.get('exec before');
      const fault = this.fate.execs.find((one) => one.nth === nth)?.fault;
      if (fault) this.met.push(`exec ${nth}: ${fault}`);
      return fault ?? (failing && 'node-down');
    };
  }

  /** Whether a person has done something by now. */
  get hasAnybodyActed(): boolean {
    return this.counts.has('person after');
  }

  /** The next moment of a kind is here. @returns how the request is to fail */
  reach(route: Route, when: Moment['when']): Failing | undefined {
    const key = `${route} ${when}`;
    const nth = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, nth);
    const isNow = (moment: Moment): boolean =>
      moment.route === route && moment.nth === nth && moment.when === when;
    for (const { what } of this.fate.happenings.filter(isNow)) {
      this.met.push(`${when} ${route} ${nth}: ${what.kind}`);
      this.happen(what);
    }
    const failing = this.fate.strikes.find(isNow)?.failing;
    if (failing)
      this.met.push(
        `${when} ${route} ${nth}: ${failing.kind}${failing.status ? ` ${failing.status}` : ''}`,
      );
    return failing;
  }
}
