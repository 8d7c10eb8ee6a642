import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { AsyncLocalStorage } from 'node:async_hooks';

/**
 * A connection that is closed leaves its AsyncLocalStorage enabled, and each one makes every
 * promise of the process larger: after a hundred tests a promise takes 12 KB. A process of the
 * product has one connection for good; here it is disabled.
 */
for (const { prototype } of [Connection, NativeConnection] as {
  prototype: { close: () => Promise<void> };
}[]) {
  const { close } = prototype;
  prototype.close = async function (this: { callContextStorage: AsyncLocalStorage<unknown> }) {
    await close.call(this);
    this.callContextStorage.disable();
  };
}
