import { ResponseContext, wrapHttpLibrary, type HttpLibrary } from '@kubernetes/client-node';
import { send } from '../http.ts';

/** A page of 200 pods, each as large as they come, and more. */
const LARGEST_ANSWER = 32 * 1024 * 1024;

/**
 * How the Kubernetes client sends its requests: each with a limit of time, and of the answer's
 * size.
 */
export function boundedHttp(limitMs: number): HttpLibrary {
  return wrapHttpLibrary({
    async send(request) {
      const agent = request.getAgent();
      const { status, headers, body } = await send('Kubernetes', {
        method: request.getHttpMethod(),
        url: request.getUrl(),
        headers: request.getHeaders(),
        data: request.getBody(),
        httpAgent: agent,
        httpsAgent: agent,
        limitMs,
        largest: LARGEST_ANSWER,
      });
      const named = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, String(value)]),
      );
      return new ResponseContext(status, named, {
        text: () => Promise.resolve(body),
        binary: () => Promise.resolve(Buffer.from(body)),
      });
    },
  });
}
