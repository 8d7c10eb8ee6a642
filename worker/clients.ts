import { KubeConfig } from '@kubernetes/client-node';
import ms from 'ms';
import { delimiter } from 'node:path';
import { ArgoClient, type ArgoAccount } from '../activities/argo/client.ts';
import { KubernetesClient } from '../activities/kubernetes/client.ts';
import type { SignonAccount } from '../activities/signon/session.ts';
import type { Configuration } from './configuration.ts';
import { BadConfiguration } from './variables.ts';

/** What speaks to one environment's outside systems. */
export interface Clients {
  signonAccount: SignonAccount;
  argoAccount: ArgoAccount;
  argo: ArgoClient;
  kubeConfig: KubeConfig;
  kubernetes: KubernetesClient;
  /** Hosts of Signon and Argo CD, by the name of their variable. */
  hosts: Record<string, string>;
}

/** Wires configuration into clients. Connects to nothing yet. @throws BadConfiguration where the kubeconfig is none */
export function createClients(configuration: Configuration): Clients {
  const { KUBERNETES_NAMESPACE: namespace } = configuration;
  const limitMs = ms(configuration.settings.answerLimit);
  const argoAccount: ArgoAccount = {
    url: configuration.ARGOCD_URL,
    token: configuration.ARGOCD_TOKEN,
    application: configuration.ARGOCD_APPLICATION,
    appNamespace: configuration.ARGOCD_APP_NAMESPACE,
    project: configuration.ARGOCD_PROJECT,
    namespace,
    cronJobs: configuration.ARGOCD_SYNC_CRONJOBS,
    limitMs,
  };
  const signonAccount: SignonAccount = {
    url: configuration.SIGNON_URL,
    email: configuration.SIGNON_EMAIL,
    password: configuration.SIGNON_PASSWORD,
    totpSecret: configuration.SIGNON_TOTP_SECRET,
    limitMs,
  };
  const kubeConfig = readKubeConfig(configuration.KUBECONFIG);
  return {
    signonAccount,
    argoAccount,
    argo: new ArgoClient(argoAccount),
    kubeConfig,
    kubernetes: new KubernetesClient(kubeConfig, namespace, limitMs),
    hosts: {
      SIGNON_URL: new URL(configuration.SIGNON_URL).hostname,
      ARGOCD_URL: new URL(configuration.ARGOCD_URL).hostname,
    },
  };
}

/** From files, merged as kubectl does, or from the cluster that this runs in. What a parser says of a file quotes it, so it is not passed on. */
function readKubeConfig(paths: string | undefined): KubeConfig {
  try {
    const config = new KubeConfig();
    if (paths === undefined) config.loadFromDefault();
    else {
      const [first = '', ...others] = paths.split(delimiter);
      config.loadFromFile(first);
      for (const path of others) {
        const other = new KubeConfig();
        other.loadFromFile(path);
        config.mergeConfig(other);
      }
    }
    return config;
  } catch {
    throw new BadConfiguration('worker', ['KUBECONFIG: cannot be read as a kubeconfig']);
  }
}
