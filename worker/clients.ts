import { KubeConfig } from '@kubernetes/client-node';
import ms from 'ms';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ArgoClient } from '../activities/argo/client.ts';
import { KubernetesClient } from '../activities/kubernetes/client.ts';
import { readConfiguration, type Configuration } from '../config/configuration.ts';
import { BadConfiguration, isWithoutCredentials } from '../config/variables.ts';

/** What speaks to one environment's outside systems. */
export type Clients = ReturnType<typeof createClients>;

/**
 * Wires configuration into clients. Connects to nothing yet.
 * @param env where a credential that was refused is read again: it may have been renewed in its
 * file
 * @throws BadConfiguration where the kubeconfig is none
 */
export function createClients(configuration: Configuration, env?: NodeJS.ProcessEnv) {
  const { KUBERNETES_NAMESPACE: namespace } = configuration;
  const limitMs = ms(configuration.settings.answerLimit);
  const kubeConfig = readKubeConfig(configuration.KUBECONFIG);
  return {
    argo: new ArgoClient(configuration, env && (() => readConfiguration(env).ARGOCD_TOKEN)),
    kubeConfig,
    kubernetes: new KubernetesClient(kubeConfig, namespace, limitMs, () =>
      readKubeConfig(configuration.KUBECONFIG),
    ),
  };
}

/**
 * From files, merged as kubectl does, or from the cluster that this runs in. What a parser says of
 * a file quotes it, so it is not passed on.
 */
function readKubeConfig(paths: string | undefined): KubeConfig {
  try {
    const config = new KubeConfig();
    if (paths === undefined) {
      // Never `~/.kube/config`: it may be of another environment.
      if (!process.env.KUBERNETES_SERVICE_HOST)
        throw new BadConfiguration('worker', ['KUBECONFIG: set it; this is no pod of a cluster']);
      config.loadFromCluster();
    } else {
      const [first = '', ...others] = paths.split(delimiter);
      config.loadFromFile(first);
      for (const path of others) {
        const other = new KubeConfig();
        other.loadFromFile(path);
        config.mergeConfig(other);
      }
    }
    refuseWithoutServer(config);
    return withTokenFiles(config, paths?.split(delimiter) ?? []);
  } catch (error) {
    if (error instanceof BadConfiguration) throw error;
    throw new BadConfiguration('worker', ['KUBECONFIG: cannot be read as a kubeconfig']);
  }
}

/**
 * Has users' `tokenFile` read for each request, as kubectl does: the client knows no such field,
 * and would send no token.
 */
function withTokenFiles(config: KubeConfig, paths: readonly string[]): KubeConfig {
  const files = new Map<string, string>();
  for (const path of paths.toReversed()) {
    const parsed = kubeconfigUsers.safeParse(parse(readFileSync(path, 'utf8')));
    for (const { name, user } of parsed.data?.users ?? [])
      // Of two files the first counts.
      if (user?.tokenFile) files.set(name, resolve(dirname(path), user.tokenFile));
  }
  config.users = config.users.map((user) => {
    const path = files.get(user.name);
    return path === undefined
      ? user
      : { ...user, token: undefined, authProvider: { name: TOKEN_FILE, config: { path } } };
  });
  config.addAuthenticator({
    isAuthProvider: ({ authProvider }) => authProvider?.name === TOKEN_FILE,
    applyAuthentication: async ({ authProvider }, options) => {
      const { path } = authProvider.config as { path: string };
      const token = (await readFile(path, 'utf8')).trim();
      Object.assign((options.headers ??= {}), { Authorization: `Bearer ${token}` });
    },
  });
  return config;
}

/** How requests to Kubernetes prove who asks, one sentence without any value. */
export function credentialOf(config: KubeConfig): string {
  const user = config.getCurrentUser();
  const { authProvider, exec, token, certFile, certData } = user ?? {};
  if (authProvider?.name === TOKEN_FILE) return 'a token file that is read for each request';
  if (authProvider?.config?.tokenFile)
    return 'the service account’s token file, which is read again every minute';
  if (exec) return 'a token of the kubeconfig’s plugin, asked for again when it ends or is refused';
  if (token) return 'a token in the kubeconfig, which is read again where it is refused';
  if (certFile ?? certData) return 'a client certificate';
  return 'none: the cluster sees nobody';
}

const TOKEN_FILE = 'token-file';
const kubeconfigUsers = z.object({
  users: z.array(
    z.object({ name: z.string(), user: z.object({ tokenFile: z.string().optional() }).nullish() }),
  ),
});

/** Throws without a server: the client would ask this machine instead and get no answer. */
function refuseWithoutServer(config: KubeConfig): void {
  const context = config.getContextObject(config.getCurrentContext());
  const server = config.getCurrentCluster()?.server;
  const missing = !context
    ? 'current-context names no context of it'
    : server === undefined
      ? 'the cluster of its current context is not in it'
      : !URL.canParse(server)
        ? 'the server of its current cluster is not an address'
        : !isWithoutCredentials(server)
          ? 'the server of its current cluster has a user or a password in it'
          : undefined;
  if (missing) throw new BadConfiguration('worker', [`KUBECONFIG: ${missing}`]);
}
