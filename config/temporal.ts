import { loadClientConnectConfig } from '@temporalio/envconfig';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { BadConfiguration, isHeader, readVariables, text } from './variables.ts';

/** What all clients, workers and bundles decode payloads with: no message and no memo stops them. */
export const DATA_CONVERTER = {
  payloadConverterPath: fileURLToPath(new URL('./payload-converter.cjs', import.meta.url)),
};

type Connecting = ReturnType<typeof loadClientConnectConfig>;

const IN_A_HEADER = 'expected letters, digits and signs of ASCII alone';
const schema = z.object({ TEMPORAL_API_KEY: text.refine(isHeader, IN_A_HEADER).optional() });

/**
 * Reads where Temporal is, from the `TEMPORAL_…` variables and the file that `TEMPORAL_CONFIG_FILE`
 * names, as Temporal's own clients do. Its API key may come as `TEMPORAL_API_KEY_FILE`.
 * @throws BadConfiguration
 */
export function readTemporal(env: NodeJS.ProcessEnv): Connecting {
  const { value, problems } = readVariables(env, schema, ['TEMPORAL_API_KEY']);
  if (problems.length > 0) throw new BadConfiguration('connection', problems);
  const read = load({ ...env, ...value });
  const { address, apiKey, metadata = {} } = read.connectionOptions;
  if (address?.includes('@'))
    problems.push('TEMPORAL_ADDRESS: expected host:port, without user and password');
  if (typeof apiKey === 'string' && !isHeader(apiKey))
    problems.push(`TEMPORAL_API_KEY: ${IN_A_HEADER}`);
  if (!Object.values(metadata).every((header) => isHeader(String(header))))
    problems.push(`TEMPORAL_GRPC_META_…: ${IN_A_HEADER}`);
  if (problems.length > 0) throw new BadConfiguration('connection', problems);
  return read;
}

/**
 * A parser's own words quote the lines around a mistake, and `api_key` with them: none is passed
 * on.
 */
function load(env: NodeJS.ProcessEnv): Connecting {
  const overrideEnvVars = env as Record<string, string>; // as it is when it reads process.env
  const attempt = (disableFile: boolean): Connecting | undefined => {
    try {
      return loadClientConnectConfig({ overrideEnvVars, disableFile });
    } catch {
      return undefined;
    }
  };
  const read = attempt(false);
  if (read) return read;
  throw new BadConfiguration('connection', [
    attempt(true)
      ? 'TEMPORAL_CONFIG_FILE: Temporal’s configuration file cannot be read, or lacks the profile that TEMPORAL_PROFILE names. Correct the file, or name none and set TEMPORAL_ADDRESS'
      : 'TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH, TEMPORAL_TLS_SERVER_CA_CERT_PATH: one of these files cannot be read',
  ]);
}
