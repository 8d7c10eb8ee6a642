import { afterEach, beforeAll, beforeEach, test } from '../support/jest.ts';
import ms from 'ms';
import { SignonSession } from '../../activities/signon/session.ts';
import { IMMEDIATE, type SandboxOptions } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import { createClients, type Clients } from '../../worker/clients.ts';
import { readConfiguration, type Configuration } from '../../config/configuration.ts';
import { oneRefusalAnHour } from './sign-in-guard.ts';

/**
 * Set by `jest.contract.config.js` alone, so that no variable makes `npm test` speak to a live
 * system.
 */
const live = (globalThis as { contractLive?: boolean }).contractLive === true;
const { CONTRACT_WRITES, CONTRACT_API_USER, CONTRACT_APPLICATION } = live ? process.env : {};
const mayWrite =
  !live || (CONTRACT_WRITES === '1' && Boolean(CONTRACT_API_USER) && Boolean(CONTRACT_APPLICATION));

/** Changes nothing anywhere. */
export const readOnlyTest = test;
/**
 * Issues, revokes or syncs. Against live systems only with `CONTRACT_WRITES=1`, `CONTRACT_API_USER`
 * and `CONTRACT_APPLICATION`: name an API user made for this, for Signon's renewal gives up on a
 * pair whose latest token was revoked.
 */
export const writingTest = mayWrite ? test : test.skip;
/**
 * Needs what only a stand-in allows: faults, the clock, wrong passwords, a look behind the scenes.
 */
export const standInTest = live ? test.skip : test;

export interface Systems extends Clients {
  configuration: Configuration;
  /** The pair that writing tests write to, and others read. */
  pair: { apiUser: string; application: string };
  signon: SignonSession;
  /** In a `standInTest` only. */
  sandbox: Sandbox;
}

/**
 * The systems under test: fresh stand-ins for each test, or the live ones, signed in to once a
 * file.
 */
export function useSystems(
  options: SandboxOptions = IMMEDIATE,
  only = ['short-url-manager'],
): Systems {
  const systems = {} as Systems;
  if (live) {
    beforeAll(() => void Object.assign(systems, connect(readConfiguration(process.env))));
    return systems;
  }
  beforeEach(async () => {
    const sandbox = await Sandbox.start(seedWorld({ only }), options);
    Object.assign(
      systems,
      { sandbox },
      connect(readConfiguration(sandbox.workerEnv()), () => sandbox.world.now()),
    );
  });
  afterEach(() => systems.sandbox.stop());
  return systems;
}

function connect(configuration: Configuration, now = Date.now): Omit<Systems, 'sandbox'> {
  const { argo, kubernetes, kubeConfig } = createClients(configuration);
  return {
    configuration,
    pair: {
      apiUser: CONTRACT_API_USER ?? 'short-url-manager@alphagov.co.uk',
      application: CONTRACT_APPLICATION ?? 'publishing-api',
    },
    signon: newSession(configuration, now),
    argo,
    kubeConfig,
    kubernetes,
  };
}

/** A session of its own with Signon, not signed in yet. */
export function newSession(configuration: Configuration, now = Date.now): SignonSession {
  return new SignonSession(
    configuration,
    live ? oneRefusalAnHour : { reserve: () => Promise.resolve(() => Promise.resolve()) },
    now,
  );
}

/** Moves the stand-ins' clock. */
export function pass(sandbox: Sandbox, time: ms.StringValue): void {
  sandbox.world.state.clockOffsetMs += ms(time);
}
