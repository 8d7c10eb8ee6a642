import type { Environment } from '../domain/request/index.ts';
import { isHostOf } from '../domain/settings/index.ts';
import { BadConfiguration } from '../config/variables.ts';
import {
  hostsOf,
  readConfiguration,
  WORKER_VARIABLES,
  type Configuration,
} from '../config/configuration.ts';
import { notChecked, well, wrong, type Finding } from './finding.ts';

const CHECK = 'configuration';
/** What no worker starts without. */
const NEEDED = Object.entries(WORKER_VARIABLES.omit({ ROTATION_ENVIRONMENT: true }).shape)
  .filter(([, variable]) => !variable.safeParse(undefined).success)
  .map(([name]) => name);

/**
 * Reads what a worker would run with.
 * @returns nothing beside the finding where no worker would start
 */
export function examineConfiguration(
  env: NodeJS.ProcessEnv,
  environment: Environment,
): { finding: Finding; configuration?: Configuration } {
  if (!NEEDED.some((name) => env[name] ?? env[`${name}_FILE`]))
    return {
      finding: notChecked(
        CHECK,
        'no variable of a worker is set here: Temporal alone is checked',
        'Run doctor where the worker runs, or with its variables.',
      ),
    };
  const meant = env.ROTATION_ENVIRONMENT ?? environment;
  if (meant !== environment)
    return {
      finding: wrong(
        CHECK,
        `the variables here are of ${meant}`,
        `Run: npx signon-rotation-doctor --environment ${meant}`,
      ),
    };
  try {
    const configuration = readConfiguration({ ...env, ROTATION_ENVIRONMENT: environment });
    return { finding: well(CHECK, 'variables and settings are in order'), configuration };
  } catch (error) {
    if (!(error instanceof BadConfiguration)) throw error;
    return {
      finding: wrong(
        CHECK,
        error.problems.join('; '),
        'Correct what is named; docs/configuration.md has the list.',
      ),
    };
  }
}

/** Whether hosts are those of the environment, as the settings know them. */
export function examineHosts(configuration: Configuration): Finding {
  const { ROTATION_ENVIRONMENT: environment, settings } = configuration;
  const hosts = hostsOf(configuration);
  const pattern = settings.hosts[environment];
  const others = Object.entries(hosts).filter(([, host]) => !isHostOf(pattern, host));
  if (others.length === 0)
    return well('hosts', `of ${environment}: ${[...new Set(Object.values(hosts))].join(', ')}`);
  return wrong(
    'hosts',
    `${others.map(([name, host]) => `${name} is ${host}`).join('; ')}; ${environment}’s pattern is ${pattern}`,
    'Correct the addresses, or `hosts` in the settings, before a worker starts.',
  );
}
