import axios, { isAxiosError, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import ms from 'ms';
import { failure } from './failure.ts';

export interface HttpResponse {
  status: number;
  headers: AxiosResponse['headers'];
  body: string;
}

const LARGEST_BODY = 8 * 1024 * 1024;

/**
 * Sends one request; follows no redirect, takes no body over 8 MiB or `config.largest` bytes. Any
 * status is an answer.
 * @param system name for messages, e.g. `Signon`
 * @param config.limitMs how long to wait for the whole answer
 * @param shown what messages call the address: its path, unless that is a secret; a query may hold
 * more than a message should
 * @throws Unreachable (retried), rebuilt from method and path: axios' own error carries headers and
 * bodies and is never passed on
 */
export async function send(
  system: string,
  {
    limitMs,
    largest = LARGEST_BODY,
    ...config
  }: AxiosRequestConfig & { url: string; limitMs: number; largest?: number },
  shown = new URL(config.url).pathname,
): Promise<HttpResponse> {
  const method = config.method ?? 'GET';
  try {
    const response = await axios.request<string>({
      ...config,
      signal: AbortSignal.timeout(limitMs),
      maxRedirects: 0,
      maxContentLength: largest,
      maxBodyLength: LARGEST_BODY,
      responseType: 'text',
      transformResponse: (body: string) => body,
      validateStatus: () => true,
      proxy: false,
    });
    return { status: response.status, headers: response.headers, body: response.data };
  } catch (error) {
    const code = isAxiosError(error) ? (error.code ?? 'no code') : 'no code';
    const how = code === 'ERR_CANCELED' ? `in ${limitMs / 1000} s` : `(${code})`;
    throw failure('Unreachable', `${system} did not answer ${method} ${shown} ${how}`);
  }
}

const LONGEST_RETRY_AFTER_MS = ms('10 minutes');

/**
 * How long a server asks to wait, in ms: seconds, or until a date. Undefined where it does not say,
 * or not so that it can be read.
 */
export function retryAfterOf(
  { headers }: Pick<HttpResponse, 'headers'>,
  now = Date.now(),
): number | undefined {
  const said = String(headers['retry-after'] ?? '').trim();
  const wait = /^\d{1,9}$/.test(said) ? Number(said) * 1000 : Date.parse(said) - now;
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), LONGEST_RETRY_AFTER_MS) : undefined;
}
