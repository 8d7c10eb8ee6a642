import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { BadConfiguration, readVariables, text } from './variables.ts';

const schema = z.object({ TEMPORAL_API_KEY: text.optional() });

/** Where Temporal is, as its own clients read the `TEMPORAL_…` variables; its API key may come as `TEMPORAL_API_KEY_FILE`. @throws BadConfiguration */
export function readTemporal(env: NodeJS.ProcessEnv): ReturnType<typeof loadClientConnectConfig> {
  const { value, problems } = readVariables(env, schema, ['TEMPORAL_API_KEY']);
  if (problems.length > 0) throw new BadConfiguration('connection', problems);
  return loadClientConnectConfig({ overrideEnvVars: { ...env, ...value } });
}
